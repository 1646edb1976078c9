"""Frozen batches as rows: the chain, what follows a number, and what was offered."""

from __future__ import annotations

from typing import Any, Final

from enrollkit.domain.enrollment import State
from enrollkit.domain.record_link import LinkState
from enrollkit.store.database import Tx
from enrollkit.store.enrollments import set_state
from enrollkit.store.links import set_link_state
from sync.protocol import NO_DIGEST, SealedBatch

__all__ = [
    "batches_after",
    "bytes_waiting",
    "chain_head",
    "digest_at",
    "doubt_durable",
    "is_durable",
    "mark_durable",
    "note_offered",
    "persist_batch",
    "receipted_upto",
    "told_count",
    "waiting_count",
    "waiting_since",
]

_BATCHES_PER_CALL_MAX: Final = 1000
_TOLD: Final = "(kind LIKE 'enrollment.%' OR kind LIKE 'link.%')"
"""Operations that people are told counts of; keys and photos are not among them."""

_BYTES_PER_OPERATION: Final = 110
"""What one person costs in a full batch, measured (docs/PERFORMANCE.md)."""
_BATCH_BYTES: Final = 1400
"""What a batch costs beside its content: encapsulated key, signature, header."""


def persist_batch(tx: Tx, batch: SealedBatch, head: bytes, now: int) -> None:
    """Keep a batch, and with it which operations lie in it."""
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


def chain_head(tx: Tx, incarnation: str) -> tuple[int, bytes]:
    """Give number and digest of the newest batch; 0 and zeros when there is none."""
    row = tx.execute(
        "SELECT number, digest FROM batches WHERE incarnation = ? ORDER BY number DESC LIMIT 1",
        (incarnation,),
    ).fetchone()
    return (0, NO_DIGEST) if row is None else (row[0], bytes(row[1]))


def receipted_upto(tx: Tx, incarnation: str) -> int:
    """Give the number up to which every batch of a life has a receipt."""
    row = tx.execute(
        "SELECT min(number) FROM batches WHERE incarnation = ? AND receipted_at IS NULL",
        (incarnation,),
    ).fetchone()
    return chain_head(tx, incarnation)[0] if row[0] is None else int(row[0]) - 1


def batches_after(tx: Tx, incarnation: str, number: int, bytes_max: int) -> list[SealedBatch]:
    """Give a life's batches after ``number``: up to ``bytes_max``, at least one if there is any."""
    rows = tx.execute(
        "SELECT incarnation, number, first_seq, count, digest, data FROM batches "
        "WHERE incarnation = ? AND number > ? ORDER BY number LIMIT ?",
        (incarnation, number, _BATCHES_PER_CALL_MAX),
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


def note_offered(tx: Tx, batch: SealedBatch, now: int) -> int:
    """Note that a batch is offered; its people and links become SENT. Give how many operations."""
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
    return told_count(tx, *where)


def mark_durable(tx: Tx, incarnation: str, upto: int) -> None:
    """Note that the batches up to a number lie in a verified backup of the server."""
    tx.execute(
        "UPDATE batches SET durable = 1 WHERE incarnation = ? AND number <= ? AND durable = 0",
        (incarnation, upto),
    )


def doubt_durable(tx: Tx) -> None:
    """Take back every durable mark: the server was restored, perhaps from before that backup.

    What is kept is offered again where the server lacks it; the marks come again with its word.
    """
    tx.execute("UPDATE batches SET durable = 0 WHERE durable = 1")


def is_durable(tx: Tx, incarnation: str, above: int) -> bool:
    """Whether a batch of a life above a number was said to lie in a verified backup."""
    row = tx.execute(
        "SELECT 1 FROM batches WHERE incarnation = ? AND number > ? AND durable = 1 LIMIT 1",
        (incarnation, above),
    ).fetchone()
    return row is not None


def digest_at(tx: Tx, incarnation: str, number: int) -> bytes | None:
    """Give the digest of one batch; zeros for 0, ``None`` when it was never made."""
    if number == 0:
        return NO_DIGEST
    row = tx.execute(
        "SELECT digest FROM batches WHERE incarnation = ? AND number = ?",
        (incarnation, number),
    ).fetchone()
    return None if row is None else bytes(row[0])


def told_count(tx: Tx, incarnation: str, number: int) -> int:
    """Count the operations on people and links in one batch."""
    row = tx.execute(
        f"SELECT count(*) FROM operations WHERE incarnation = ? AND batch = ? AND {_TOLD}",  # noqa: S608 - our own text
        (incarnation, number),
    ).fetchone()
    return int(row[0])


def waiting_count(tx: Tx) -> int:
    """Count the operations on people and links that have no verified receipt, frozen or not."""
    row = tx.execute(
        f"SELECT count(*) FROM operations WHERE verdict IS NULL AND {_TOLD}"  # noqa: S608 - our own text
    ).fetchone()
    return int(row[0])


def waiting_since(tx: Tx) -> int | None:
    """Give when the oldest word on a person or link without a receipt was saved, as claimed."""
    row = tx.execute(
        f"SELECT captured FROM operations WHERE verdict IS NULL AND {_TOLD} ORDER BY seq LIMIT 1"  # noqa: S608 - our own text
    ).fetchone()
    return None if row is None else int(row[0])


def bytes_waiting(tx: Tx) -> int:
    """Give about how many bytes must travel for all that has no receipt, frozen or not."""
    frozen = tx.execute(
        "SELECT coalesce(sum(length(data)), 0) FROM batches WHERE receipted_at IS NULL"
    ).fetchone()[0]
    unfrozen = tx.execute(
        "SELECT count(*), coalesce(sum(length(payload)), 0) FROM operations WHERE batch IS NULL"
    ).fetchone()
    count, payloads = unfrozen
    return int(frozen + payloads + count * _BYTES_PER_OPERATION + (_BATCH_BYTES if count else 0))
