"""Receipts, always made anew from what is stored: a lost one costs nothing but asking again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from sync.protocol import NO_DIGEST, Outcome, Receipt, Verdict
from sync.server.store.tables import batches, chains, operations, repeats

__all__ = ["Chain", "advance_chain", "read_chain", "rebuild_receipt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """How far one life of a device is held without a gap, and how much of it is backed up."""

    held_upto: int
    held_digest: bytes
    durable_upto: int


def read_chain(connection: Connection, device: str, incarnation: str) -> Chain:
    """Give the chain of a life; an empty one for a life that nothing came from."""
    mine = (chains.c.device == device, chains.c.incarnation == incarnation)
    row = connection.execute(select(chains).where(*mine).with_for_update()).one_or_none()
    if row is None:
        return Chain(held_upto=0, held_digest=NO_DIGEST, durable_upto=0)
    return Chain(
        held_upto=row.held_upto, held_digest=row.held_digest, durable_upto=row.durable_upto
    )


def advance_chain(connection: Connection, device: str, incarnation: str) -> None:
    """Move the mark over every batch that now follows without a gap."""
    known = read_chain(connection, device, incarnation)
    number, digest = known.held_upto, known.held_digest
    following = select(batches.c.number, batches.c.digest).where(
        batches.c.device == device,
        batches.c.incarnation == incarnation,
        batches.c.number > number,
    )
    for row in connection.execute(following.order_by(batches.c.number)):
        if row.number != number + 1:
            break
        number, digest = row.number, row.digest
    mine = (chains.c.device == device, chains.c.incarnation == incarnation)
    connection.execute(chains.update().where(*mine).values(held_upto=number, held_digest=digest))


def rebuild_receipt(
    connection: Connection, batch: Row[Any], *, epoch: str, nonce: bytes, now: int
) -> Receipt:
    """Make the receipt of a stored batch, with a verdict for each of its operations."""
    chain = read_chain(connection, batch.device, batch.incarnation)
    return Receipt(
        epoch=epoch,
        device=batch.device,
        incarnation=batch.incarnation,
        batch=batch.number,
        digest=batch.digest,
        verdicts=_verdicts(connection, batch),
        durable_upto=chain.durable_upto,
        server_time=now,
        nonce=nonce,
    )


def _verdicts(connection: Connection, batch: Row[Any]) -> tuple[Verdict, ...]:
    own = select(operations).where(
        operations.c.device == batch.device,
        operations.c.incarnation == batch.incarnation,
        operations.c.seq >= batch.first_seq,
        operations.c.seq < batch.first_seq + batch.operation_count,
        operations.c.batch == batch.number,
    )
    again = select(repeats).where(
        repeats.c.device == batch.device,
        repeats.c.incarnation == batch.incarnation,
        repeats.c.batch == batch.number,
    )
    found = {
        row.seq: Verdict(outcome=Outcome(row.outcome), code=row.code, pointer=row.pointer)
        for row in connection.execute(own)
    }
    for row in connection.execute(again):
        found[row.seq] = Verdict(outcome=Outcome(row.outcome), code=row.code)
    return tuple(
        found[seq] for seq in range(batch.first_seq, batch.first_seq + batch.operation_count)
    )
