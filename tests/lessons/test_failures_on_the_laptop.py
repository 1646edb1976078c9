"""What went wrong in other systems' clients, by the reference where it was told; not so here.

Each name is a published report; docs/SIMULATION.md lists them beside the simulator's rules.
"""

from __future__ import annotations

import pytest

from engine_fakes import QUICK, FakeInbox, Laptop
from engine_server import INCARNATION as LIFE
from engine_server import news
from enrollkit.domain.enrollment import State
from enrollkit.store.database import Database, Tx
from enrollkit.store.enrollments import get_enrollment
from enrollkit.store.inbox import StoredInbox
from store_samples import INCARNATION, NOON, Ends, StillClock, person, record_id, save_person
from sync.engine.account import Summary
from sync.engine.answers import SEQUENCE_TYPE, AnswerHead, is_answer, refusal
from sync.engine.runner import deliver
from sync.errors import EnvelopeInvalid, Portal, SyncBusy
from sync.protocol import (
    DeviceState,
    FeedEntry,
    HelloReply,
    Outcome,
    SealedBatch,
    Verdict,
)


def run(laptop: Laptop) -> Summary:
    return deliver(laptop.ports, approval_code="CODE", pacing=QUICK)


def enroll(ends: Ends, *numbers: int) -> None:
    def save(tx: Tx) -> None:
        for number in numbers:
            save_person(tx, person(number))

    ends.database.write(save)


def frozen(ends: Ends) -> SealedBatch:
    ends.outbox.freeze()
    return ends.outbox.batches_after(INCARNATION, 0, bytes_max=10**6)[-1]


def test_cht_core_8093_a_restored_server_is_offered_what_it_forgot() -> None:
    laptop = Laptop(people=8)
    run(laptop)
    whole = list(laptop.server.held)
    laptop.server.restore(1)
    summary = run(laptop)
    assert summary.rolled_back
    assert laptop.server.held == whole
    assert (summary.waiting, summary.accepted) == (0, 0)


def test_pouchdb_1240_the_cursor_moves_with_the_news_or_not_at_all(database: Database) -> None:
    def refuse(_raw: bytes) -> object:
        raise RuntimeError("the power went in the middle of a page")

    inbox = StoredInbox(database, programme=refuse, clock=StillClock())  # type: ignore[arg-type]
    page = [
        FeedEntry(seq=1, id="01" * 8, kind="greeting", at=NOON, body={}),
        FeedEntry(
            seq=2, id="02" * 8, kind="programme.updated", at=NOON, body={"programme": "AAEC"}
        ),
    ]
    with pytest.raises(RuntimeError):
        inbox.apply_page(page, 2)
    assert inbox.cursor() == 0
    assert database.read(lambda tx: tx.execute("SELECT count(*) FROM feed").fetchone()[0]) == 0


def test_pouchdb_585_a_server_that_was_wiped_gets_everything_again() -> None:
    laptop = Laptop(people=6)
    run(laptop)
    laptop.server.restore(0)
    run(laptop)
    assert len(laptop.server.held) == 3


def test_pouchdb_6730_a_lossy_line_goes_on_where_it_broke_and_not_at_the_start() -> None:
    laptop = Laptop(people=20)
    laptop.server.faults = iter(["", "cut up", "", "cut down"])
    summary = run(laptop)
    assert summary.waiting == 0
    assert laptop.events.count("bytes 1") == 1


@pytest.mark.parametrize(
    "head",
    [
        AnswerHead(status=201, content_type=SEQUENCE_TYPE),
        AnswerHead(status=200, content_type="text/html"),
        AnswerHead(status=302),
        AnswerHead(status=204),
    ],
    ids=["201", "200 with a page", "302", "204"],
)
def test_formhub_767_no_status_makes_a_record_sent(head: AnswerHead) -> None:
    assert not is_answer(head, SEQUENCE_TYPE)
    assert isinstance(refusal(head, b""), Portal)


def test_formhub_767_a_push_that_was_answered_without_a_signature_is_not_repeated_for_ever() -> (
    None
):
    laptop = Laptop(people=2)
    laptop.server.faults = iter(["", "silent"])
    summary = run(laptop)
    assert (summary.accepted, summary.waiting) == (2, 0)
    assert laptop.events.count("push") == 1


def test_fhircore_2775_one_invalid_record_does_not_stop_the_next_ones() -> None:
    laptop = Laptop(people=10, poisoned=frozenset({1}))
    summary = run(laptop)
    assert (summary.rejected, summary.accepted, summary.waiting) == (1, 9, 0)
    laptop.outbox.unfrozen = 2
    assert run(laptop).accepted == 2


def test_android_fhir_2408_what_was_signed_for_before_a_failure_stays_signed_for() -> None:
    laptop = Laptop(people=8)
    laptop.server.faults = iter(["", "cut down", *["offline"] * 9])
    summary = run(laptop)
    assert summary.error is not None
    assert (summary.accepted, summary.waiting) == (2, 6)
    assert laptop.outbox.receipted_upto(LIFE) == 1


def test_android_fhir_2361_two_sessions_at_once_are_one() -> None:
    laptop = Laptop(people=2)
    with laptop.stage.exclusive(), pytest.raises(SyncBusy):
        run(laptop)
    assert laptop.events == []
    assert run(laptop).accepted == 2


def test_ndb_core_4178_losing_permission_purges_nothing_that_was_not_delivered(ends: Ends) -> None:
    enroll(ends, 1, 2)
    before = frozen(ends)
    reply = HelloReply(
        version=1,
        minimum_version=1,
        state=DeviceState.REVOKED,
        epoch="e0" * 8,
        device=ends.device.public.id,
        incarnation=INCARNATION,
        held_upto=0,
        held_digest=bytes(32),
        durable_upto=0,
        feed_head=0,
        feed_digest=bytes(32),
        programme_serial=1,
        server_time=NOON,
        nonce=bytes(16),
    )
    ends.outbox.note_contact(reply)
    assert ends.outbox.waiting() == 2
    assert frozen(ends) == before


def test_owncloud_2325_a_restored_server_is_noticed_without_anybody_saying_so() -> None:
    laptop = Laptop(news=news(4))
    run(laptop)
    laptop.server.news = laptop.server.news[:1]
    summary = run(laptop)
    assert summary.rolled_back
    assert isinstance(laptop.inbox, FakeInbox)
    assert laptop.inbox.cursor() == 1


def test_borgbackup_4883_a_copied_disk_seals_with_other_keys(ends: Ends) -> None:
    enroll(ends, 1)
    first = frozen(ends)
    header, operations = ends.opened(first)
    second = ends._seal(header, operations)
    assert first.data != second.data
    assert ends.opened(second) == (header, operations)
    shared = {first.data[at : at + 16] for at in range(200, 1200)}
    assert not shared & {second.data[at : at + 16] for at in range(200, 1200)}


@pytest.mark.parametrize("fault", ["cut up", "cut down", "lost reply", "silent", "busy"])
def test_powersync_307_no_fault_leaves_a_queue_stuck(fault: str) -> None:
    laptop = Laptop(people=12, faults=iter(["", fault, "", fault]))
    run(laptop)
    assert run(laptop).waiting == 0


def test_getodk_collect_5317_a_record_edited_after_it_was_offered_can_still_be_sent(
    ends: Ends,
) -> None:
    enroll(ends, 1)
    first = frozen(ends)
    ends.outbox.note_offered(first)
    enroll(ends, 2)
    second = frozen(ends)
    assert second.number == first.number + 1
    assert ends.outbox.batches_after(INCARNATION, 0, bytes_max=10**6)[0] == first
    for batch in (second, first):
        ends.outbox.apply_receipt(*ends.receipt(batch))
    assert ends.outbox.waiting() == 0


def test_getodk_50_nothing_is_deleted_because_sending_failed(ends: Ends) -> None:
    enroll(ends, 1)
    batch = frozen(ends)
    ends.outbox.note_offered(batch)
    refused = Verdict(outcome=Outcome.REJECTED, code="schema:required", pointer="/name")
    ends.outbox.apply_receipt(*ends.receipt(batch, refused))
    stored = ends.database.read(lambda tx: get_enrollment(tx, record_id(1)))
    assert stored.state is State.RETURNED
    assert stored.enrollment == person(1)


def test_cht_core_8303_a_timeout_is_not_a_success() -> None:
    laptop = Laptop(people=4)
    laptop.server.faults = iter(["", *["lost reply"] * 9])
    summary = run(laptop)
    assert (summary.sent, summary.accepted, summary.waiting) == (4, 0, 4)
    assert "signed for everything" not in str(summary.error)


def test_cht_core_7419_news_that_broke_off_is_read_on_and_not_taken_for_all() -> None:
    laptop = Laptop(news=news(6), page_entries=2)
    laptop.server.faults = iter(["", "", *["lost reply"] * 9])
    assert run(laptop).error is not None
    assert laptop.inbox.cursor() == 2
    laptop.server.faults = iter(())
    run(laptop)
    assert laptop.inbox.entries == news(6)


def test_application_services_2294_a_server_that_lost_all_is_no_reason_to_wipe_this_laptop(
    ends: Ends,
) -> None:
    enroll(ends, 1)
    batch = frozen(ends)
    ends.outbox.apply_receipt(*ends.receipt(batch))
    assert list(ends.outbox.batches_after(INCARNATION, 0, bytes_max=10**6)) == [batch]


def test_commcare_1111_what_was_sent_stays_here_until_the_server_has_a_backup_of_it(
    ends: Ends,
) -> None:
    enroll(ends, 1)
    batch = frozen(ends)
    ends.outbox.apply_receipt(*ends.receipt(batch))
    stored = ends.database.read(
        lambda tx: tx.execute("SELECT data, durable FROM batches").fetchone()
    )
    assert stored == (batch.data, 0)


def test_anki_2957_no_session_ever_replaces_what_is_here_with_what_is_there() -> None:
    laptop = Laptop(people=4, news=news(2))
    run(laptop)
    before = list(laptop.outbox.batches)
    laptop.server.held = [bytes(32)]
    laptop.server.news = []
    run(laptop)
    assert laptop.outbox.batches[: len(before)] == before


def test_mosip_947_a_receipt_that_came_home_by_stick_is_a_receipt(ends: Ends) -> None:
    enroll(ends, 1)
    batch = frozen(ends)
    tally = ends.outbox.apply_receipt(*ends.receipt(batch, nonce=b""))
    assert (tally.accepted, ends.outbox.waiting()) == (1, 0)


def test_tamanu_a_bad_page_is_refused_whole_and_the_next_session_is_not_poisoned(
    database: Database,
) -> None:
    inbox = StoredInbox(database, programme=lambda _raw: None, clock=StillClock())  # type: ignore[arg-type, return-value]
    entries = [
        FeedEntry(seq=seq, id=f"{seq:016x}", kind="greeting", at=NOON, body={}) for seq in (1, 2, 3)
    ]
    with pytest.raises(EnvelopeInvalid):
        inbox.apply_page([entries[0], entries[2]], 3)
    assert inbox.cursor() == 0
    inbox.apply_page(entries, 3)
    assert inbox.cursor() == 3
