"""Operations that were held back: kept whole, and tried again when what they wait for arrives.

Batches may come in any order, by any road. A link that overtook its person, or a correction that
overtook the version it corrects, must not need a clerk.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from sqlalchemy import Connection, Row, case, delete, insert, select, update

from sync import wire
from sync.protocol import Operation, OperationKind, Outcome
from sync.server.arrival import Apply, Arrival
from sync.server.store.tables import enrollments, held_operations, operations

__all__ = ["WAITING_MAX", "keep_held", "release"]

WAITING_MAX: Final = 64
"""Operations that wait for one record; whatever comes after them is left to a person. Without a
bound one laptop could keep the server busy for hours with a few kilobytes.
"""


def keep_held(connection: Connection, arrival: Arrival, *, waits_for: str | None) -> None:
    """Keep an operation whole. Where too many wait for one record, it is left to a person."""
    operation = arrival.operation
    if waits_for is not None and _are_too_many(connection, waits_for):
        waits_for = None
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
            # What it waited for is there: whatever is said now, it is not tried a third time.
            verdict = apply(connection, arrival).verdict
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


def _are_too_many(connection: Connection, record: str) -> bool:
    waiting = select(held_operations.c.seq).where(held_operations.c.waits_for == record)
    return len(connection.execute(waiting.limit(WAITING_MAX)).all()) == WAITING_MAX


def _waiting(connection: Connection, record: str) -> list[Row[Any]]:
    """Give what waits for a record and can be decided now that the record is as it is."""
    version = (
        select(enrollments.c.version).where(enrollments.c.enrollment == record).scalar_subquery()
    )
    can_be_decided = case(
        (
            operations.c.kind == OperationKind.ENROLLMENT_AMEND.value,
            held_operations.c.base_version <= version,
        ),
        (operations.c.kind == OperationKind.LINK_REMOVE.value, version.is_(None)),
        else_=version.is_not(None),
    )
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
        .where(held_operations.c.waits_for == record, can_be_decided)
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
