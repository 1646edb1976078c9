"""What the office did to a record that this laptop made: a version of its own, a later verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import schemas
from enrollkit.domain.enrollment import Enrollment, State, may_become
from enrollkit.domain.matching import Likeness, match_key
from enrollkit.store.audit import append_audit
from enrollkit.store.database import Tx
from enrollkit.store.enrollment_rows import StoredEnrollment
from enrollkit.store.enrollments import get_enrollment, set_state, state_of
from enrollkit.store.events import NOBODY, note_event
from enrollkit.store.other_values import drop_other_values, keep_other_values
from enrollkit.store.verdicts import clean_pointer, settle_operation
from enrollkit.store.versions import (
    agreed_body,
    is_agreed,
    note_server_version,
    take_version,
)
from sync.merging import Conflict, FieldClass, Merged, merge
from sync.protocol import FeedEntry, Outcome, Verdict

__all__ = ["CONFLICT", "apply_correction", "apply_later_verdict"]

CONFLICT: Final = "conflict"
"""The reason of a record on which both sides wrote in the same field."""


def apply_later_verdict(tx: Tx, entry: FeedEntry, *, at: int) -> bool:
    """Apply the verdict on an operation that was held; ``False`` when it is none of ours."""
    body = entry.body
    row = tx.execute(
        "SELECT kind, verdict FROM operations WHERE seq = ? AND incarnation = ? AND record = ?",
        (body["seq"], body["incarnation"], entry.record),
    ).fetchone()
    if row is None:
        return False
    kind, told_before = row
    verdict = Verdict(
        outcome=Outcome(body["outcome"]),
        code=body.get("code", ""),
        pointer=body.get("pointer", ""),
    )
    record = entry.record or ""
    settle_operation(
        tx, body["seq"], record, kind, verdict, at=entry.at, is_later=told_before is not None
    )
    append_audit(tx, at=at, operator=NOBODY, action="news.verdict", record=record)
    return True


def apply_correction(tx: Tx, entry: FeedEntry, *, at: int) -> bool | None:
    """Take the server's version of a record, or keep both where they disagree.

    ``None`` when this laptop has no such record; ``False`` when nothing can be changed any more,
    or the body is none that this laptop can hold.
    """
    record = entry.record or ""
    now = state_of(tx, record)
    if now is None:
        return None
    theirs = entry.body["body"]
    if now is State.WITHDRAWN or not schemas.validator("enrollment-1").is_valid(theirs):
        note_event(tx, record, at=entry.at, what="correction-late")
        return False
    before = get_enrollment(tx, record)
    open_fields = _bring_in(tx, before, entry, at=at)
    if open_fields:
        _return(tx, before, open_fields, at=entry.at)
    elif before.state is State.RETURNED and before.reason_code == CONFLICT:
        drop_other_values(tx, record)
        set_state(tx, record, State.ACCEPTED, at=entry.at, what="settled")
    append_audit(tx, at=at, operator=NOBODY, action="news.correction", record=record)
    return True


def _bring_in(tx: Tx, before: StoredEnrollment, entry: FeedEntry, *, at: int) -> tuple[str, ...]:
    """Put the server's version in place, merged with what it does not have yet of ours.

    Give the pointers of the fields in which both wrote; our value stays there.
    """
    record, server_version = before.enrollment.id, entry.body["version"]
    ours, theirs = before.enrollment.body(), entry.body["body"]
    if ours == theirs:
        note_server_version(tx, record, server_version)
        note_event(tx, record, at=entry.at, what="correction")
        return ()
    merged = _merged(tx, record, ours, entry)
    body = theirs if merged is None else merged.body
    conflicts: tuple[Conflict, ...] = () if merged is None else merged.conflicts
    bodies = (theirs,) if merged is None else (theirs, body)
    take_version(
        tx, before, bodies, server_version=server_version, match_key=_match_key(before, body), at=at
    )
    others = {each.pointer: each.current for each in conflicts}
    keep_other_values(tx, record, others, at=entry.at)
    note_event(tx, record, at=entry.at, what="correction")
    return tuple(others)


def _merged(tx: Tx, record: str, ours: Mapping[str, Any], entry: FeedEntry) -> Merged | None:
    """Merge with what is open here; ``None`` when the server's version is all there is.

    Our words are still on their way to the server, so they are what comes in. In a conflict they
    stay here all the same, until the operator decides.
    """
    told = _told_conflicts(entry)
    if not told and is_agreed(tx, record):
        return None
    theirs: Mapping[str, Any] = entry.body["body"]
    base = agreed_body(tx, record)
    return merge(base, theirs, ours, disputed=told, yielding=tuple(FieldClass))


def _return(tx: Tx, before: StoredEnrollment, open_fields: tuple[str, ...], *, at: int) -> None:
    """Bring the record home for a decision; from a state without that step it is history."""
    record = before.enrollment.id
    if before.state is State.RETURNED:
        tx.execute(
            "UPDATE enrollments SET reason_code = ?, reason_pointer = ? WHERE id = ?",
            (CONFLICT, open_fields[0], record),
        )
    elif may_become(before.state, State.RETURNED):
        set_state(
            tx, record, State.RETURNED, at=at, what="conflict", code=CONFLICT,
            pointer=open_fields[0],
        )  # fmt: skip
    else:
        note_event(tx, record, at=at, what="conflict-late")


def _told_conflicts(entry: FeedEntry) -> list[str]:
    conflicts: list[Mapping[str, Any]] = list(entry.body["conflicts"])
    return [clean_pointer(str(one["pointer"])) for one in conflicts]


def _match_key(before: StoredEnrollment, body: Mapping[str, Any]) -> str:
    enrollment = Enrollment.from_body(
        body, record_id=before.enrollment.id, version=before.enrollment.version
    )
    return match_key(
        Likeness.of(enrollment.person, ident=enrollment.id, aadhaar_last4=enrollment.aadhaar_last4)
    )
