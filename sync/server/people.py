"""What submitting, correcting and withdrawing do to an enrollment.

Identity never merges by itself: a second content under one id, or a correction of a version that
is no longer the newest, is held for a person to look at.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from sync import wire
from sync.protocol import Operation
from sync.server.arrival import Arrival, Decision
from sync.server.judging import ACCEPTED, DUPLICATE, held, rejected
from sync.server.store import insert_once
from sync.server.store.tables import enrollment_versions, enrollments, sealed_ids

__all__ = ["amend", "submit", "withdraw"]

_ACCEPTED_STATE: Final = "ACCEPTED"
_WITHDRAWN_STATE: Final = "WITHDRAWN"


def submit(connection: Connection, arrival: Arrival) -> Decision:
    """Take a new person in, once."""
    operation = arrival.operation
    row = {
        "enrollment": operation.record,
        "device": arrival.device,
        "state": _ACCEPTED_STATE,
        "version": 1,
        "received_at": arrival.at,
    }
    if not insert_once(connection, enrollments, row):
        same = _digest_of(connection, operation.record, 1) == _digest(operation)
        return Decision(verdict=DUPLICATE if same else held("enrollment:differs"))
    _insert_version(connection, arrival, 1)
    return Decision(verdict=ACCEPTED)


def amend(connection: Connection, arrival: Arrival) -> Decision:
    """Take the next version of a person if it was made from the current one."""
    operation = arrival.operation
    current = _current(connection, operation.record)
    if current is None or operation.base_version > current.version:
        return Decision(verdict=held("version:ahead"), waits_for=operation.record)
    if current.state == _WITHDRAWN_STATE:
        return Decision(verdict=held("enrollment:withdrawn"))
    version = operation.base_version + 1
    if operation.base_version < current.version:
        same = _digest_of(connection, operation.record, version) == _digest(operation)
        return Decision(verdict=DUPLICATE if same else held("version:stale"))
    if not _number_is_known(connection, operation):
        return Decision(verdict=rejected("aadhaar:missing", "/aadhaar_last4"))
    _insert_version(connection, arrival, version)
    connection.execute(
        update(enrollments)
        .where(enrollments.c.enrollment == operation.record)
        .values(version=version, state=_ACCEPTED_STATE)
    )
    return Decision(verdict=ACCEPTED)


def withdraw(connection: Connection, arrival: Arrival) -> Decision:
    """Mark a person as withdrawn; it beats every correction, earlier or later."""
    record = arrival.operation.record
    current = _current(connection, record)
    if current is None:
        return Decision(verdict=held("enrollment:unknown"), waits_for=record)
    if current.state == _WITHDRAWN_STATE:
        return Decision(verdict=DUPLICATE)
    mine = enrollments.c.enrollment == record
    connection.execute(update(enrollments).where(mine).values(state=_WITHDRAWN_STATE))
    return Decision(verdict=ACCEPTED)


def _current(connection: Connection, record: str) -> Row[Any] | None:
    mine = select(enrollments).where(enrollments.c.enrollment == record).with_for_update()
    return connection.execute(mine).one_or_none()


def _insert_version(connection: Connection, arrival: Arrival, version: int) -> None:
    operation = arrival.operation
    connection.execute(
        insert(enrollment_versions).values(
            enrollment=operation.record,
            version=version,
            device=arrival.device,
            incarnation=arrival.incarnation,
            seq=operation.seq,
            operator=operation.operator,
            captured=operation.captured,
            received_at=arrival.at,
            digest=_digest(operation),
            body=json.dumps(dict(operation.body), ensure_ascii=False, sort_keys=True),
        )
    )
    if operation.payload is not None:
        connection.execute(
            insert(sealed_ids).values(
                enrollment=operation.record,
                version=version,
                device=arrival.device,
                capture_session=operation.body["capture_session"],
                sealed=operation.payload,
            )
        )


def _number_is_known(connection: Connection, operation: Operation) -> bool:
    """Whether a correction without a sealed number says what the version before it says."""
    if operation.payload is not None or "aadhaar_last4" not in operation.body:
        return True
    before = json.loads(
        connection.execute(
            select(enrollment_versions.c.body).where(
                enrollment_versions.c.enrollment == operation.record,
                enrollment_versions.c.version == operation.base_version,
            )
        ).scalar_one()
    )
    names = ("aadhaar_last4", "capture_session")
    return all(before.get(name) == operation.body[name] for name in names)


def _digest(operation: Operation) -> bytes:
    return hashlib.sha256(wire.encode([dict(operation.body), operation.payload])).digest()


def _digest_of(connection: Connection, record: str, version: int) -> bytes | None:
    found: bytes | None = connection.execute(
        select(enrollment_versions.c.digest).where(
            enrollment_versions.c.enrollment == record,
            enrollment_versions.c.version == version,
        )
    ).scalar_one_or_none()
    return found
