"""Receipts, always made anew from what is stored: a lost one costs nothing but asking again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from sync.protocol import Outcome, Receipt, Verdict
from sync.server.lives import durable_upto, find_chain, main_chain, trace
from sync.server.store.tables import operations

__all__ = ["rebuild_receipt"]


def rebuild_receipt(
    connection: Connection, batch: Row[Any], *, epoch: str, nonce: bytes, now: int
) -> Receipt:
    """Make the receipt of a stored batch, with a verdict for each of its operations.

    It names the incarnation as the laptop does, whatever life the batch is kept in.
    """
    found = find_chain(connection, batch.device, batch.life)
    chain = found or main_chain(batch.device, batch.life)
    return Receipt(
        epoch=epoch,
        device=batch.device,
        incarnation=chain.incarnation,
        batch=batch.number,
        digest=batch.digest,
        verdicts=_verdicts(connection, batch),
        durable_upto=durable_upto(trace(connection, chain)),
        server_time=now,
        nonce=nonce,
    )


def _verdicts(connection: Connection, batch: Row[Any]) -> tuple[Verdict, ...]:
    own = (
        select(operations)
        .where(
            operations.c.device == batch.device,
            operations.c.life == batch.life,
            operations.c.seq >= batch.first_seq,
            operations.c.seq < batch.first_seq + batch.operation_count,
            operations.c.batch == batch.number,
        )
        .order_by(operations.c.seq)
    )
    return tuple(
        Verdict(outcome=Outcome(row.outcome), code=row.code, pointer=row.pointer)
        for row in connection.execute(own)
    )
