from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from enrollkit.domain.enrollment import State
from enrollkit.domain.record_link import LinkState
from enrollkit.store.audit import audit_head, verify_audit
from enrollkit.store.database import Database, Tx
from enrollkit.store.enrollments import (
    amend_enrollment,
    get_enrollment,
    set_state,
)
from enrollkit.store.events import history
from enrollkit.store.links import get_link
from enrollkit.store.operations import append_operation, queue_capture_session
from enrollkit.store.standing import standing
from enrollkit.vault.capture_seal import CaptureSession
from store_samples import (
    INCARNATION,
    KEY,
    NOON,
    Ends,
    link,
    new_database,
    person,
    record_id,
    save_link,
    save_person,
)
from sync import capture
from sync.errors import ReceiptInvalid, TooLarge
from sync.protocol import (
    LIMITS,
    DeviceState,
    HelloReply,
    Operation,
    OperationKind,
    Outcome,
    Verdict,
)
from sync.sealing import OpeningKey

ACCEPTED = Verdict(outcome=Outcome.ACCEPTED)
REJECTED = Verdict(outcome=Outcome.REJECTED, code="mobile-overused", pointer="/mobile")
HELD = Verdict(outcome=Outcome.HELD, code="session-key-missing", pointer="")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_database(tmp_path) as opened:
        yield opened


@pytest.fixture
def ends(database: Database) -> Ends:
    return Ends(database)


def enroll(database: Database, *numbers: int) -> None:
    for number in numbers:
        database.write(lambda tx, number=number: save_person(tx, person(number)))


def state(database: Database, number: int) -> State:
    return database.read(lambda tx: get_enrollment(tx, record_id(number))).state


def amend(database: Database, number: int) -> None:
    changed = person(number, version=2, mobile="9876543210")

    def work(tx: Tx) -> None:
        amend_enrollment(tx, changed, sealed=None, match_key="key", saved_at=NOON, operator=1)
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

    database.write(work)


def test_a_batch_opens_at_the_server_as_the_operations_that_were_appended(ends: Ends) -> None:
    enroll(ends.database, 1, 2, 3)
    assert ends.outbox.freeze() == 1
    (batch,) = ends.outbox.batches_after(INCARNATION, 0, bytes_max=10**6)
    header, operations = ends.opened(batch)
    assert [operation.record for operation in operations] == [record_id(n) for n in (1, 2, 3)]
    assert operations[0].body == person(1).body()
    assert [operation.seq for operation in operations] == [1, 2, 3]
    assert header.audit_head == ends.database.read(audit_head)
    assert batch.digest == hashlib.sha256(batch.data).digest()


def test_frozen_bytes_stay_the_same_over_a_restart_and_are_not_frozen_again(ends: Ends) -> None:
    enroll(ends.database, 1)
    ends.outbox.freeze()
    before = ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)
    assert ends.outbox.freeze() == 0
    path = ends.database.path
    ends.database.close()
    with Database.open(path, KEY) as again:
        ends.database = again
        assert list(ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)) == list(before)


def test_every_batch_names_the_digest_of_the_one_before(ends: Ends) -> None:
    for number in range(1, 5):
        enroll(ends.database, number)
        ends.outbox.freeze()
    previous = bytes(32)
    for number, batch in enumerate(
        ends.outbox.batches_after(INCARNATION, 0, bytes_max=10**6), start=1
    ):
        header, _ = ends.opened(batch)
        assert (header.number, header.previous) == (number, previous)
        previous = batch.digest
    assert ends.outbox.chain_head(INCARNATION) == (4, previous)
    assert ends.outbox.digest_at(INCARNATION, 4) == previous
    assert ends.outbox.digest_at(INCARNATION, 0) == bytes(32)
    assert ends.outbox.digest_at(INCARNATION, 5) is None


def test_many_people_are_cut_into_batches_that_are_full_and_never_too_large(ends: Ends) -> None:
    def save_many(tx: Tx) -> None:
        for number in range(1, 601):
            # Hexadecimal text is half random: it does not compress away.
            noise = hashlib.sha512(number.to_bytes(4, "big")).hexdigest()
            address = {**person(1).body()["address"], "line": noise}
            save_person(tx, person(number, address=address))

    ends.database.write(save_many)
    made = ends.outbox.freeze()
    batches = ends.outbox.batches_after(INCARNATION, 0, bytes_max=10**8)
    assert len(batches) == made > 1
    assert all(len(batch.data) <= LIMITS.text_batch_bytes_max for batch in batches)
    assert all(len(batch.data) >= 0.7 * LIMITS.text_batch_bytes_max for batch in batches[:-1])
    assert sum(batch.count for batch in batches) == 600
    firsts = [batch.first_seq for batch in batches]
    assert firsts == [1, *(batch.first_seq + batch.count for batch in batches[:-1])]


def test_pieces_of_photos_travel_in_batches_of_their_own(ends: Ends) -> None:
    def save_all(tx: Tx) -> None:
        save_person(tx, person(1))
        for index in range(2):
            chunk = os.urandom(40_000)
            append_operation(
                tx,
                kind=OperationKind.BLOB_CHUNK,
                record="ab" * 16,
                base_version=0,
                body={"media_type": "image/jpeg", "index": index, "count": 2, "sha256": "0" * 64},
                payload=chunk,
                operator=1,
                captured=NOON,
            )
        save_person(tx, person(2))

    ends.database.write(save_all)
    assert ends.outbox.freeze(photos=True) == 2
    people = ends.outbox.batches_after(INCARNATION, 0, bytes_max=10**6)
    assert [batch.first_seq for batch in people] == [1, 4]
    assert ends.outbox.freeze(photos=True) == 2
    batches = ends.outbox.batches_after(INCARNATION, 0, bytes_max=10**6)
    assert [batch.count for batch in batches] == [1, 1, 1, 1]
    assert all(len(batch.data) <= LIMITS.blob_batch_bytes_max for batch in batches)
    assert ends.outbox.waiting() == 2


def test_an_operation_that_could_never_travel_is_not_saved(ends: Ends) -> None:
    def save_monster(tx: Tx) -> None:
        save_person(tx, person(1))
        append_operation(
            tx,
            kind=OperationKind.BLOB_CHUNK,
            record="ab" * 16,
            base_version=0,
            body={"media_type": "image/jpeg", "index": 0, "count": 1, "sha256": "0" * 64},
            payload=bytes(LIMITS.payload_bytes_max + 1),
            operator=1,
            captured=NOON,
        )

    with pytest.raises(TooLarge):
        ends.database.write(save_monster)
    assert ends.outbox.freeze() == 0
    assert ends.database.read(lambda tx: standing(tx, today_since=0)).total == 0


def test_a_body_that_the_server_would_refuse_is_not_queued_and_not_quoted(ends: Ends) -> None:
    body = {**person(1).body(), "mobile": "not-a-number"}
    with pytest.raises(ValueError, match="/mobile format:mobile") as refused:
        ends.database.write(
            lambda tx: append_operation(
                tx,
                kind=OperationKind.ENROLLMENT_SUBMIT,
                record=record_id(1),
                base_version=0,
                body=body,
                payload=None,
                operator=1,
                captured=NOON,
            )
        )
    assert "not-a-number" not in str(refused.value)


def test_offering_marks_people_and_links_sent_once(ends: Ends) -> None:
    enroll(ends.database, 1)
    ends.database.write(lambda tx: save_link(tx, link(1)))
    ends.outbox.freeze()
    (batch,) = ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)
    assert ends.outbox.note_offered(batch) == 2
    assert ends.outbox.note_offered(batch) == 2
    assert state(ends.database, 1) is State.SENT
    stored = ends.database.read(lambda tx: get_link(tx, link(1).id))
    assert stored.state is LinkState.SENT
    whats = [event.what for event in ends.database.read(lambda tx: history(tx, record_id(1)))]
    assert whats.count("sent") == 1


def test_a_receipt_gives_every_operation_its_verdict(ends: Ends) -> None:
    enroll(ends.database, 1, 2, 3, 4)
    ends.outbox.freeze()
    (batch,) = ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)
    ends.outbox.note_offered(batch)
    verdicts = (ACCEPTED, REJECTED, HELD, Verdict(outcome=Outcome.DUPLICATE))
    tally = ends.outbox.apply_receipt(*ends.receipt(batch, *verdicts))
    assert (tally.accepted, tally.rejected, tally.held, tally.duplicate) == (1, 1, 1, 1)
    states = [state(ends.database, number) for number in (1, 2, 3, 4)]
    assert states == [State.ACCEPTED, State.RETURNED, State.SENT, State.ACCEPTED]
    returned = ends.database.read(lambda tx: get_enrollment(tx, record_id(2)))
    assert (returned.reason_code, returned.reason_pointer) == ("mobile-overused", "/mobile")
    held = ends.database.read(lambda tx: get_enrollment(tx, record_id(3)))
    assert (held.held, held.reason_code) == (True, "session-key-missing")
    counts = ends.database.read(lambda tx: standing(tx, today_since=NOON))
    assert (counts.total, counts.waiting, counts.signed_for, counts.refused) == (4, 0, 3, 1)
    assert (counts.held, counts.returned, counts.today) == (1, 1, 4)
    assert counts.last_receipt_at == NOON
    assert ends.outbox.waiting() == 0
    assert ends.database.read(verify_audit) is None


def test_the_same_receipt_again_changes_nothing(ends: Ends) -> None:
    enroll(ends.database, 1)
    ends.outbox.freeze()
    (batch,) = ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)
    receipt, raw = ends.receipt(batch)
    ends.outbox.apply_receipt(receipt, raw)
    before = ends.database.read(lambda tx: history(tx, record_id(1)))
    ends.clock.seconds += 60
    assert ends.outbox.apply_receipt(receipt, raw).total == 0
    contrary, contrary_raw = ends.receipt(batch, REJECTED)
    assert ends.outbox.apply_receipt(contrary, contrary_raw).total == 0
    assert ends.database.read(lambda tx: history(tx, record_id(1))) == before
    assert state(ends.database, 1) is State.ACCEPTED


def test_a_receipt_that_does_not_fit_its_batch_changes_nothing(ends: Ends) -> None:
    enroll(ends.database, 1, 2)
    ends.outbox.freeze()
    (batch,) = ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)
    wrong = [
        ends.receipt(batch, digest=bytes(32)),
        ends.receipt(batch, ACCEPTED),
        ends.receipt(batch, batch=2),
        ends.receipt(batch, incarnation="22" * 8),
        ends.receipt(batch, device="33" * 8),
    ]
    for receipt, raw in wrong:
        with pytest.raises(ReceiptInvalid):
            ends.outbox.apply_receipt(receipt, raw)
    assert ends.outbox.receipted_upto(INCARNATION) == 0
    assert state(ends.database, 1) is State.SUBMITTED


def test_a_person_changed_after_freezing_is_neither_sent_nor_signed_for(ends: Ends) -> None:
    enroll(ends.database, 1)
    ends.outbox.freeze()
    (batch,) = ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)
    amend(ends.database, 1)
    ends.outbox.note_offered(batch)
    assert state(ends.database, 1) is State.SUBMITTED
    ends.outbox.apply_receipt(*ends.receipt(batch))
    assert state(ends.database, 1) is State.SUBMITTED
    counts = ends.database.read(lambda tx: standing(tx, today_since=0))
    assert (counts.waiting, counts.signed_for) == (1, 0)
    ends.outbox.freeze()
    (second,) = ends.outbox.batches_after(INCARNATION, 1, bytes_max=1)
    ends.outbox.note_offered(second)
    ends.outbox.apply_receipt(*ends.receipt(second))
    assert state(ends.database, 1) is State.ACCEPTED
    counts = ends.database.read(lambda tx: standing(tx, today_since=0))
    assert (counts.waiting, counts.signed_for) == (0, 1)


def test_a_refusal_of_an_older_version_does_not_return_the_corrected_one(ends: Ends) -> None:
    enroll(ends.database, 1)
    ends.outbox.freeze()
    (batch,) = ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)
    amend(ends.database, 1)
    ends.outbox.apply_receipt(*ends.receipt(batch, REJECTED))
    assert state(ends.database, 1) is State.SUBMITTED
    whats = [event.what for event in ends.database.read(lambda tx: history(tx, record_id(1)))]
    assert whats[-1] == "rejected-earlier"


def test_a_verdict_on_somebody_who_withdrew_is_history_only(ends: Ends) -> None:
    enroll(ends.database, 1)
    ends.outbox.freeze()
    (batch,) = ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)
    ends.database.write(
        lambda tx: set_state(tx, record_id(1), State.WITHDRAWN, at=NOON, what="withdrawn")
    )
    ends.outbox.apply_receipt(*ends.receipt(batch))
    assert state(ends.database, 1) is State.WITHDRAWN


def test_durable_counts_people_in_a_backed_up_batch_only(ends: Ends) -> None:
    for number in (1, 2):
        enroll(ends.database, number)
        ends.outbox.freeze()
    first, second = ends.outbox.batches_after(INCARNATION, 0, bytes_max=10**6)
    ends.outbox.apply_receipt(*ends.receipt(second, durable_upto=1))
    counts = ends.database.read(lambda tx: standing(tx, today_since=0))
    assert (counts.signed_for, counts.durable) == (1, 0)
    assert ends.outbox.receipted_upto(INCARNATION) == 0
    ends.outbox.apply_receipt(*ends.receipt(first, durable_upto=1))
    counts = ends.database.read(lambda tx: standing(tx, today_since=0))
    assert (counts.signed_for, counts.durable) == (2, 1)
    assert ends.outbox.receipted_upto(INCARNATION) == 2


def test_a_contact_tells_approval_and_the_durable_mark(ends: Ends) -> None:
    enroll(ends.database, 1)
    ends.outbox.freeze()
    (batch,) = ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)
    ends.outbox.apply_receipt(*ends.receipt(batch))
    assert not ends.outbox.is_approved()
    ends.outbox.note_contact(
        HelloReply(
            version=1,
            minimum_version=1,
            state=DeviceState.APPROVED,
            epoch="e0" * 8,
            device=ends.device.public.id,
            incarnation=batch.incarnation,
            held_upto=1,
            held_digest=batch.digest,
            durable_upto=1,
            feed_head=0,
            feed_digest=bytes(32),
            programme_serial=1,
            server_time=NOON + 5,
            nonce=bytes(16),
        )
    )
    assert ends.outbox.is_approved()
    assert ends.database.read(lambda tx: standing(tx, today_since=0)).durable == 1


def test_a_capture_session_travels_once_and_opens_the_number(ends: Ends) -> None:
    vault = OpeningKey.generate()
    session = CaptureSession(vault.public)
    sealed = session.seal("999997899787", record_id(1), 1)

    def save(tx: Tx) -> None:
        queue_capture_session(tx, session.sealed_key, operator=1, at=NOON)
        queue_capture_session(tx, session.sealed_key, operator=1, at=NOON)
        save_person(tx, person(1))

    ends.database.write(save)
    ends.outbox.freeze()
    (batch,) = ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)
    _, operations = ends.opened(batch)
    kinds = [operation.kind for operation in operations]
    assert kinds == ["blob.chunk", "enrollment.submit"]
    chunk: Operation = operations[0]
    assert chunk.record == capture.record_of(chunk.payload or b"")
    key = capture.open_session_key(chunk.payload or b"", vault)
    number = capture.open_number(key, sealed, record_id=record_id(1), version=1)
    assert number == "999997899787"
    assert ends.outbox.waiting() == 1


def test_a_closed_life_keeps_its_batches_and_the_next_one_its_own_numbers(ends: Ends) -> None:
    enroll(ends.database, 1)
    ends.outbox.freeze()
    (old,) = ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)
    life = ends.outbox.begin_life()
    assert life != INCARNATION
    enroll(ends.database, 2)
    ends.outbox.freeze()
    (new,) = ends.outbox.batches_after(life, 0, bytes_max=1)
    assert (new.incarnation, new.number, new.first_seq) == (life, 1, old.first_seq + old.count)
    assert ends.opened(new)[0].previous == bytes(32)
    assert ends.outbox.closed_lives() == [INCARNATION]
    assert list(ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)) == [old]
    assert ends.outbox.waiting() == 2


def test_a_closed_life_is_done_with_when_the_server_keeps_it_for_good(ends: Ends) -> None:
    enroll(ends.database, 1)
    ends.outbox.freeze()
    (old,) = ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)
    ends.outbox.begin_life()
    ends.outbox.apply_receipt(*ends.receipt(old))
    assert ends.outbox.closed_lives() == [INCARNATION]
    ends.outbox.apply_receipt(*ends.receipt(old, durable_upto=1))
    assert ends.outbox.closed_lives() == []


def contact(ends: Ends, **changes: Any) -> HelloReply:
    values: dict[str, Any] = {
        "version": 1, "minimum_version": 1, "state": DeviceState.APPROVED, "epoch": "e0" * 8,
        "device": ends.device.public.id, "incarnation": INCARNATION, "held_upto": 1,
        "held_digest": bytes(32), "durable_upto": 1, "feed_head": 0, "feed_digest": bytes(32),
        "programme_serial": 1, "server_time": NOON, "nonce": bytes(16),
    }  # fmt: skip
    return HelloReply(**(values | changes))


@pytest.mark.parametrize("changes", [{"epoch": "e1" * 8}, {"held_upto": 0}], ids=["epoch", "holds"])
def test_a_server_restored_from_before_its_own_backup_is_offered_closed_lives_again(
    ends: Ends, changes: dict[str, Any]
) -> None:
    enroll(ends.database, 1)
    ends.outbox.freeze()
    (old,) = ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)
    ends.outbox.begin_life()
    ends.outbox.apply_receipt(*ends.receipt(old))
    ends.outbox.note_contact(contact(ends))
    assert ends.outbox.closed_lives() == []
    ends.outbox.note_contact(contact(ends, durable_upto=0, **changes))
    assert ends.outbox.closed_lives() == [INCARNATION]
