from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from enrollkit.domain.enrollment import State
from enrollkit.domain.record_link import LinkState
from enrollkit.store.audit import verify_audit
from enrollkit.store.database import Database, Tx
from enrollkit.store.enrollments import (
    StoredEnrollment,
    amend_enrollment,
    find_enrollment,
    get_enrollment,
    list_calls,
    set_state,
)
from enrollkit.store.events import history
from enrollkit.store.inbox import StoredInbox
from enrollkit.store.links import get_link
from enrollkit.store.meta import Fact, find_text
from enrollkit.store.operations import append_operation
from enrollkit.store.programmes import keep_programme, newest_programme
from enrollkit.store.search import search_people
from store_samples import (
    INCARNATION,
    NOON,
    Ends,
    StillClock,
    link,
    new_database,
    person,
    record_id,
    save_link,
    save_person,
)
from sync.chains import next_feed_digest
from sync.errors import EnvelopeInvalid
from sync.programme import open_programme, sign_programme
from sync.protocol import FeedEntry, FeedKind, OperationKind
from sync.sealing import SigningKey
from sync_samples import programme

SERVER = SigningKey.generate()
NUMBER = "91-1234-5678-9012"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_database(tmp_path) as opened:
        opened.write(lambda tx: save_person(tx, person(1)))
        yield opened


@pytest.fixture
def inbox(database: Database) -> StoredInbox:
    return StoredInbox(
        database, programme=lambda raw: open_programme(raw, SERVER.public), clock=StillClock()
    )


def news(seq: int, kind: str, record: int | None = 1, **body: Any) -> FeedEntry:
    return FeedEntry(
        seq=seq,
        id=f"{seq:016x}",
        kind=kind,
        at=NOON + seq,
        record=None if record is None else record_id(record),
        body=body,
    )


def issued(seq: int = 1) -> FeedEntry:
    return news(seq, FeedKind.ABHA_ISSUED, abha_number=NUMBER, abha_address="asha.91@abdm")


def stored(database: Database) -> StoredEnrollment:
    return database.read(lambda tx: get_enrollment(tx, record_id(1)))


def results(database: Database) -> list[str]:
    rows = database.read(lambda tx: tx.execute("SELECT result FROM feed ORDER BY seq").fetchall())
    return [row[0] for row in rows]


def accept(database: Database) -> None:
    ends = Ends(database)
    ends.outbox.freeze()
    for batch in ends.outbox.batches_after(
        INCARNATION, ends.outbox.receipted_upto(INCARNATION), bytes_max=10**6
    ):
        ends.outbox.note_offered(batch)
        ends.outbox.apply_receipt(*ends.receipt(batch))


def test_an_issued_number_is_kept_and_finds_its_person(
    database: Database, inbox: StoredInbox
) -> None:
    accept(database)
    inbox.apply_page([issued()], 1)
    found = stored(database)
    assert (found.state, found.abha_number, found.abha_address) == (
        State.ISSUED,
        NUMBER,
        "asha.91@abdm",
    )
    for ident in (NUMBER, NUMBER.replace("-", ""), NUMBER.replace("-", " ")):
        assert database.read(
            lambda tx, ident=ident: find_enrollment(tx, ident)
        ).enrollment.id == record_id(1)
    assert [hit.id for hit in database.read(lambda tx: search_people(tx, "5678"))] == [record_id(1)]
    assert inbox.cursor() == 1
    assert database.read(verify_audit) is None


def test_news_that_came_before_its_receipt_is_not_lost(
    database: Database, inbox: StoredInbox
) -> None:
    """Both may come home on one stick, and the first receipt may never come."""
    inbox.apply_page([issued()], 1)
    assert stored(database).state is State.ISSUED
    accept(database)
    assert stored(database).state is State.ISSUED


def test_the_same_page_again_changes_nothing(database: Database, inbox: StoredInbox) -> None:
    accept(database)
    page = [issued(), news(2, FeedKind.CORRECTION)]
    inbox.apply_page(page, 2)
    before = database.read(lambda tx: history(tx, record_id(1)))
    inbox.apply_page(page, 2)
    inbox.apply_page(page[:1], 1)
    inbox.apply_page([], 2)
    assert database.read(lambda tx: history(tx, record_id(1))) == before
    assert inbox.cursor() == 2


@pytest.mark.parametrize(
    ("seqs", "cursor"), [([2], 2), ([1, 3], 3), ([1], 2), ([], 1), ([2, 1], 2)]
)
def test_a_gap_is_refused_and_nothing_of_the_page_is_applied(
    database: Database, inbox: StoredInbox, seqs: list[int], cursor: int
) -> None:
    with pytest.raises(EnvelopeInvalid):
        inbox.apply_page([issued(seq) for seq in seqs], cursor)
    assert inbox.cursor() == 0
    assert stored(database).state is State.SUBMITTED
    assert results(database) == []


@pytest.mark.parametrize(
    ("kind", "state", "body"),
    [
        (
            FeedKind.ENROLLMENT_RETURNED,
            State.RETURNED,
            {"code": "dob-unclear", "pointer": "/birth"},
        ),
        (FeedKind.ENROLLMENT_DUPLICATE, State.DUPLICATE, {}),
        (FeedKind.NEEDS_PERSON, State.NEEDS_PERSON, {"code": "otp"}),
    ],
)
def test_news_that_needs_somebody_says_why(
    database: Database, inbox: StoredInbox, kind: FeedKind, state: State, body: dict[str, Any]
) -> None:
    accept(database)
    inbox.apply_page([news(1, kind, **body)], 1)
    found = stored(database)
    assert found.state is state
    assert found.reason_code
    assert found.reason_pointer == body.get("pointer", "")


def test_a_call_is_told_with_its_time_and_the_newest_reason_counts(
    database: Database, inbox: StoredInbox
) -> None:
    accept(database)
    first = news(1, FeedKind.NEEDS_PERSON, code="person:otp", call_at=NOON + 90)
    inbox.apply_page([first], 1)
    assert (stored(database).reason_code, stored(database).call_at) == ("person:otp", NOON + 90)
    second = news(2, FeedKind.NEEDS_PERSON, code="person:document", pointer="/aadhaar")
    inbox.apply_page([second, news(3, FeedKind.NEEDS_PERSON)], 3)
    found = stored(database)
    assert (found.reason_code, found.reason_pointer, found.call_at) == (
        "person:document", "/aadhaar", None,
    )  # fmt: skip
    assert [one.enrollment.id for one in database.read(list_calls)] == [record_id(1)]
    whats = [event.what for event in database.read(lambda tx: history(tx, record_id(1)))]
    assert whats.count("needs-person") == 2


def test_a_number_found_brings_number_and_reason_home(
    database: Database, inbox: StoredInbox
) -> None:
    accept(database)
    found = {"code": "abdm:exists", "abha_number": NUMBER}
    inbox.apply_page(
        [
            news(1, FeedKind.ENROLLMENT_RETURNED, code="abdm:mismatch", pointer=""),
            news(2, FeedKind.ENROLLMENT_DUPLICATE, **found),
        ],
        2,
    )
    one = stored(database)
    assert (one.state, one.abha_number, one.reason_code) == (
        State.DUPLICATE, NUMBER, "abdm:exists",
    )  # fmt: skip


def test_a_code_of_abdm_that_nobody_knows_is_kept_whole(
    database: Database, inbox: StoredInbox
) -> None:
    accept(database)
    code = "abdm:unknown ABDM-4711"
    inbox.apply_page([news(1, FeedKind.ENROLLMENT_RETURNED, code=code, pointer="")], 1)
    assert stored(database).reason_code == code
    strange = "abdm:unknown \x1b[2J"
    inbox.apply_page([news(2, FeedKind.ENROLLMENT_RETURNED, code=strange, pointer="")], 2)
    assert stored(database).reason_code == "unspecified"


def test_what_cannot_be_so_is_history_and_no_crash(database: Database, inbox: StoredInbox) -> None:
    database.write(
        lambda tx: set_state(tx, record_id(1), State.WITHDRAWN, at=NOON, what="withdrawn")
    )
    inbox.apply_page(
        [
            issued(1),
            news(2, FeedKind.ABHA_ISSUED, record=99, abha_number=NUMBER),
            news(3, FeedKind.LINK_LINKED, record=99),
            news(4, "person.reincarnated", whatever=[1, {"x": b"y"}]),
            news(5, FeedKind.ABHA_ISSUED, abha_number="not a number"),
            news(6, FeedKind.ENROLLMENT_RETURNED, code="x" * 1000, pointer=""),
            news(7, FeedKind.ABHA_ISSUED, record=None, abha_number=NUMBER),
        ],
        7,
    )
    assert results(database) == [
        "impossible",
        "unknown-record",
        "unknown-record",
        "unknown-kind",
        "malformed",
        "malformed",
        "malformed",
    ]
    assert stored(database).state is State.WITHDRAWN
    assert stored(database).abha_number is None
    assert database.read(lambda tx: history(tx, record_id(1)))[-1].what == "issued-late"
    assert inbox.cursor() == 7


def test_a_return_of_a_version_that_was_corrected_since_is_history(
    database: Database, inbox: StoredInbox
) -> None:
    accept(database)
    inbox.apply_page([news(1, FeedKind.ENROLLMENT_RETURNED, code="dob", pointer="/birth")], 1)
    changed = person(1, version=2)

    def amend(tx: Tx) -> None:
        amend_enrollment(tx, changed, sealed=None, match_key="k", saved_at=NOON, operator=1)
        append_operation(
            tx,
            kind=OperationKind.ENROLLMENT_AMEND,
            record=changed.id,
            base_version=1,
            body=changed.body(),
            payload=None,
            operator=1,
            captured=NOON,
        )

    database.write(amend)
    inbox.apply_page([news(2, FeedKind.ENROLLMENT_RETURNED, code="late", pointer="")], 2)
    assert results(database)[-1] == "superseded"
    assert stored(database).state is State.SUBMITTED
    accept(database)
    inbox.apply_page([news(3, FeedKind.ENROLLMENT_RETURNED, code="again", pointer="")], 3)
    assert (stored(database).state, stored(database).reason_code) == (State.RETURNED, "again")


def test_a_linked_record_is_linked(database: Database, inbox: StoredInbox) -> None:
    database.write(lambda tx: save_link(tx, link(1)))
    linked = FeedEntry(
        seq=1, id="01" * 8, kind=FeedKind.LINK_LINKED, at=NOON, record=link(1).id, body={}
    )
    inbox.apply_page([linked], 1)
    assert database.read(lambda tx: get_link(tx, link(1).id)).state is LinkState.LINKED


def test_only_a_newer_programme_of_our_server_is_taken(
    database: Database, inbox: StoredInbox
) -> None:
    def updated(seq: int, raw: bytes) -> FeedEntry:
        text = base64.b64encode(raw).decode()
        return news(seq, FeedKind.PROGRAMME_UPDATED, None, programme=text)

    ours = sign_programme(programme(SERVER, serial=2), SERVER)
    older = sign_programme(programme(SERVER, serial=1), SERVER)
    stranger = SigningKey.generate()
    foreign = sign_programme(programme(stranger, serial=9), stranger)
    database.write(lambda tx: keep_programme(tx, older, 1, at=NOON))
    pages = [
        updated(1, foreign),
        updated(2, b"nonsense"),
        updated(3, ours),
        updated(4, older),
        news(5, FeedKind.PROGRAMME_UPDATED, None, programme="%%%"),
    ]
    inbox.apply_page(pages, 5)
    assert results(database) == ["refused", "refused", "applied", "kept", "refused"]
    assert database.read(newest_programme) == ours
    assert inbox.programme_serial() == 2


def test_a_revoked_device_knows_it(database: Database, inbox: StoredInbox) -> None:
    inbox.apply_page([news(1, FeedKind.DEVICE_REVOKED, None)], 1)
    assert database.read(lambda tx: find_text(tx, Fact.DEVICE_STATE)) == "revoked"
    assert not Ends(database).outbox.is_approved()


def test_news_that_a_restored_server_numbers_anew_is_applied_once(
    database: Database, inbox: StoredInbox
) -> None:
    first, second = news(1, "greeting"), news(2, "greeting")
    inbox.apply_page([first, second], 2)
    digest = inbox.feed_digest()
    inbox.rewind()
    assert (inbox.cursor(), inbox.feed_digest()) == (0, bytes(32))
    between = replace(first, seq=1, id="ff" * 8)
    again = replace(second, seq=2)
    inbox.apply_page([between, again], 2)
    assert inbox.cursor() == 2
    assert inbox.feed_digest() not in {digest, bytes(32)}
    kept = database.read(lambda tx: tx.execute("SELECT id FROM feed ORDER BY n").fetchall())
    assert [row[0] for row in kept] == [first.id, second.id, between.id]


def test_the_digest_of_the_feed_is_counted_as_the_server_counts_it(inbox: StoredInbox) -> None:
    entries = [news(1, "greeting"), news(2, "greeting")]
    inbox.apply_page(entries[:1], 1)
    inbox.apply_page(entries[1:], 2)
    expected = next_feed_digest(next_feed_digest(bytes(32), entries[0].id), entries[1].id)
    assert inbox.feed_digest() == expected


def test_a_number_that_means_another_entry_here_is_not_passed_over(inbox: StoredInbox) -> None:
    inbox.apply_page([news(1, "greeting")], 1)
    digest = inbox.feed_digest()
    other = replace(news(1, "greeting"), id="ff" * 8)
    with pytest.raises(EnvelopeInvalid, match="news 1 is another"):
        inbox.apply_page([other, news(2, "greeting")], 2)
    assert (inbox.cursor(), inbox.feed_digest()) == (1, digest)
    inbox.apply_page([news(1, "greeting"), news(2, "greeting")], 2)
    assert inbox.cursor() == 2
