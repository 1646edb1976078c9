"""Corrections: refused and amended, in flight in any order, by several laptops at once."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from server_laptops import Laptop, Office, person_body, record_id
from sync.protocol import FeedEntry, FeedKind, Operation, OperationKind, Receipt, SealedBatch
from sync.server.approval import revoke_device

REFUSED = {"mobile": "123"}


def amend(laptop: Laptop, record: str, base: int, **changes: Any) -> Operation:
    return laptop.operation(
        OperationKind.ENROLLMENT_AMEND, person_body(**changes), record=record, base_version=base
    )


def withdraw(laptop: Laptop, record: str, base: int = 1) -> Operation:
    return laptop.operation(OperationKind.ENROLLMENT_WITHDRAW, {}, record=record, base_version=base)


def said(receipt: Receipt) -> list[tuple[str, str]]:
    return [(verdict.outcome.value, verdict.code) for verdict in receipt.verdicts]


def send(office: Office, laptop: Laptop, *operations: Operation) -> list[tuple[str, str]]:
    return said(office.take(laptop, laptop.batch(operations)))


def current(office: Office, record: str) -> tuple[int, dict[str, Any]]:
    with office.store.read() as connection:
        row = connection.execute(
            text(
                "SELECT e.version, v.body FROM enrollments e JOIN enrollment_versions v USING "
                "(enrollment, version) WHERE e.enrollment = :record"
            ),
            {"record": record},
        ).one()
    return row.version, json.loads(row.body)


def history(office: Office, record: str, field: str) -> set[object]:
    with office.store.read() as connection:
        rows = connection.execute(
            text("SELECT body FROM enrollment_versions WHERE enrollment = :record"),
            {"record": record},
        ).scalars()
        return {json.loads(body).get(field) for body in rows}


def news(office: Office, laptop: Laptop, kind: FeedKind) -> list[FeedEntry]:
    page = laptop.open_page(office.contact.page(laptop.feed_request(0), 0))
    return [entry for entry in page.entries if entry.kind == kind]


def one_person(office: Office) -> tuple[Laptop, Laptop, str]:
    """Give two laptops and a person that the first of them enrolled, and the second holds too."""
    one, other = office.laptop(), office.laptop()
    record = record_id()
    enroll(office, record, one, other)
    return one, other, record


def enroll(office: Office, record: str, first: Laptop, *others: Laptop) -> None:
    """Enroll a person on one laptop; the others show that they hold the very same."""
    assert send(office, first, first.person(record)) == [("accepted", "")]
    for other in others:
        assert send(office, other, other.person(record)) == [("duplicate", "")]


def test_a_correction_of_a_refused_person_is_taken_as_the_persons_first_word(
    office: Office,
) -> None:
    laptop, record = office.laptop(), record_id()
    assert send(office, laptop, laptop.person(record, **REFUSED))[0][0] == "rejected"
    correction = amend(laptop, record, 1, aadhaar_last4=None, capture_session=None)
    assert send(office, laptop, correction) == [("accepted", "")]
    assert current(office, record)[0] == 2


def test_a_correction_of_a_refused_correction_is_taken_too(office: Office) -> None:
    laptop, record = office.laptop(), record_id()
    send(office, laptop, laptop.person(record))
    assert send(office, laptop, amend(laptop, record, 1, **REFUSED))[0][0] == "rejected"
    assert send(office, laptop, amend(laptop, record, 2, household="H2")) == [("accepted", "")]
    assert send(office, laptop, amend(laptop, record, 3, household="H3")) == [("accepted", "")]
    assert current(office, record)[1]["household"] == "H3"


def test_another_laptops_refusal_opens_nothing(office: Office) -> None:
    one, other, record = office.laptop(), office.laptop(), record_id()
    send(office, one, one.person(record, **REFUSED))
    assert send(office, other, amend(other, record, 1)) == [("held", "version:ahead")]


@pytest.mark.parametrize("order", itertools.permutations(range(3)))
@pytest.mark.parametrize("refused", [set(), {0}, {1}, {0, 1}])
def test_versions_in_flight_converge_in_whatever_order_their_batches_come(
    office: Office, order: tuple[int, ...], refused: set[int]
) -> None:
    laptop, record = office.laptop(), record_id()
    plain = {"aadhaar_last4": None, "capture_session": None}
    faults = [REFUSED if place in refused else {} for place in range(3)]
    versions = [
        laptop.batch([laptop.person(record, household="H1", **plain, **faults[0])]),
        laptop.batch([amend(laptop, record, 1, household="H2", **plain, **faults[1])]),
        laptop.batch([amend(laptop, record, 2, household="H3", **plain, **faults[2])]),
    ]
    for place in order:
        office.take(laptop, versions[place])
    assert current(office, record)[1]["household"] == "H3"
    assert office.count("SELECT count(*) FROM held_operations") == 0
    outcomes = [said(office.take(laptop, batch))[0][0] for batch in versions]
    assert outcomes == ["rejected" if place in refused else "accepted" for place in range(3)]


def test_what_is_decided_later_is_told_to_its_laptop(office: Office) -> None:
    laptop, record = office.laptop(), record_id()
    first = laptop.batch([laptop.person(record)])
    assert send(office, laptop, amend(laptop, record, 1)) == [("held", "version:ahead")]
    office.take(laptop, first)
    (entry,) = news(office, laptop, FeedKind.VERDICT_CHANGED)
    assert entry.record == record
    assert entry.body == {
        "incarnation": laptop.incarnation,
        "seq": 2,
        "outcome": "accepted",
    }


def test_what_is_decided_within_its_own_batch_is_told_by_the_receipt_alone(
    office: Office,
) -> None:
    laptop, record = office.laptop(), record_id()
    assert (
        send(office, laptop, laptop.link(record), laptop.person(record)) == [("accepted", "")] * 2
    )
    assert news(office, laptop, FeedKind.VERDICT_CHANGED) == []


def test_one_sided_changes_of_two_laptops_are_both_taken(office: Office) -> None:
    one, other, record = one_person(office)
    assert send(office, one, amend(one, record, 1, name="Kamla Devi")) == [("accepted", "")]
    assert send(office, other, amend(other, record, 1, household="H9")) == [("accepted", "")]
    version, body = current(office, record)
    assert (body["name"], body["household"]) == ("Kamla Devi", "H9")
    for laptop in (one, other):
        (entry,) = news(office, laptop, FeedKind.CORRECTION)
        assert (entry.record, entry.body["version"]) == (record, version)
        assert (entry.body["body"], entry.body["conflicts"]) == (body, [])


def test_a_name_that_both_changed_is_held_and_both_are_shown(office: Office) -> None:
    one, other, record = one_person(office)
    send(office, one, amend(one, record, 1, name="Kamla Devi"))
    receipt = office.take(
        other, other.batch([amend(other, record, 1, name="Kamala", household="H9")])
    )
    (verdict,) = receipt.verdicts
    assert (verdict.outcome, verdict.code, verdict.pointer) == ("held", "conflict", "/name")
    _, body = current(office, record)
    assert (body["name"], body["household"]) == ("Kamla Devi", "H9")
    assert history(office, record, "name") >= {"Kamla Devi", "Kamala"}
    (theirs,) = news(office, other, FeedKind.CORRECTION)
    assert theirs.body["conflicts"] == [
        {"pointer": "/name", "yours": "Kamala", "theirs": "Kamla Devi"}
    ]
    (mine,) = news(office, one, FeedKind.CORRECTION)
    assert mine.body["conflicts"] == [
        {"pointer": "/name", "yours": "Kamla Devi", "theirs": "Kamala"}
    ]


def test_whoever_decides_with_both_in_sight_ends_the_conflict(office: Office) -> None:
    one, other, record = one_person(office)
    send(office, one, amend(one, record, 1, name="Kamla Devi"))
    send(office, other, amend(other, record, 1, name="Kamala"))
    version, _ = current(office, record)
    decided = amend(one, record, version, name="Kamala Devi")
    assert send(office, one, decided) == [("accepted", "")]
    assert current(office, record)[1]["name"] == "Kamala Devi"
    assert office.count("SELECT count(*) FROM held_operations") == 0
    (entry,) = news(office, other, FeedKind.VERDICT_CHANGED)
    assert (entry.body["outcome"], entry.body["seq"]) == ("accepted", 2)


def test_a_mobile_that_both_changed_is_the_later_one_and_the_earlier_is_told(
    office: Office,
) -> None:
    one, other, record = one_person(office)
    send(office, one, amend(one, record, 1, mobile="9123456781"))
    assert send(office, other, amend(other, record, 1, mobile="9123456782")) == [("accepted", "")]
    assert current(office, record)[1]["mobile"] == "9123456782"
    assert "9123456781" in history(office, record, "mobile")
    (entry,) = news(office, one, FeedKind.CORRECTION)
    assert entry.body["conflicts"] == [
        {"pointer": "/mobile", "yours": "9123456781", "theirs": "9123456782"}
    ]
    assert news(office, other, FeedKind.CORRECTION) == []


def test_a_laptop_alone_with_its_person_hears_no_corrections(office: Office) -> None:
    laptop, record = office.laptop(), record_id()
    send(office, laptop, laptop.person(record))
    for base in (1, 2, 3):
        send(office, laptop, amend(laptop, record, base, household=f"H{base}"))
    assert current(office, record)[0] == 4
    assert news(office, laptop, FeedKind.CORRECTION) == []


def test_a_plain_correction_by_another_laptop_is_told_to_the_first(office: Office) -> None:
    one, other, record = one_person(office)
    send(office, other, amend(other, record, 1, household="H9"))
    (entry,) = news(office, one, FeedKind.CORRECTION)
    assert (entry.body["version"], entry.body["body"]["household"]) == (2, "H9")
    assert news(office, other, FeedKind.CORRECTION) == []


def test_a_correction_still_in_flight_is_not_mistaken_for_what_another_wrote(
    office: Office,
) -> None:
    one, other, record = one_person(office)
    second = one.batch([amend(one, record, 1, name="Kamla Devi")])
    third = one.batch([amend(one, record, 2, name="Kamla Devi", household="H1")])
    send(office, other, amend(other, record, 1, language="mr"))
    assert said(office.take(one, third)) == [("held", "version:ahead")]
    office.take(one, second)
    body = current(office, record)[1]
    assert (body["name"], body["household"], body["language"]) == ("Kamla Devi", "H1", "mr")
    assert office.count("SELECT count(*) FROM held_operations") == 0


@pytest.mark.parametrize("order", itertools.permutations(range(3)))
def test_a_withdrawal_beats_every_concurrent_correction_and_keeps_it(
    office: Office, order: tuple[int, ...]
) -> None:
    one, other, third = (office.laptop() for _ in range(3))
    record = record_id()
    enroll(office, record, one, other, third)
    run: list[tuple[Laptop, SealedBatch]] = [
        (one, one.batch([withdraw(one, record)])),
        (other, other.batch([amend(other, record, 1, name="Kamala")])),
        (third, third.batch([amend(third, record, 1, household="H9")])),
    ]
    for place in order:
        office.take(*run[place])
    assert office.count("SELECT count(*) FROM enrollments WHERE state = 'WITHDRAWN'") == 1
    kept = history(office, record, "name") | {json.dumps(row) for row in held_bodies(office)}
    assert any("Kamala" in str(each) for each in kept)


def held_bodies(office: Office) -> list[str]:
    with office.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT body FROM held_operations").scalars()
        return [bytes(body).decode("latin-1") for body in rows]


def test_a_withdrawal_of_somebody_who_was_never_taken_in_is_done_at_once(office: Office) -> None:
    laptop, record = office.laptop(), record_id()
    send(office, laptop, laptop.person(record, **REFUSED))
    assert send(office, laptop, withdraw(laptop, record)) == [("accepted", "")]
    assert office.count("SELECT count(*) FROM enrollments") == 0


def test_corrections_of_a_submit_that_is_held_are_held_with_it(office: Office) -> None:
    one, other = office.laptop(), office.laptop()
    record = record_id()
    send(office, one, one.person(record))
    differing = [other.person(record, name="Kamala"), amend(other, record, 1, name="Kamala Bai")]
    assert send(office, other, *differing) == [("held", "enrollment:differs")] * 2
    assert current(office, record)[1]["name"] == person_body()["name"]


def test_a_revoked_laptop_hears_of_no_correction(office: Office) -> None:
    one, other, record = one_person(office)
    with office.store.write() as connection:
        revoke_device(connection, office.keys, one.id, now=office.now)
    before = office.count("SELECT count(*) FROM feed")
    send(office, other, amend(other, record, 1, household="H9"))
    assert office.count("SELECT count(*) FROM feed") == before


@pytest.fixture
def two(office: Office) -> tuple[Laptop, Laptop]:
    return office.laptop(), office.laptop()


FIELDS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Kamla", "Kamala", "Kamli"]),
        "household": st.sampled_from([None, "H1", "H2"]),
        "mobile": st.sampled_from(["9123456780", "9123456781", "9123456782"]),
    }
)


@given(first=FIELDS, second=FIELDS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whichever_correction_comes_first_the_same_values_are_kept(
    office: Office, two: tuple[Laptop, Laptop], first: dict[str, Any], second: dict[str, Any]
) -> None:
    one, other = two
    kept = []
    for order in (0, 1):
        record = record_id()
        enroll(office, record, one, other)
        run = [
            (one, amend(one, record, 1, **first)),
            (other, amend(other, record, 1, **second)),
        ]
        for laptop, operation in (run[order], run[1 - order]):
            send(office, laptop, operation)
        kept.append({field: history(office, record, field) for field in first})
    assert kept[0] == kept[1]
    for field, value in first.items():
        assert kept[0][field] >= {value, second[field]}
