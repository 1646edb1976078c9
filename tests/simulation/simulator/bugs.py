"""Published bugs, each as a patch of this program that lasts as long as its context."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from sqlalchemy import select

from enrollkit.store import inbox, outbox
from enrollkit.store.database import Tx
from enrollkit.store.freezing import next_run
from enrollkit.store.lock import SyncLock
from enrollkit.store.meta import Fact, keep_number
from enrollkit.store.news import apply_news
from enrollkit.store.operations import OPERATION_COLUMNS, read_operation
from enrollkit.store.receipts import settle_receipt
from sync import wire
from sync.chains import fork_life
from sync.engine import conversation, session
from sync.engine.envelope import DeviceEnvelope
from sync.engine.messages import PushEnded
from sync.errors import EnvelopeInvalid
from sync.merging import Merged
from sync.protocol import Outcome, Receipt
from sync.sealing import read_batch_header, read_unverified
from sync.server import intake, judging, people
from sync.server.lives import main_chain
from sync.server.placing import Place
from sync.server.placing import place as true_place
from sync.server.store.tables import batches as server_batches
from sync.server.store.tables import chains

__all__ = [
    "acknowledge_by_status",
    "check_then_insert",
    "checkpoint_before_documents",
    "cursor_before_page",
    "feed_without_rewind",
    "frozen_anew",
    "last_writer_wins",
    "marked_by_status_not_id",
    "no_new_life_after_restore",
    "one_bad_operation_fails_all",
    "purge_before_durable",
    "receipt_by_number",
    "receipt_without_nonce",
    "receipt_without_signature",
    "server_restore_unseen",
    "sessions_side_by_side",
    "stop_at_the_first_refusal",
]


def acknowledge_by_status() -> AbstractContextManager[Any]:
    """A request that ended without an error counts as delivered."""
    true_push = conversation.Conversation.push

    def push(self: Any, after: int, bytes_max: int) -> Iterator[Any]:
        for event in true_push(self, after, bytes_max):
            if isinstance(event, PushEnded):
                _settle_all(self.ports.outbox, "offered_at IS NOT NULL")
            yield event

    return patch.object(conversation.Conversation, "push", push)


def checkpoint_before_documents() -> AbstractContextManager[Any]:
    """The mark moves when a batch leaves, not when somebody signed for it."""
    true_note = outbox.StoredOutbox.note_offered

    def note_offered(self: Any, batch: Any) -> int:
        count = true_note(self, batch)
        _settle_all(self, f"number = {batch.number}")
        return count

    return patch.object(outbox.StoredOutbox, "note_offered", note_offered)


def cursor_before_page() -> AbstractContextManager[Any]:
    """The cursor is moved first, the news is applied after."""

    def apply_page(self: Any, entries: Sequence[Any], cursor: int) -> None:
        def move(tx: Tx) -> None:
            for entry in entries:
                if entry.seq > inbox._cursor(tx):
                    inbox._mark(tx, entry)
            keep_number(tx, Fact.CURSOR, cursor)

        def apply(tx: Tx) -> None:
            for entry in entries:
                if not inbox._is_known(tx, entry.id):
                    result = apply_news(tx, entry, programme=self._programme, at=0)
                    inbox._keep(tx, entry, result, 0)

        self._database.write(move)
        self._database.write(apply)

    return patch.object(inbox.StoredInbox, "apply_page", apply_page)


@contextmanager
def check_then_insert() -> Iterator[None]:
    """Whether a batch is new is asked before the transaction, and no constraint decides."""
    true_take = intake.Intake.take
    asked: list[bool] = []

    def take(self: Any, data: bytes, nonce: bytes) -> Any:
        digest = hashlib.sha256(data).digest()
        with self._store.read() as connection:
            known = select(server_batches.c.number).where(server_batches.c.digest == digest)
            asked.append(connection.execute(known).first() is not None)
        try:
            return true_take(self, data, nonce)
        finally:
            asked.pop()

    def place(connection: Any, header: Any, digest: bytes, *, now: int) -> Place:
        found = true_place(connection, header, digest, now=now)
        if asked[-1] or found.is_new:
            return found
        life = fork_life(header.device, header.incarnation, digest[::-1])
        chain = replace(main_chain(header.device, header.incarnation), life=life)
        values = {name: getattr(chain, name) for name in chain.__slots__}
        connection.execute(chains.insert().values(values))
        row = {**found.batch._mapping, "life": life}
        batch = connection.execute(
            server_batches.insert().values(row).returning(server_batches)
        ).one()
        return replace(found, batch=batch, life=life, is_new=True)

    with patch.object(intake.Intake, "take", take), patch.object(intake, "place", place):
        yield


def last_writer_wins() -> AbstractContextManager[Any]:
    """A correction replaces whatever was corrected meanwhile."""

    def merge(_base: Any, _current: Any, incoming: Mapping[str, Any]) -> Merged:
        return Merged(body=dict(incoming), conflicts=())

    return patch.object(people, "merge", merge)


def purge_before_durable() -> AbstractContextManager[Any]:
    """A batch is let go when it is signed for, not when it lies in a backup."""

    def settle(tx: Tx, receipt: Receipt, raw: bytes, *, at: int) -> Any:
        tally = settle_receipt(tx, receipt, raw, at=at)
        tx.execute("DROP TRIGGER IF EXISTS batches_stay")
        tx.execute("UPDATE batches SET data = x'' WHERE receipted_at IS NOT NULL")
        return tally

    return patch.object(outbox, "settle_receipt", settle)


def one_bad_operation_fails_all() -> AbstractContextManager[Any]:
    """A batch with an operation that cannot be taken is refused whole."""
    true_judge = judging.judge

    def judge(operation: Any) -> Any:
        verdict = true_judge(operation)
        if verdict is not None and verdict.outcome is Outcome.REJECTED:
            raise EnvelopeInvalid("a bad operation")
        return verdict

    return patch.object(intake, "judge", judge)


def stop_at_the_first_refusal() -> AbstractContextManager[Any]:
    """The queue waits until what was refused is corrected."""

    def run(tx: Tx, *, bulky: bool) -> Any:
        bad = "SELECT 1 FROM operations WHERE verdict = 'rejected'"
        return None if tx.execute(bad).fetchone() else next_run(tx, bulky=bulky)

    return patch.object(outbox, "next_run", run)


def no_new_life_after_restore() -> AbstractContextManager[Any]:
    """A laptop that finds other batches in its place takes them for its own."""
    return _judging(lambda event: replace(event, digest_here=event.reply.held_digest))


def server_restore_unseen() -> AbstractContextManager[Any]:
    """The laptop's own mark hides that the server holds less than it once did."""

    def hide(event: Any) -> Any:
        upto = max(event.reply.held_upto, event.receipted_upto)
        return replace(event, reply=replace(event.reply, held_upto=upto))

    return _judging(hide)


def feed_without_rewind() -> AbstractContextManager[Any]:
    """The news of a restored server is read on from the old cursor."""
    return _judging(lambda event: replace(event, feed_digest_here=event.reply.feed_digest))


@contextmanager
def receipt_by_number() -> Iterator[None]:
    """A receipt settles the batch of its number, whatever bytes and request it is about."""

    def settle(tx: Tx, receipt: Receipt, raw: bytes, *, at: int) -> Any:
        where = (receipt.incarnation, receipt.batch)
        row = tx.execute(
            "SELECT digest, count FROM batches WHERE incarnation = ? AND number = ?", where
        ).fetchone()
        verdicts = (receipt.verdicts * row[1])[: row[1]]
        fitted = replace(receipt, digest=bytes(row[0]), verdicts=verdicts)
        return settle_receipt(tx, fitted, raw, at=at)

    with (
        receipt_without_nonce(),
        patch.object(conversation, "check_offered", lambda _receipt, _offered: None),
        patch.object(conversation, "is_ours", lambda _receipt, _outbox: True),
        patch.object(outbox, "settle_receipt", settle),
    ):
        yield


def receipt_without_nonce() -> AbstractContextManager[Any]:
    """A receipt is believed though it answers another request."""

    def open_receipt(raw: bytes, *, incarnation: str, nonce: bytes, envelope: Any) -> Receipt:
        del incarnation, nonce
        receipt: Receipt = envelope.open_receipt(raw)
        return receipt

    return patch.object(conversation, "open_receipt", open_receipt)


def receipt_without_signature() -> AbstractContextManager[Any]:
    """Whoever writes a receipt is believed."""
    return patch.object(
        DeviceEnvelope,
        "open_receipt",
        lambda _self, raw: wire.decode_receipt(read_unverified(raw)[2]),
    )


def marked_by_status_not_id() -> AbstractContextManager[Any]:
    """A receipt settles all that waits, also what was saved while the batch was on the road."""

    def settle(tx: Tx, receipt: Receipt, raw: bytes, *, at: int) -> Any:
        tally = settle_receipt(tx, receipt, raw, at=at)
        tx.execute("UPDATE operations SET verdict = 'accepted' WHERE verdict IS NULL")
        return tally

    return patch.object(outbox, "settle_receipt", settle)


def frozen_anew() -> AbstractContextManager[Any]:
    """A batch is made again for each try, with other bytes."""
    true_after = outbox.StoredOutbox.batches_after

    def batches_after(self: Any, incarnation: str, number: int, *, bytes_max: int) -> Any:
        found = true_after(self, incarnation, number, bytes_max=bytes_max)
        sql = f"SELECT {OPERATION_COLUMNS} FROM operations WHERE incarnation = ? AND batch = ?"  # noqa: S608 - our own text

        def again(batch: Any) -> Any:
            rows = self._database.read(
                lambda tx: tx.execute(f"{sql} ORDER BY seq", (incarnation, batch.number)).fetchall()
            )
            return self._seal(read_batch_header(batch.data), [read_operation(row) for row in rows])

        return [again(batch) for batch in found]

    return patch.object(outbox.StoredOutbox, "batches_after", batches_after)


def sessions_side_by_side() -> AbstractContextManager[Any]:
    """Nothing keeps a second session of one laptop away."""
    return patch.object(SyncLock, "exclusive", lambda _self: nullcontext())


def _judging(twist: Callable[[Any], Any]) -> AbstractContextManager[Any]:
    """Let the session weigh another answer than the one that came."""
    true_judge = session._judge
    return patch.object(session, "_judge", lambda state, event: true_judge(state, twist(event)))


def _settle_all(stored: Any, where: str) -> None:
    def work(tx: Tx) -> None:
        tx.execute(f"UPDATE batches SET receipted_at = 1 WHERE receipted_at IS NULL AND {where}")  # noqa: S608 - our own text
        tx.execute(
            "UPDATE operations SET verdict = 'accepted' WHERE verdict IS NULL AND EXISTS "
            "(SELECT 1 FROM batches b WHERE b.number = batch AND b.receipted_at IS NOT NULL)"
        )

    stored._database.write(work)
