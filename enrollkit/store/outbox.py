"""The queue of sealed batches: frozen before it is sent, unchanged after, closed by receipts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from enrollkit.domain.enrollment import State
from enrollkit.domain.record_link import LinkState
from enrollkit.errors import NotInitialised
from enrollkit.store.audit import append_audit, audit_head
from enrollkit.store.database import Database, Tx
from enrollkit.store.enrollments import set_state
from enrollkit.store.events import NOBODY
from enrollkit.store.freezing import Trial, fit, next_run
from enrollkit.store.links import set_link_state
from enrollkit.store.meta import Fact, find_text, keep_number, keep_text
from enrollkit.store.receipts import settle_receipt
from sync.dictionaries import CURRENT as CURRENT_DICTIONARY
from sync.errors import ReceiptInvalid, TooLarge
from sync.ports import Clock
from sync.protocol import (
    NO_DIGEST,
    PROTOCOL_VERSION,
    BatchHeader,
    HelloReply,
    Operation,
    Receipt,
    SealedBatch,
)

__all__ = ["Seal", "StoredOutbox", "begin_incarnation"]

Seal: TypeAlias = Callable[[BatchHeader, Sequence[Operation]], SealedBatch]

_BATCHES_PER_CALL_MAX: Final = 1000


def begin_incarnation(tx: Tx, incarnation: str) -> None:
    """Start a life of this device (16 hex digits): at first set-up, or after a cloned disk."""
    keep_text(tx, Fact.INCARNATION, incarnation)


class StoredOutbox:
    """The outbox in the database; satisfies :class:`sync.ports.Outbox`.

    ``seal`` signs for the device and seals to the programme's ingest key ``ingest_key_id``.
    """

    def __init__(
        self, database: Database, *, device: str, ingest_key_id: str, seal: Seal, clock: Clock
    ) -> None:
        self._database = database
        self._device = device
        self._ingest_key_id = ingest_key_id
        self._seal = seal
        self._clock = clock

    def incarnation(self) -> str:
        """Which life of this device is writing (16 hex digits)."""
        return self._database.read(_incarnation)

    def freeze(self) -> int:
        """Seal all waiting operations into batches, each committed on its own; give how many."""
        made = 0
        while self._database.write(self._freeze_next):
            made += 1
        return made

    def chain_head(self) -> tuple[int, bytes]:
        """Give number and digest of the newest batch; ``(0, 32 zero bytes)`` when there is none."""
        return self._database.read(lambda tx: _chain_head(tx, _incarnation(tx)))

    def receipted_upto(self) -> int:
        """Give the number up to which every batch has a verified receipt."""
        return self._database.read(_receipted_upto)

    def batches_after(self, number: int, *, bytes_max: int) -> Sequence[SealedBatch]:
        """Give the batches that follow ``number``, in order, at least one if there is any."""
        return self._database.read(lambda tx: _batches_after(tx, number, bytes_max))

    def note_offered(self, batch: SealedBatch) -> None:
        """Note, before its first byte leaves, that a batch is offered: its records are *sent*.

        A record that was changed after the batch was frozen is not: its newest word stays here.
        """
        now = self._clock.now()
        self._database.write(lambda tx: _note_offered(tx, batch, now))

    def apply_receipt(self, receipt: Receipt, raw: bytes) -> None:
        """Store a verified receipt and its verdicts in one transaction; again changes nothing.

        ``ReceiptInvalid`` for another device or life, an unknown batch, a digest that is not that
        of the stored batch, or verdicts that are not as many as its operations.
        """
        if receipt.device != self._device:
            raise ReceiptInvalid("receipt of another device")
        now = self._clock.now()
        self._database.write(lambda tx: settle_receipt(tx, receipt, raw, at=now))

    def note_contact(self, reply: HelloReply) -> None:
        """Keep what a verified hello taught: epoch, durable mark, server time, approval."""
        if reply.device != self._device:
            raise ReceiptInvalid("hello of another device")
        now = self._clock.now()
        self._database.write(lambda tx: _note_contact(tx, reply, now))

    def _freeze_next(self, tx: Tx) -> bool:
        run = next_run(tx)
        if run is None:
            return False
        incarnation = _incarnation(tx)
        number, digest = _chain_head(tx, incarnation)
        head = audit_head(tx)

        def attempt(operations: Sequence[Operation]) -> SealedBatch | None:
            header = BatchHeader(
                version=PROTOCOL_VERSION,
                device=self._device,
                incarnation=incarnation,
                number=number + 1,
                previous=digest,
                first_seq=operations[0].seq,
                count=len(operations),
                audit_head=head,
                key_id=self._ingest_key_id,
                dictionary=CURRENT_DICTIONARY,
            )
            return _sealed_or_none(self._seal, header, operations)

        _persist(tx, fit(run, attempt), head, self._clock.now())
        return True


def _sealed_or_none(seal: Seal, header: BatchHeader, operations: Sequence[Operation]) -> Trial:
    try:
        return seal(header, operations)
    except TooLarge:
        return None


def _persist(tx: Tx, batch: SealedBatch, head: bytes, now: int) -> None:
    tx.execute(
        "INSERT INTO batches (incarnation, number, digest, data, first_seq, count, audit_head, "
        "frozen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            batch.incarnation, batch.number, batch.digest, batch.data, batch.first_seq,
            batch.count, head, now,
        ),
    )  # fmt: skip
    tx.execute(
        "UPDATE operations SET incarnation = ?, batch = ? WHERE seq >= ? AND seq < ?",
        (batch.incarnation, batch.number, batch.first_seq, batch.first_seq + batch.count),
    )


def _incarnation(tx: Tx) -> str:
    incarnation = find_text(tx, Fact.INCARNATION)
    if incarnation is None:
        raise NotInitialised("no incarnation")
    return incarnation


def _chain_head(tx: Tx, incarnation: str) -> tuple[int, bytes]:
    row = tx.execute(
        "SELECT number, digest FROM batches WHERE incarnation = ? ORDER BY number DESC LIMIT 1",
        (incarnation,),
    ).fetchone()
    return (0, NO_DIGEST) if row is None else (row[0], bytes(row[1]))


def _receipted_upto(tx: Tx) -> int:
    incarnation = _incarnation(tx)
    row = tx.execute(
        "SELECT min(number) FROM batches WHERE incarnation = ? AND receipted_at IS NULL",
        (incarnation,),
    ).fetchone()
    return _chain_head(tx, incarnation)[0] if row[0] is None else int(row[0]) - 1


def _batches_after(tx: Tx, number: int, bytes_max: int) -> list[SealedBatch]:
    rows = tx.execute(
        "SELECT incarnation, number, first_seq, count, digest, data FROM batches "
        "WHERE incarnation = ? AND number > ? ORDER BY number LIMIT ?",
        (_incarnation(tx), number, _BATCHES_PER_CALL_MAX),
    )
    batches: list[SealedBatch] = []
    total = 0
    for row in rows:
        batch = _batch(row)
        total += len(batch.data)
        if batches and total > bytes_max:
            break
        batches.append(batch)
    rows.close()
    return batches


def _batch(row: Any) -> SealedBatch:
    incarnation, number, first_seq, count, digest, data = row
    return SealedBatch(
        incarnation=incarnation,
        number=number,
        first_seq=first_seq,
        count=count,
        digest=bytes(digest),
        data=bytes(data),
    )


def _note_offered(tx: Tx, batch: SealedBatch, now: int) -> None:
    where = (batch.incarnation, batch.number)
    tx.execute(
        "UPDATE batches SET offered_at = ? "
        "WHERE incarnation = ? AND number = ? AND offered_at IS NULL",
        (now, *where),
    )
    newest = "= o.record AND newest_seq = o.seq WHERE o.incarnation = ? AND o.batch = ?"
    people = tx.execute(
        f"SELECT id FROM operations o JOIN enrollments ON id {newest} AND state = ?",  # noqa: S608 - our own text
        (*where, State.SUBMITTED.value),
    )
    for (record,) in people.fetchall():
        set_state(tx, record, State.SENT, at=now, what="sent")
    links = tx.execute(
        f"SELECT id FROM operations o JOIN links ON id {newest} AND state = ?",  # noqa: S608 - our own text
        (*where, LinkState.SUBMITTED.value),
    )
    for (link,) in links.fetchall():
        set_link_state(tx, link, LinkState.SENT, at=now, what="sent")


def _note_contact(tx: Tx, reply: HelloReply, now: int) -> None:
    if reply.incarnation != _incarnation(tx):
        raise ReceiptInvalid("hello of another incarnation")
    if find_text(tx, Fact.DEVICE_STATE) != reply.state.value:
        append_audit(tx, at=now, operator=NOBODY, action=f"device.{reply.state.value}")
    known = find_text(tx, Fact.EPOCH)
    if known is not None and known != reply.epoch:
        append_audit(tx, at=now, operator=NOBODY, action="server.epoch-changed")
    keep_text(tx, Fact.EPOCH, reply.epoch)
    keep_text(tx, Fact.DEVICE_STATE, reply.state.value)
    keep_number(tx, Fact.SERVER_OFFSET, reply.server_time - now)
    keep_number(tx, Fact.LAST_CONTACT, now)
    keep_number(tx, Fact.MINIMUM_VERSION, reply.minimum_version)
    tx.execute(
        "UPDATE batches SET durable = 1 WHERE incarnation = ? AND number <= ? AND durable = 0",
        (reply.incarnation, reply.durable_upto),
    )
