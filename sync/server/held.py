"""Operations that were held back: kept whole, and tried again when what they wait for arrives.

Batches may come in any order, by any road. A link that overtook its person, or a correction that
overtook the version it corrects, must not need a clerk.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Row,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from sync import wire
from sync.protocol import Operation, OperationKind, Outcome, Verdict
from sync.server.arrival import Apply, Arrival, Decision
from sync.server.judging import ACCEPTED, CONFLICT, ENROLLING
from sync.server.store.tables import (
    chains,
    enrollments,
    held_operations,
    operations,
    refusals,
)
from sync.server.telling import tell_verdict
from sync.server.versions import note_refusal

__all__ = ["WAITING_MAX", "keep_held", "opens_way", "records_waiting", "release", "settle"]

WAITING_MAX: Final = 64
"""Operations that wait for one record; whatever comes after them is left to a person. Without a
bound one laptop could keep the server busy for hours with a few kilobytes.
"""

_JOINED: Final = (
    (held_operations.c.device == operations.c.device)
    & (held_operations.c.life == operations.c.life)
    & (held_operations.c.batch == operations.c.batch)
    & (held_operations.c.seq == operations.c.seq)
)


def keep_held(connection: Connection, arrival: Arrival, *, waits_for: str | None) -> None:
    """Keep an operation whole. Where too many wait for one record, it is left to a person."""
    operation = arrival.operation
    if waits_for is not None and _are_too_many(connection, waits_for):
        waits_for = None
    connection.execute(
        insert(held_operations).values(
            device=arrival.device,
            life=arrival.life,
            batch=arrival.batch,
            seq=operation.seq,
            waits_for=waits_for,
            base_version=operation.base_version,
            body=wire.encode(dict(operation.body)),
            payload=operation.payload,
        )
    )


def release(connection: Connection, record: str, *, cause: Arrival, apply: Apply) -> None:
    """Try everything again that waits for a record, and then what waits for that."""
    arrived = deque([record])
    while arrived:
        for row in _waiting(connection, arrived.popleft()):
            arrival = _arrival(row, cause.at)
            decision = apply(connection, arrival)
            _note(connection, arrival, row, decision, cause)
            if decision.verdict.outcome is Outcome.HELD:
                _wait_for(connection, row, decision.waits_for)
            else:
                _forget(connection, row)
            if decision.settles:
                settle(connection, arrival, cause=cause)
            if opens_way(arrival.operation, decision.verdict):
                arrived.append(arrival.operation.record)


def opens_way(operation: Operation, verdict: Verdict) -> bool:
    """Whether others that wait for the operation's record may be decided now.

    A refused version opens the way too: the correction after it may be a person's first word.
    """
    if verdict.outcome is Outcome.REJECTED:
        return operation.kind in ENROLLING
    return verdict.outcome is Outcome.ACCEPTED or verdict.code == CONFLICT


def settle(connection: Connection, arrival: Arrival, *, cause: Arrival) -> None:
    """Close the conflicts about a person that this operation decided: it knew both sides."""
    query = _whole(held_operations.c.waits_for == arrival.operation.record).where(
        operations.c.code == CONFLICT
    )
    for row in connection.execute(query).all():
        _forget(connection, row)
        settled = _arrival(row, cause.at)
        _note(connection, settled, row, Decision(verdict=ACCEPTED), cause)


def records_waiting(
    connection: Connection, device: str, life: str, *, above: int, upto: int
) -> list[str]:
    """Give what is waited for by operations in a run of batches, once each."""
    query = (
        select(held_operations.c.waits_for)
        .distinct()
        .where(
            held_operations.c.device == device,
            held_operations.c.life == life,
            held_operations.c.batch > above,
            held_operations.c.batch <= upto,
            held_operations.c.waits_for.is_not(None),
        )
        .order_by(held_operations.c.waits_for)
    )
    return [str(record) for record in connection.execute(query).scalars()]


def _are_too_many(connection: Connection, record: str) -> bool:
    waiting = select(held_operations.c.seq).where(held_operations.c.waits_for == record)
    return len(connection.execute(waiting.limit(WAITING_MAX)).all()) == WAITING_MAX


def _waiting(connection: Connection, record: str) -> list[Row[Any]]:
    """Give what waits for a record and can be decided now that the record is as it is."""
    query = _whole(held_operations.c.waits_for == record).where(
        operations.c.code != CONFLICT, _can_be_decided(record)
    )
    order = (operations.c.device, operations.c.life, operations.c.seq)
    return list(connection.execute(query.order_by(*order)).all())


def _can_be_decided(record: str) -> Any:
    """Say of which waiting operations something can be said, as a condition of SQL."""
    version = (
        select(enrollments.c.version).where(enrollments.c.enrollment == record).scalar_subquery()
    )
    is_refused = exists().where(
        refusals.c.device == held_operations.c.device,
        refusals.c.enrollment == record,
        refusals.c.version == held_operations.c.base_version,
    )
    kind = operations.c.kind
    return case(
        (
            kind == OperationKind.ENROLLMENT_AMEND.value,
            or_(held_operations.c.base_version <= func.coalesce(version, -1), is_refused),
        ),
        (kind == OperationKind.ENROLLMENT_WITHDRAW.value, or_(version.is_not(None), is_refused)),
        (kind == OperationKind.ENROLLMENT_SUBMIT.value, ~true()),
        else_=true(),
    )


def _whole(condition: Any) -> Any:
    columns = (
        held_operations,
        operations.c.kind,
        operations.c.record,
        operations.c.operator,
        operations.c.captured,
        operations.c.outcome,
        operations.c.code,
        chains.c.held_upto,
    )
    in_life = (chains.c.device == held_operations.c.device) & (
        chains.c.life == held_operations.c.life
    )
    return select(*columns).join(operations, _JOINED).join(chains, in_life).where(condition)


def _arrival(row: Row[Any], at: int) -> Arrival:
    return Arrival(
        device=row.device,
        life=row.life,
        batch=row.batch,
        at=at,
        in_order=row.held_upto >= row.batch,
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


def _note(
    connection: Connection, arrival: Arrival, row: Row[Any], decision: Decision, cause: Arrival
) -> None:
    """Write a new verdict down and tell the laptop; its own batch's receipt tells it anyway."""
    verdict = decision.verdict
    note_refusal(connection, arrival, verdict)
    if (row.outcome, row.code) == (verdict.outcome.value, verdict.code):
        return
    connection.execute(
        update(operations)
        .where(
            operations.c.device == row.device,
            operations.c.life == row.life,
            operations.c.seq == row.seq,
        )
        .values(outcome=verdict.outcome.value, code=verdict.code, pointer=verdict.pointer)
    )
    if (row.device, row.life, row.batch) != (cause.device, cause.life, cause.batch):
        tell_verdict(connection, arrival, verdict)


def _key(row: Row[Any]) -> tuple[Any, ...]:
    return (
        held_operations.c.device == row.device,
        held_operations.c.life == row.life,
        held_operations.c.batch == row.batch,
        held_operations.c.seq == row.seq,
    )


def _forget(connection: Connection, row: Row[Any]) -> None:
    connection.execute(delete(held_operations).where(*_key(row)))


def _wait_for(connection: Connection, row: Row[Any], record: str | None) -> None:
    connection.execute(update(held_operations).where(*_key(row)).values(waits_for=record))
