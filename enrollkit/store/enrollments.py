"""The enrolled people: saved, found by any of their numbers, moved along the state table only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from enrollkit.domain.enrollment import Enrollment, State, may_become
from enrollkit.domain.identifiers import group_abha_number, parse_provisional_number
from enrollkit.errors import RecordNotFound
from enrollkit.store.database import Tx
from enrollkit.store.enrollment_rows import (
    StoredEnrollment,
    enrollment_text,
    keep_version,
    put_enrollment,
    row_number,
    select_enrollments,
)
from enrollkit.store.events import NOBODY, note_event
from enrollkit.store.search import index_person

__all__ = [
    "Source",
    "StepRefused",
    "StoredEnrollment",
    "all_ids",
    "amend_enrollment",
    "counts_by_state",
    "find_by_match_key",
    "find_by_source",
    "find_enrollment",
    "find_source_row",
    "get_enrollment",
    "insert_enrollment",
    "issue_number",
    "list_calls",
    "list_unsettled",
    "mark_held",
    "mobile_count",
    "release_held",
    "renew_reason",
    "set_state",
    "source_names",
    "state_of",
]

_TWINS_MAX: Final = 50
"""More look-alikes than this help no operator."""


class StepRefused(ValueError):
    """The state table does not allow the step: a mistake of the caller, not of an operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The line of a file that a row came from; ``digest`` (hex) tells the same row again."""

    name: str
    row: int
    digest: str


def insert_enrollment(
    tx: Tx,
    enrollment: Enrollment,
    *,
    sealed: bytes | None,
    match_key: str,
    saved_at: int,
    operator: int,
    source: Source | None = None,
) -> None:
    """Save a new enrollment as SUBMITTED, with its search entry, first version and history."""
    person = enrollment.person
    cursor = tx.execute(
        "INSERT INTO enrollments (id, version, state, body, sealed, last4, provisional, mobile, "
        "match_key, saved_at, operator, camp, source_name, source_row, source_digest) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            enrollment.id, enrollment.version, State.SUBMITTED.value,
            enrollment_text(enrollment), sealed, enrollment.aadhaar_last4, enrollment.provisional,
            person.mobile, match_key, saved_at, operator, enrollment.camp, source and source.name,
            source and source.row, source and source.digest,
        ),
    )  # fmt: skip
    index_person(tx, cursor.lastrowid or 0, enrollment, abha_number=None)
    keep_version(tx, enrollment, sealed=sealed, saved_at=saved_at, operator=operator)
    note_event(tx, enrollment.id, at=saved_at, what="submitted", operator=operator)


def amend_enrollment(
    tx: Tx,
    enrollment: Enrollment,
    *,
    sealed: bytes | None,
    match_key: str,
    saved_at: int,
    operator: int,
) -> None:
    """Save the next version of an enrollment as SUBMITTED; the old body is kept.

    ``StepRefused`` from a state that cannot be corrected, or when the version does not follow.
    """
    before = get_enrollment(tx, enrollment.id)
    waiting = before.state is State.SUBMITTED
    if not waiting and not may_become(before.state, State.SUBMITTED):
        raise StepRefused(f"{before.state} cannot be amended")
    if enrollment.version != before.enrollment.version + 1:
        raise StepRefused(f"version {enrollment.version} after {before.enrollment.version}")
    tx.execute(
        "UPDATE enrollments SET state = ?, reason_code = NULL, reason_pointer = NULL, held = 0, "
        "call_at = NULL, server_version = NULL WHERE id = ?",
        (State.SUBMITTED.value, enrollment.id),
    )
    put_enrollment(tx, before, enrollment, sealed=sealed, match_key=match_key)
    keep_version(tx, enrollment, sealed=sealed, saved_at=saved_at, operator=operator)
    note_event(tx, enrollment.id, at=saved_at, what="amended", operator=operator)


def set_state(
    tx: Tx,
    record: str,
    state: State,
    *,
    at: int,
    what: str,
    operator: int = NOBODY,
    code: str | None = None,
    pointer: str | None = None,
    call_at: int | None = None,
) -> None:
    """Take one step of the state table and note it; ``StepRefused`` if the table has no such step.

    ``code`` and ``pointer`` say why, where somebody has to look at it; ``call_at`` when at the
    earliest the person can be called.
    """
    now = state_of(tx, record)
    if now is None or not may_become(now, state):
        raise StepRefused(f"{now} -> {state}")
    tx.execute(
        "UPDATE enrollments SET state = ?, reason_code = ?, reason_pointer = ?, held = 0, "
        "call_at = ? WHERE id = ?",
        (state.value, code, pointer, call_at, record),
    )
    note_event(tx, record, at=at, what=what, operator=operator, detail=code or "")


def renew_reason(
    tx: Tx, record: str, *, at: int, what: str, code: str, pointer: str, call_at: int | None
) -> None:
    """Write another reason for the state that the record is in, if it is another."""
    stored = get_enrollment(tx, record)
    if (stored.reason_code, stored.reason_pointer, stored.call_at) == (code, pointer, call_at):
        return
    tx.execute(
        "UPDATE enrollments SET reason_code = ?, reason_pointer = ?, call_at = ? WHERE id = ?",
        (code, pointer, call_at, record),
    )
    note_event(tx, record, at=at, what=what, detail=code)


def state_of(tx: Tx, record: str) -> State | None:
    """Give the state of a record; ``None`` if this laptop has no such enrollment."""
    row = tx.execute("SELECT state FROM enrollments WHERE id = ?", (record,)).fetchone()
    return None if row is None else State(row[0])


def mark_held(tx: Tx, record: str, *, at: int, code: str, pointer: str) -> None:
    """Note that the server signed for it but holds it back, and why; the state stays."""
    tx.execute(
        "UPDATE enrollments SET held = 1, reason_code = ?, reason_pointer = ? WHERE id = ?",
        (code, pointer, record),
    )
    note_event(tx, record, at=at, what="held", detail=code)


def release_held(tx: Tx, record: str) -> None:
    """Note that the server holds it back no more."""
    tx.execute(
        "UPDATE enrollments SET held = 0, reason_code = NULL, reason_pointer = NULL WHERE id = ?",
        (record,),
    )


def issue_number(tx: Tx, record: str, *, abha_number: str, abha_address: str | None) -> None:
    """Write the ABHA number and make the person found by it; the state is :func:`set_state`'s."""
    stored = get_enrollment(tx, record)
    tx.execute(
        "UPDATE enrollments SET abha_number = ?, abha_address = ? WHERE id = ?",
        (abha_number, abha_address or stored.abha_address, record),
    )
    index_person(tx, row_number(tx, record), stored.enrollment, abha_number=abha_number)


def get_enrollment(tx: Tx, record: str) -> StoredEnrollment:
    """Give one enrollment by its record id; ``RecordNotFound`` if there is none."""
    found = select_enrollments(tx, "WHERE e.id = ?", (record,))
    if not found:
        raise RecordNotFound
    return found[0]


def find_enrollment(tx: Tx, ident: str) -> StoredEnrollment:
    """Give one enrollment by record id, provisional or ABHA number, in any spelling people use."""
    typed = ident.strip()
    if not typed.isascii():
        # No number of ours or of ABDM's holds another character.
        raise RecordNotFound
    found = select_enrollments(tx, "WHERE e.id = ?", (typed.lower(),))
    provisional = parse_provisional_number(typed)
    if not found and provisional is not None:
        found = select_enrollments(tx, "WHERE e.provisional = ?", (provisional,))
    if not found:
        number = group_abha_number(typed)
        found = select_enrollments(tx, "WHERE e.abha_number = ? ORDER BY e.n LIMIT 1", (number,))
    if not found:
        raise RecordNotFound
    return found[0]


def find_by_match_key(tx: Tx, match_key: str, *, excluding: str | None) -> list[StoredEnrollment]:
    """Give those whose name sounds the same and whose birth fits, except one record."""
    where = "WHERE e.match_key = ? AND e.id IS NOT ? AND e.state <> ? ORDER BY e.n LIMIT ?"
    return select_enrollments(tx, where, (match_key, excluding, State.WITHDRAWN.value, _TWINS_MAX))


def find_by_source(tx: Tx, digest: str) -> StoredEnrollment | None:
    """Give the enrollment that this very row of a file made already, if any."""
    found = select_enrollments(tx, "WHERE e.source_digest = ? ORDER BY e.n LIMIT 1", (digest,))
    return found[0] if found else None


def find_source_row(tx: Tx, name: str, row: int) -> StoredEnrollment | None:
    """Give the person that a line of an enrolled file became, if any."""
    found = select_enrollments(
        tx, "WHERE e.source_name = ? AND e.source_row = ? LIMIT 1", (name, row)
    )
    return found[0] if found else None


def source_names(tx: Tx) -> list[str]:
    """Give the names of the files that people were enrolled from."""
    rows = tx.execute(
        "SELECT DISTINCT source_name FROM enrollments WHERE source_name <> '' ORDER BY source_name"
    )
    return [str(name) for (name,) in rows.fetchall()]


def mobile_count(tx: Tx, mobile: str, *, excluding: str | None) -> int:
    """Count the other people on this laptop who gave this mobile number."""
    row = tx.execute(
        "SELECT count(*) FROM enrollments WHERE mobile = ? AND id IS NOT ? AND state <> ?",
        (mobile, excluding, State.WITHDRAWN.value),
    ).fetchone()
    return int(row[0])


def list_unsettled(tx: Tx) -> list[StoredEnrollment]:
    """Give those who came home for correction, and those whom the office holds back."""
    return select_enrollments(
        tx, "WHERE e.state = ? OR e.held = 1 ORDER BY e.n DESC", (State.RETURNED.value,)
    )


def list_calls(tx: Tx) -> list[StoredEnrollment]:
    """Give those who have to be called; who can be called since longest comes first."""
    where = "WHERE e.state = ? ORDER BY coalesce(e.call_at, 0), e.n"
    return select_enrollments(tx, where, (State.NEEDS_PERSON.value,))


def counts_by_state(tx: Tx) -> dict[State, int]:
    """Count people by state; a state without anybody is absent."""
    rows = tx.execute("SELECT state, count(*) FROM enrollments GROUP BY state").fetchall()
    return {State(state): count for state, count in rows}


def all_ids(tx: Tx) -> list[str]:
    """Give all record ids in the order in which they were saved."""
    return [row[0] for row in tx.execute("SELECT id FROM enrollments ORDER BY n").fetchall()]
