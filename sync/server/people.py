"""What submitting, correcting and withdrawing do to an enrollment.

Identity never merges by itself: a second content under one id is held for a person to look at. Two
corrections of one version are brought together field by field, and both are kept.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Row, case, delete, select, update

from sync.merging import Merged, merge
from sync.protocol import Operation, OperationKind
from sync.server.arrival import Arrival, Decision
from sync.server.judging import ACCEPTED, CONFLICT, DUPLICATE, NOT_YOURS, held, rejected
from sync.server.store import insert_once
from sync.server.store.tables import (
    abdm_papers,
    enrollments,
    finishes,
    held_operations,
    link_tokens,
    operations,
)
from sync.server.telling import tell_correction
from sync.server.versions import (
    Version,
    find_base,
    is_kept,
    is_known_to,
    keep_merged,
    keep_version,
    note_witness,
    version_body,
    was_all_refused,
)

__all__ = ["amend", "submit", "withdraw"]

_ACCEPTED_STATE: Final = "ACCEPTED"
_WITHDRAWN_STATE: Final = "WITHDRAWN"
_DIFFERS: Final = "enrollment:differs"


def submit(connection: Connection, arrival: Arrival) -> Decision:
    """Take a new person in, once."""
    if _create(connection, arrival, 1):
        return Decision(verdict=ACCEPTED)
    if is_kept(connection, arrival.operation):
        note_witness(connection, arrival)
        return Decision(verdict=DUPLICATE)
    return Decision(verdict=held(_DIFFERS), waits_for=arrival.operation.record)


def amend(connection: Connection, arrival: Arrival) -> Decision:
    """Take a correction: as the next version, or merged with what others corrected meanwhile.

    Where nothing is there to correct because all that this laptop said before was refused, it is
    the person's first word here. A laptop that never showed that it holds the person corrects
    nothing and is told nothing: to know an id is no right.
    """
    operation = arrival.operation
    current = _current(connection, operation.record)
    if current is None:
        if not was_all_refused(connection, arrival):
            return Decision(verdict=held("version:ahead"), waits_for=operation.record)
        if "aadhaar_last4" in operation.body and operation.payload is None:
            return Decision(verdict=rejected("aadhaar:missing", "/aadhaar_last4"))
        _create(connection, arrival, operation.base_version + 1)
        return Decision(verdict=ACCEPTED)
    decision = _without_base(connection, arrival, current)
    if decision is not None:
        return decision
    base = find_base(connection, arrival)
    if base is None:
        return Decision(verdict=held("version:ahead"), waits_for=operation.record)
    if _is_of_another_submit(connection, arrival):
        return Decision(verdict=held(_DIFFERS), waits_for=operation.record)
    if not _number_is_known(operation, base):
        return Decision(verdict=rejected("aadhaar:missing", "/aadhaar_last4"))
    if base.number == current.version:
        return _follow(connection, arrival, base)
    return _merge(connection, arrival, base, current.version)


def withdraw(connection: Connection, arrival: Arrival) -> Decision:
    """Mark a person as withdrawn; it beats every correction, earlier or later.

    Only a laptop that holds the person can do so.
    """
    record = arrival.operation.record
    current = _current(connection, record)
    if current is None:
        if arrival.in_order and was_all_refused(connection, arrival):
            return Decision(verdict=ACCEPTED)  # nothing of the person was ever taken in
        return Decision(verdict=held("enrollment:unknown"), waits_for=record)
    if not is_known_to(connection, arrival.device, record):
        return _hold_strangers(connection, arrival)
    if current.state == _WITHDRAWN_STATE:
        return Decision(verdict=DUPLICATE)
    mine = enrollments.c.enrollment == record
    connection.execute(update(enrollments).where(mine).values(state=_WITHDRAWN_STATE))
    _forget(connection, record)
    return Decision(verdict=ACCEPTED)


def _forget(connection: Connection, record: str) -> None:
    """Delete what ABDM gave for somebody who withdraws: pictures, tokens, a step half done."""
    for table in (abdm_papers, link_tokens):
        connection.execute(delete(table).where(table.c.enrollment == record))
    mine = finishes.c.enrollment == record
    connection.execute(update(finishes).where(mine).values(secret=None))


def _without_base(connection: Connection, arrival: Arrival, current: Row[Any]) -> Decision | None:
    """Decide what needs no look at the version that was corrected; ``None`` for the rest."""
    if not is_known_to(connection, arrival.device, arrival.operation.record):
        return _hold_strangers(connection, arrival)
    if current.state == _WITHDRAWN_STATE:
        return Decision(verdict=held("enrollment:withdrawn"))
    if is_kept(connection, arrival.operation):
        return Decision(verdict=DUPLICATE)
    return None


def _hold_strangers(connection: Connection, arrival: Arrival) -> Decision:
    """Leave it to the office, unless something earlier may still show that the laptop knows."""
    if _is_of_another_submit(connection, arrival):
        return Decision(verdict=held(_DIFFERS), waits_for=arrival.operation.record)
    waits_for = None if arrival.in_order else arrival.operation.record
    return Decision(verdict=held(NOT_YOURS), waits_for=waits_for)


def _create(connection: Connection, arrival: Arrival, version: int) -> bool:
    row = {
        "enrollment": arrival.operation.record,
        "device": arrival.device,
        "state": _ACCEPTED_STATE,
        "version": version,
        "received_at": arrival.at,
    }
    if not insert_once(connection, enrollments, row):
        return False
    keep_version(connection, arrival, version)
    return True


def _follow(connection: Connection, arrival: Arrival, base: Version) -> Decision:
    """Take a correction of the current version as it is; it settles what was in conflict."""
    number = max(base.number, arrival.operation.base_version) + 1
    keep_version(connection, arrival, number, base=base.number)
    _set_version(connection, arrival, number)
    now = Version(number=number, body=arrival.operation.body)
    tell_correction(connection, arrival, now, before=base.body, conflicts=(), settles=True)
    return Decision(verdict=ACCEPTED, settles=True)


def _merge(connection: Connection, arrival: Arrival, base: Version, current: int) -> Decision:
    """Bring a correction together with what came since the version it corrects."""
    operation = arrival.operation
    before = version_body(connection, operation.record, current)
    merged: Merged = merge(base.body, before, operation.body)
    own = max(current, operation.base_version) + 1
    keep_version(connection, arrival, own, base=base.number or None)
    now = Version(number=own + 1, body=merged.body)
    keep_merged(connection, arrival, now, base=current, merged_from=own)
    _set_version(connection, arrival, now.number)
    tell_correction(connection, arrival, now, before=before, conflicts=merged.conflicts)
    if not merged.undecided:
        return Decision(verdict=ACCEPTED)
    verdict = held(CONFLICT, merged.undecided[0].pointer)
    return Decision(verdict=verdict, waits_for=operation.record)


def _set_version(connection: Connection, arrival: Arrival, version: int) -> None:
    """Make a version the current one. Who has an ABHA number is never asked for again."""
    mine = enrollments.c.enrollment == arrival.operation.record
    has_number = enrollments.c.abha_number.is_not(None)
    state = case((has_number, enrollments.c.state), else_=_ACCEPTED_STATE)
    connection.execute(update(enrollments).where(mine).values(version=version, state=state))


def _current(connection: Connection, record: str) -> Row[Any] | None:
    mine = select(enrollments).where(enrollments.c.enrollment == record).with_for_update()
    return connection.execute(mine).one_or_none()


def _is_of_another_submit(connection: Connection, arrival: Arrival) -> bool:
    """Whether this life's own first word on the person is held because it differs."""
    joined = (
        (held_operations.c.device == operations.c.device)
        & (held_operations.c.life == operations.c.life)
        & (held_operations.c.seq == operations.c.seq)
    )
    query = (
        select(held_operations.c.seq)
        .join(operations, joined)
        .where(
            held_operations.c.waits_for == arrival.operation.record,
            held_operations.c.device == arrival.device,
            held_operations.c.life == arrival.life,
            operations.c.kind == OperationKind.ENROLLMENT_SUBMIT.value,
        )
    )
    return connection.execute(query).first() is not None


def _number_is_known(operation: Operation, base: Version) -> bool:
    """Whether a correction without a sealed number says what the version before it says."""
    if operation.payload is not None or "aadhaar_last4" not in operation.body:
        return True
    names = ("aadhaar_last4", "capture_session")
    return all(base.body.get(name) == operation.body[name] for name in names)
