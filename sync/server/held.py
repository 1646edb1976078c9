"""Operations that were held back: kept whole, and tried again when what they wait for arrives.

Batches may come in any order, by any road. A link that overtook its person, or a correction that
overtook the version it corrects, must not need a clerk.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from sync import wire
from sync.protocol import Operation, Outcome
from sync.server.arrival import Apply, Arrival
from sync.server.store.tables import held_operations, operations

__all__ = ["keep_held", "release"]


def keep_held(connection: Connection, arrival: Arrival, *, waits_for: str | None) -> None:
    """Keep an operation whole."""
    operation = arrival.operation
    connection.execute(
        insert(held_operations).values(
            device=arrival.device,
            incarnation=arrival.incarnation,
            batch=arrival.batch,
            seq=operation.seq,
            waits_for=waits_for,
            base_version=operation.base_version,
            body=wire.encode(dict(operation.body)),
            payload=operation.payload,
        )
    )


def release(connection: Connection, record: str, *, at: int, apply: Apply) -> None:
    """Try everything again that waits for a record, and then what waits for that."""
    arrived = deque([record])
    while arrived:
        for row in _waiting(connection, arrived.popleft()):
            arrival = _arrival(row, at)
            decision = apply(connection, arrival)
            if decision.waits_for is not None:
                continue
            verdict = decision.verdict
            mine = _key(operations, row)
            connection.execute(
                update(operations)
                .where(*mine)
                .values(outcome=verdict.outcome.value, code=verdict.code, pointer=verdict.pointer)
            )
            if verdict.outcome is Outcome.HELD:
                _stop_waiting(connection, row)
            else:
                _forget(connection, row)
            if verdict.outcome is Outcome.ACCEPTED:
                arrived.append(arrival.operation.record)


def _waiting(connection: Connection, record: str) -> list[Row[Any]]:
    joined = (
        (held_operations.c.device == operations.c.device)
        & (held_operations.c.incarnation == operations.c.incarnation)
        & (held_operations.c.seq == operations.c.seq)
    )
    waiting = (
        select(
            held_operations,
            operations.c.kind,
            operations.c.record,
            operations.c.operator,
            operations.c.captured,
        )
        .join(operations, joined)
        .where(held_operations.c.waits_for == record)
        .order_by(operations.c.device, operations.c.incarnation, operations.c.seq)
    )
    return list(connection.execute(waiting).all())


def _arrival(row: Row[Any], at: int) -> Arrival:
    return Arrival(
        device=row.device,
        incarnation=row.incarnation,
        batch=row.batch,
        at=at,
        operation=Operation(
            seq=row.seq,
            record=row.record,
            kind=row.kind,
            base_version=row.base_version,
            body=wire.decode(row.body),
            operator=row.operator,
            captured=row.captured,
            payload=row.payload,
        ),
    )


def _key(table: Any, row: Row[Any]) -> tuple[Any, ...]:
    return (
        table.c.device == row.device,
        table.c.incarnation == row.incarnation,
        table.c.batch == row.batch,
        table.c.seq == row.seq,
    )


def _forget(connection: Connection, row: Row[Any]) -> None:
    connection.execute(delete(held_operations).where(*_key(held_operations, row)))


def _stop_waiting(connection: Connection, row: Row[Any]) -> None:
    mine = _key(held_operations, row)
    connection.execute(update(held_operations).where(*mine).values(waits_for=None))
