"""The queue of sealed batches: frozen before it is sent, unchanged after, closed by receipts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from enrollkit.store.audit import append_audit, audit_head
from enrollkit.store.batches import (
    batches_after,
    bytes_waiting,
    chain_head,
    digest_at,
    doubt_durable,
    is_durable,
    mark_durable,
    note_offered,
    persist_batch,
    receipted_upto,
    waiting_count,
)
from enrollkit.store.clocks import note_server_time
from enrollkit.store.database import Database, Tx
from enrollkit.store.events import NOBODY
from enrollkit.store.freezing import Trial, fit, next_run
from enrollkit.store.lives import begin_life, closed_lives, incarnation_of
from enrollkit.store.meta import Fact, find_text, keep_text
from enrollkit.store.receipts import settle_receipt
from enrollkit.store.sticks import (
    is_newest_hello,
    keep_offer_mark,
    note_answered_hello,
    number_hello,
)
from sync.dictionaries import CURRENT as CURRENT_DICTIONARY
from sync.errors import ReceiptInvalid, TooLarge
from sync.ports import Clock, Randomness, Tally
from sync.protocol import (
    PROTOCOL_VERSION,
    BatchHeader,
    DeviceState,
    HelloReply,
    Operation,
    Receipt,
    SealedBatch,
)

__all__ = ["Seal", "StoredOutbox"]

Seal: TypeAlias = Callable[[BatchHeader, Sequence[Operation]], SealedBatch]

_FIRST_GUESS: Final = 300
"""People that fit into a first batch."""
_PHOTO_BATCHES_MAX: Final = 8
"""Batches of photos frozen at a time: text that comes meanwhile waits for half a megabyte."""
_INCARNATION_BYTES: Final = 8


class StoredOutbox:
    """The outbox in the database; satisfies :class:`sync.ports.Outbox`.

    ``seal`` signs for the device and seals to the programme's ingest key ``ingest_key_id``.
    """

    def __init__(
        self,
        database: Database,
        *,
        device: str,
        ingest_key_id: str,
        seal: Seal,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._database = database
        self._device = device
        self._ingest_key_id = ingest_key_id
        self._seal = seal
        self._clock = clock
        self._randomness = randomness
        self._fitted = _FIRST_GUESS

    def incarnation(self) -> str:
        """Which life of this device is writing (16 hex digits)."""
        return self._database.read(incarnation_of)

    def closed_lives(self) -> Sequence[str]:
        """Give the earlier lives, oldest first, whose batches the server may not keep for good."""
        return self._database.read(closed_lives)

    def begin_life(self) -> str:
        """Close the life that is open and begin another; give its incarnation."""
        incarnation = self._randomness.token(_INCARNATION_BYTES).hex()
        now = self._clock.now()
        self._database.write(lambda tx: begin_life(tx, incarnation, at=now))
        return incarnation

    def freeze(self, *, photos: bool = False) -> int:
        """Seal waiting operations into batches, each committed on its own; give how many.

        All text goes first; with ``photos``, some pieces of photos if no text was waiting.
        """
        made = 0
        while self._database.write(lambda tx: self._freeze_next(tx, bulky=False)):
            made += 1
        if not photos or made:
            return made
        while made < _PHOTO_BATCHES_MAX and self._database.write(
            lambda tx: self._freeze_next(tx, bulky=True)
        ):
            made += 1
        return made

    def chain_head(self, incarnation: str) -> tuple[int, bytes]:
        """Give number and digest of a life's newest batch; ``(0, 32 zero bytes)`` for none."""
        return self._database.read(lambda tx: chain_head(tx, incarnation))

    def receipted_upto(self, incarnation: str) -> int:
        """Give the number up to which every batch of a life has a verified receipt."""
        return self._database.read(lambda tx: receipted_upto(tx, incarnation))

    def digest_at(self, incarnation: str, number: int) -> bytes | None:
        """Give the digest of one batch; 32 zero bytes for 0, ``None`` when it was never made."""
        return self._database.read(lambda tx: digest_at(tx, incarnation, number))

    def waiting(self) -> int:
        """Give how many operations on people and links have no verified receipt yet."""
        return self._database.read(waiting_count)

    def is_approved(self) -> bool:
        """Whether the last verified word of the server said that this device is approved."""
        state = self._database.read(lambda tx: find_text(tx, Fact.DEVICE_STATE))
        return state == DeviceState.APPROVED.value

    def batches_after(
        self, incarnation: str, number: int, *, bytes_max: int
    ) -> Sequence[SealedBatch]:
        """Give a life's batches that follow ``number``, in order, at least one if there is any."""
        return self._database.read(lambda tx: batches_after(tx, incarnation, number, bytes_max))

    def bytes_waiting(self) -> int:
        """Give about how many bytes would have to travel for everything without a receipt."""
        return self._database.read(bytes_waiting)

    def note_offered(self, batch: SealedBatch) -> int:
        """Note, before its first byte leaves, that a batch is offered: its records are *sent*.

        A record that was changed after the batch was frozen is not: its newest word stays here.
        Give how many operations on people and links lie in it.
        """
        now = self._clock.now()
        return self._database.write(lambda tx: note_offered(tx, batch, now))

    def apply_receipt(self, receipt: Receipt, raw: bytes) -> Tally:
        """Store a verified receipt and its verdicts in one transaction; again changes nothing.

        ``ReceiptInvalid`` for another device or life, an unknown batch, a digest that is not that
        of the stored batch, or verdicts that are not as many as its operations. The tally counts
        operations on people and links that had no verdict before.
        """
        if receipt.device != self._device:
            raise ReceiptInvalid("receipt of another device")
        now = self._clock.now()
        return self._database.write(lambda tx: settle_receipt(tx, receipt, raw, at=now))

    def note_contact(self, reply: HelloReply) -> None:
        """Keep what a verified hello taught: epoch, durable mark, server time, approval."""
        if reply.device != self._device:
            raise ReceiptInvalid("hello of another device")
        self._database.write(lambda tx: _note_contact(tx, reply, self._clock))

    def note_letter(self, reply: HelloReply, hello: int) -> bool:
        """Keep what a reply taught that came by stick; say whether it was news.

        ``hello`` is the place of the stick's hello among ours. The reply may have been days on its
        way: it says nothing of this laptop's clock, and it takes nothing back if a later hello was
        answered.
        """
        if reply.device != self._device:
            raise ReceiptInvalid("hello of another device")
        return self._database.write(lambda tx: _note_letter(tx, reply, hello, self._clock.now()))

    def _freeze_next(self, tx: Tx, *, bulky: bool) -> bool:
        run = next_run(tx, bulky=bulky)
        if run is None:
            return False
        incarnation = incarnation_of(tx)
        number, digest = chain_head(tx, incarnation)
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

        batch = fit(run, attempt, guess=self._fitted)
        self._fitted = batch.count
        persist_batch(tx, batch, head, self._clock.now())
        return True


def _sealed_or_none(seal: Seal, header: BatchHeader, operations: Sequence[Operation]) -> Trial:
    try:
        return seal(header, operations)
    except TooLarge:
        return None


def _note_contact(tx: Tx, reply: HelloReply, clock: Clock) -> None:
    _keep_word(tx, reply, clock.now())
    note_answered_hello(tx, number_hello(tx))
    note_server_time(tx, clock, reply.server_time)
    # What the server forgot is offered again in this very session; sticks need not.
    keep_offer_mark(tx, reply.incarnation, None)


def _note_letter(tx: Tx, reply: HelloReply, hello: int, now: int) -> bool:
    if not is_newest_hello(tx, hello):
        return False
    _keep_word(tx, reply, now)
    note_answered_hello(tx, hello)
    return True


def _keep_word(tx: Tx, reply: HelloReply, now: int) -> None:
    if not tx.execute("SELECT 1 FROM lives WHERE incarnation = ?", (reply.incarnation,)).fetchone():
        raise ReceiptInvalid("hello of another incarnation")
    if find_text(tx, Fact.DEVICE_STATE) != reply.state.value:
        append_audit(tx, at=now, operator=NOBODY, action=f"device.{reply.state.value}")
    known = find_text(tx, Fact.EPOCH)
    if known is not None and known != reply.epoch:
        append_audit(tx, at=now, operator=NOBODY, action="server.epoch-changed")
        doubt_durable(tx)
    if is_durable(tx, reply.incarnation, reply.held_upto):
        doubt_durable(tx)
    mark_durable(tx, reply.incarnation, reply.durable_upto)
    keep_text(tx, Fact.EPOCH, reply.epoch)
    keep_text(tx, Fact.DEVICE_STATE, reply.state.value)
