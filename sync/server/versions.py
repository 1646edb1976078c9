"""The versions of a person: a chain in which nothing is overwritten, with both parents of a merge.

Laptops number their versions themselves, each counting on from what it saw. The server's own
numbers go up with every version it keeps, so that a laptop's number is never above the server's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, case, insert, select

from sync import wire
from sync.protocol import Operation, Outcome, Verdict
from sync.server.arrival import Arrival
from sync.server.judging import ENROLLING, VERSION_MAX
from sync.server.store import insert_once
from sync.server.store.tables import enrollment_versions, refusals, sealed_ids, witnesses

__all__ = [
    "Version",
    "find_base",
    "is_kept",
    "is_known_to",
    "keep_merged",
    "keep_version",
    "note_refusal",
    "note_witness",
    "version_body",
    "was_all_refused",
]

_REFUSALS_MAX: Final = 64
"""Refused versions in a row that are followed down to what they were made from. Whoever writes on
one that goes back farther waits for a person: nobody can make the server search for hours.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version by the server's number; 0 with an empty body is what was before the first."""

    number: int
    body: Mapping[str, Any] = field(repr=False)


def keep_version(
    connection: Connection, arrival: Arrival, number: int, *, base: int | None = None
) -> None:
    """Keep what a laptop wrote as version ``number``, made from version ``base``."""
    operation = arrival.operation
    connection.execute(
        insert(enrollment_versions).values(
            **_origin(arrival),
            version=number,
            claimed=operation.base_version + 1,
            base_version=base,
            digest=_digest(operation),
            body=_text(operation.body),
        )
    )
    if operation.payload is not None:
        connection.execute(
            insert(sealed_ids).values(
                enrollment=operation.record,
                version=number,
                device=arrival.device,
                capture_session=operation.body["capture_session"],
                sealed=operation.payload,
            )
        )


def keep_merged(
    connection: Connection, arrival: Arrival, merged: Version, *, base: int, merged_from: int
) -> None:
    """Keep a version that was made of two; its sealed number is the one that a parent brought."""
    connection.execute(
        insert(enrollment_versions).values(
            **_origin(arrival),
            version=merged.number,
            claimed=0,
            base_version=base,
            merged_from=merged_from,
            digest=hashlib.sha256(wire.encode([dict(merged.body), None])).digest(),
            body=_text(merged.body),
        )
    )


def is_kept(connection: Connection, operation: Operation) -> bool:
    """Whether this very version, with this content, is kept already."""
    kept = select(enrollment_versions.c.version).where(
        enrollment_versions.c.enrollment == operation.record,
        enrollment_versions.c.claimed == operation.base_version + 1,
        enrollment_versions.c.digest == _digest(operation),
    )
    return connection.execute(kept).first() is not None


def find_base(connection: Connection, arrival: Arrival) -> Version | None:
    """Give the version that the operator saw who wrote a correction; ``None`` while it is not here.

    A laptop means its own version of that number if it wrote one, in this life or another. One that
    was refused stands for what it was made from. Otherwise the number is the server's, told in the
    news; but only a laptop of which everything earlier has arrived can mean that.
    """
    number = arrival.operation.base_version
    own = _newest_own(connection, arrival)
    refused = _refused(connection, arrival)
    lowest = max(0, number - _REFUSALS_MAX)
    while number > lowest:
        if number == own:
            return _own_version(connection, arrival, number)
        if number not in refused:
            record = arrival.operation.record
            return _told_version(connection, record, number) if arrival.in_order else None
        number -= 1
    return Version(number=0, body={}) if not number else None


def version_body(connection: Connection, record: str, number: int) -> dict[str, Any]:
    """Give the body of a version that is known to be there."""
    query = select(enrollment_versions.c.body).where(
        enrollment_versions.c.enrollment == record, enrollment_versions.c.version == number
    )
    body: dict[str, Any] = json.loads(connection.execute(query).scalar_one())
    return body


def note_refusal(connection: Connection, arrival: Arrival, verdict: Verdict) -> None:
    """Note it when a version of a person is refused: the next one is made from it."""
    operation = arrival.operation
    if verdict.outcome is not Outcome.REJECTED or operation.kind not in ENROLLING:
        return
    if operation.base_version > VERSION_MAX:
        return
    row = {
        "device": arrival.device,
        "enrollment": operation.record,
        "version": operation.base_version + 1,
        "base_version": operation.base_version,
    }
    insert_once(connection, refusals, row)


def was_all_refused(connection: Connection, arrival: Arrival) -> bool:
    """Whether every version that this operation goes back to was refused, from the same laptop.

    Of more than ``_REFUSALS_MAX`` of them nobody says so.
    """
    number = arrival.operation.base_version
    return number <= _REFUSALS_MAX and len(_refused(connection, arrival)) == number


def is_known_to(connection: Connection, device: str, record: str) -> bool:
    """Whether a laptop has shown that it holds this person: it wrote a version that is kept, in
    whichever of its lives, or sent one that is kept, whole and to the byte.

    To know a record's id shows nothing.
    """
    wrote = select(enrollment_versions.c.device).where(
        enrollment_versions.c.enrollment == record, enrollment_versions.c.device == device
    )
    showed = select(witnesses.c.device).where(
        witnesses.c.enrollment == record, witnesses.c.device == device
    )
    return any(connection.execute(each.limit(1)).first() for each in (wrote, showed))


def note_witness(connection: Connection, arrival: Arrival) -> None:
    """Note it when a laptop sent a version that is kept already: it holds the person too."""
    row = {"device": arrival.device, "enrollment": arrival.operation.record}
    insert_once(connection, witnesses, row)


def _newest_own(connection: Connection, arrival: Arrival) -> int | None:
    """Give the highest number, up to the base, under which the laptop itself wrote."""
    query = (
        select(enrollment_versions.c.claimed)
        .where(
            enrollment_versions.c.enrollment == arrival.operation.record,
            enrollment_versions.c.device == arrival.device,
            enrollment_versions.c.claimed.between(1, arrival.operation.base_version),
        )
        .order_by(enrollment_versions.c.claimed.desc())
        .limit(1)
    )
    found: int | None = connection.execute(query).scalar_one_or_none()
    return found


def _refused(connection: Connection, arrival: Arrival) -> set[int]:
    """Give which of the versions just below and at the base were refused, in one query.

    A version is always made from the number before it (``note_refusal``).
    """
    base = arrival.operation.base_version
    query = select(refusals.c.version).where(
        refusals.c.device == arrival.device,
        refusals.c.enrollment == arrival.operation.record,
        refusals.c.version.between(max(1, base - _REFUSALS_MAX + 1), base),
    )
    return set(connection.execute(query).scalars())


def _own_version(connection: Connection, arrival: Arrival, number: int) -> Version | None:
    """Give what the laptop itself wrote under a number, of the same life if it can be."""
    query = (
        select(enrollment_versions)
        .where(
            enrollment_versions.c.enrollment == arrival.operation.record,
            enrollment_versions.c.device == arrival.device,
            enrollment_versions.c.claimed == number,
        )
        .order_by(
            case((enrollment_versions.c.life == arrival.life, 0), else_=1),
            enrollment_versions.c.seq.desc(),
        )
        .limit(1)
    )
    return _version(connection.execute(query).one_or_none())


def _told_version(connection: Connection, record: str, number: int) -> Version | None:
    query = select(enrollment_versions).where(
        enrollment_versions.c.enrollment == record, enrollment_versions.c.version == number
    )
    return _version(connection.execute(query).one_or_none())


def _version(row: Row[Any] | None) -> Version | None:
    return None if row is None else Version(number=row.version, body=json.loads(row.body))


def _origin(arrival: Arrival) -> dict[str, Any]:
    operation = arrival.operation
    return {
        "enrollment": operation.record,
        "device": arrival.device,
        "life": arrival.life,
        "seq": operation.seq,
        "operator": operation.operator,
        "captured": operation.captured,
        "received_at": arrival.at,
    }


def _text(body: Mapping[str, Any]) -> str:
    return json.dumps(dict(body), ensure_ascii=False, sort_keys=True)


def _digest(operation: Operation) -> bytes:
    return hashlib.sha256(wire.encode([dict(operation.body), operation.payload])).digest()
