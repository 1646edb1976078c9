"""To know a person's id is no right: strangers correct nothing, take nothing away, hear nothing."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from server_laptops import Laptop, Office, person_body, record_id
from sync.protocol import FeedEntry, FeedKind, Operation, OperationKind

AMEND = OperationKind.ENROLLMENT_AMEND
PLAIN = {"aadhaar_last4": None, "capture_session": None}
HELD = [("held", "record:not-yours")]


def amend(laptop: Laptop, record: str, base: int, **changes: Any) -> Operation:
    body = person_body(**{**PLAIN, **changes})
    return laptop.operation(AMEND, body, record=record, base_version=base)


def broken(laptop: Laptop, record: str, base: int) -> Operation:
    return laptop.operation(AMEND, {}, record=record, base_version=base)


def send(office: Office, laptop: Laptop, *operations: Operation) -> list[tuple[str, str]]:
    receipt = office.take(laptop, laptop.batch(operations))
    return [(verdict.outcome.value, verdict.code) for verdict in receipt.verdicts]


def news(office: Office, laptop: Laptop) -> list[FeedEntry]:
    page = laptop.open_page(office.contact.page(laptop.feed_request(0), 0))
    return [entry for entry in page.entries if entry.kind == FeedKind.CORRECTION]


@pytest.fixture
def owner(office: Office) -> Laptop:
    return office.laptop()


@pytest.fixture
def stranger(office: Office) -> Laptop:
    return office.laptop()


@pytest.fixture
def record(office: Office, owner: Laptop) -> str:
    person = owner.person(record_id(), **PLAIN)
    assert send(office, owner, person) == [("accepted", "")]
    return person.record


@pytest.mark.parametrize("base", [1, 2, 64, 900])
def test_a_stranger_corrects_nothing_and_is_told_nothing(
    office: Office, owner: Laptop, stranger: Laptop, record: str, base: int
) -> None:
    assert send(office, stranger, amend(stranger, record, base, name="Guess")) == HELD
    assert news(office, owner) == news(office, stranger) == []
    assert office.count("SELECT count(*) FROM enrollment_versions") == 1
    assert send(office, owner, amend(owner, record, 1, household="H1")) == [("accepted", "")]
    assert news(office, stranger) == []


def test_a_refused_word_makes_a_stranger_no_less_a_stranger(
    office: Office, stranger: Laptop, record: str
) -> None:
    run = [broken(stranger, record, 0), amend(stranger, record, 1, name="Guess")]
    assert send(office, stranger, *run)[1:] == HELD
    assert news(office, stranger) == []


def test_a_strangers_correction_that_was_here_first_is_held_when_the_person_comes(
    office: Office, owner: Laptop, stranger: Laptop
) -> None:
    person = owner.person(record_id(), **PLAIN)
    early = stranger.batch([amend(stranger, person.record, 1, name="Guess")])
    office.take(stranger, early)
    assert send(office, owner, person) == [("accepted", "")]
    (verdict,) = office.take(stranger, early).verdicts
    assert (verdict.outcome.value, verdict.code) == HELD[0]
    assert news(office, stranger) == []


def test_a_stranger_withdraws_nobody_and_takes_no_link_away(
    office: Office, owner: Laptop, stranger: Laptop, record: str
) -> None:
    link = owner.link(record)
    assert send(office, owner, link) == [("accepted", "")]
    run = [
        stranger.operation(OperationKind.ENROLLMENT_WITHDRAW, {}, record=record, base_version=1),
        stranger.operation(OperationKind.LINK_REMOVE, {"enrollment": record}, record=link.record),
    ]
    assert send(office, stranger, *run) == HELD * 2
    assert office.count("SELECT count(*) FROM enrollments WHERE state = 'ACCEPTED'") == 1
    assert office.count("SELECT count(*) FROM links WHERE state = 'ACCEPTED'") == 1


def test_a_copy_of_the_disk_corrects_what_its_other_life_enrolled(
    office: Office, owner: Laptop, record: str
) -> None:
    owner.incarnation, owner.number, owner.previous = "cd" * 8, 0, bytes(32)
    assert send(office, owner, amend(owner, record, 1, household="H2")) == [("accepted", "")]


def test_a_correction_that_overtook_the_proof_is_taken_once_the_proof_is_here(
    office: Office, stranger: Laptop, record: str
) -> None:
    proof = stranger.batch([stranger.person(record, **PLAIN)])
    overtook = stranger.batch([amend(stranger, record, 1, household="H2")])
    assert office.take(stranger, overtook).verdicts[0].code == HELD[0][1]
    assert office.take(stranger, proof).verdicts[0].outcome.value == "duplicate"
    assert office.take(stranger, overtook).verdicts[0].outcome.value == "accepted"


def test_corrections_that_nobody_fetched_are_one_piece_of_news(
    office: Office, owner: Laptop, stranger: Laptop, record: str
) -> None:
    send(office, stranger, stranger.person(record, **PLAIN))
    send(office, owner, amend(owner, record, 1, name="Kamla Devi"))
    for base, changes in enumerate(({"name": "Kamala"}, {}, {}), start=1):
        own = base if base == 1 else base + 2
        send(office, stranger, amend(stranger, record, own, household=f"H{base}", **changes))
    (entry,) = news(office, owner)
    with office.store.read() as connection:
        current = connection.exec_driver_sql("SELECT version FROM enrollments").scalar_one()
    assert entry.body["version"] == current
    send(office, stranger, amend(stranger, record, current, household="H9"))
    assert [one.body["body"]["household"] for one in news(office, owner)][1:] == ["H9"]


def test_news_that_is_replaced_keeps_the_feed_whole_and_its_open_conflicts(
    office: Office, owner: Laptop, stranger: Laptop, record: str
) -> None:
    third = office.laptop()
    for laptop in (stranger, third):
        send(office, laptop, laptop.person(record, **PLAIN))
    send(office, owner, amend(owner, record, 1, name="Kamla Devi"))
    send(office, stranger, amend(stranger, record, 1, name="Kamala"))
    before = office.count(f"SELECT feed_head FROM devices WHERE device = '{owner.id}'")  # noqa: S608 - our own text
    with office.store.read() as connection:
        old = connection.exec_driver_sql("SELECT max(entry_id) FROM feed").scalar_one()
    send(office, third, amend(third, record, 1, household="H3"))
    after = office.count(f"SELECT feed_head FROM devices WHERE device = '{owner.id}'")  # noqa: S608 - our own text
    (entry,) = news(office, owner)
    assert (before, entry.id == old) == (after, False)
    assert [each["pointer"] for each in entry.body["conflicts"]] == ["/name"]
    assert entry.body["body"]["household"] == "H3"


def queries(office: Office) -> list[str]:
    """Give a list that every statement of the server is written into from now on."""
    heard: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        heard.append(statement)

    event.listen(office.store._engine, "before_cursor_execute", hear)
    return heard


def test_however_many_versions_were_refused_a_correction_is_judged_in_a_few_queries(
    office: Office, owner: Laptop, record: str
) -> None:
    unknown = record_id()
    for one in (record, unknown):
        send(office, owner, *(broken(owner, one, base) for base in range(1, 61)))
        send(office, owner, *(broken(owner, one, base) for base in range(61, 200)))
    heard = queries(office)
    assert send(office, owner, amend(owner, record, 200)) == [("held", "version:ahead")]
    assert send(office, owner, amend(owner, unknown, 200)) == [("held", "version:ahead")]
    assert len(heard) < 80
    assert send(office, owner, amend(owner, record, 50, household="H5")) == [("accepted", "")]
