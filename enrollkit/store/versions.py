"""The versions of an enrollment: what the next is made from, and how the office's is taken.

Two counts run beside each other. ``version`` counts what stood on this laptop, without gaps to the
eye. ``base_version`` of an operation names the server's version that its author saw; it makes the
one after that. They differ once the office wrote a version of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from enrollkit.domain.enrollment import Enrollment
from enrollkit.store.database import Tx
from enrollkit.store.enrollment_rows import StoredEnrollment, keep_version, put_enrollment
from enrollkit.store.events import NOBODY
from sync.protocol import OperationKind, Outcome

__all__ = [
    "agreed_body",
    "is_agreed",
    "next_base",
    "note_server_version",
    "number_to_send",
    "take_version",
]

_WRITING: Final = (
    f"kind IN ('{OperationKind.ENROLLMENT_SUBMIT.value}', '{OperationKind.ENROLLMENT_AMEND.value}')"
)


def next_base(tx: Tx, stored: StoredEnrollment) -> int:
    """Give the server's version that a correction is made from; 0 when it has none of them.

    The server's own word goes first. Otherwise it is the version that our newest operation makes,
    passing over those that were refused: they never made any.
    """
    if stored.server_version is not None:
        return stored.server_version
    rows = tx.execute(
        f"SELECT base_version, verdict FROM operations WHERE record = ? AND {_WRITING} "  # noqa: S608 - our own text
        "ORDER BY seq DESC",
        (stored.enrollment.id,),
    ).fetchall()
    for base, verdict in rows:
        if verdict != Outcome.REJECTED.value:
            return int(base) + 1
    return 0 if rows else stored.enrollment.version


def number_to_send(tx: Tx, stored: StoredEnrollment, base: int) -> bytes | None:
    """Give the sealed number if it has to travel again with a correction made from ``base``.

    ``None``: the server has it, or there is none. ``ValueError`` when the operation that carried
    it was refused and what was sealed then does not fit the version that is made now.
    """
    if stored.sealed is None:
        return None
    row = tx.execute(
        "SELECT base_version, verdict FROM operations WHERE record = ? AND payload = ? "
        "ORDER BY seq DESC LIMIT 1",
        (stored.enrollment.id, stored.sealed),
    ).fetchone()
    if row is None or row[1] != Outcome.REJECTED.value:
        return None
    if row[0] != base:
        raise ValueError("sealed for another version")
    return stored.sealed


def is_agreed(tx: Tx, record: str) -> bool:
    """Whether the server took our newest word on a record, so that nothing of ours is open."""
    row = tx.execute(
        "SELECT verdict FROM operations WHERE record = ?1 "
        "AND seq = (SELECT newest_seq FROM enrollments WHERE id = ?1)",
        (record,),
    ).fetchone()
    return row is None or row[0] in {Outcome.ACCEPTED.value, Outcome.DUPLICATE.value}


def agreed_body(tx: Tx, record: str) -> dict[str, Any] | None:
    """Give the newest body that this laptop and the server both had; ``None`` without one."""
    taken = tx.execute(
        f"SELECT body FROM operations WHERE record = ? AND {_WRITING} "  # noqa: S608 - our own text
        "AND verdict IN (?, ?)",
        (record, Outcome.ACCEPTED.value, Outcome.DUPLICATE.value),
    ).fetchall()
    known = [json.loads(body) for (body,) in taken]
    versions = tx.execute(
        "SELECT body, operator FROM enrollment_versions WHERE id = ? ORDER BY version DESC",
        (record,),
    ).fetchall()
    for text, operator in versions:
        body: dict[str, Any] = json.loads(text)
        if operator == NOBODY or body in known:
            return body
    return None


def take_version(
    tx: Tx,
    before: StoredEnrollment,
    bodies: tuple[Mapping[str, Any], ...],
    *,
    server_version: int,
    match_key: str,
    at: int,
) -> None:
    """Put the server's version in place of ours, and after it what was merged with ours, if any.

    ``bodies`` are the server's own and the merged one, or the server's alone. The state stays.
    """
    record, version = before.enrollment.id, before.enrollment.version
    for place, body in enumerate(bodies):
        version += 1
        enrollment = Enrollment.from_body(body, record_id=record, version=version)
        same = _number(enrollment) == _number(before.enrollment)
        sealed = before.sealed if same else None
        writer = before.operator if place else NOBODY
        keep_version(tx, enrollment, sealed=sealed, saved_at=at, operator=writer)
        put_enrollment(tx, before, enrollment, sealed=sealed, match_key=match_key)
    note_server_version(tx, record, server_version)


def note_server_version(tx: Tx, record: str, server_version: int) -> None:
    """Remember which of the server's versions the next correction is made from."""
    tx.execute("UPDATE enrollments SET server_version = ? WHERE id = ?", (server_version, record))


def _number(enrollment: Enrollment) -> tuple[str | None, str | None]:
    return enrollment.aadhaar_last4, enrollment.capture_session
