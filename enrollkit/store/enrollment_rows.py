"""An enrollment as a row of its table: written, and read back into domain types."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from enrollkit.domain.enrollment import Enrollment, State
from enrollkit.store.database import Tx
from enrollkit.store.search import index_person

__all__ = [
    "StoredEnrollment",
    "enrollment_text",
    "keep_version",
    "put_enrollment",
    "row_number",
    "select_enrollments",
]

_COLUMNS: Final = (
    "e.id, e.version, e.state, e.body, e.sealed, e.provisional, e.abha_number, e.abha_address, "
    "e.reason_code, e.reason_pointer, e.held, e.saved_at, e.operator, e.source_name, "
    "e.source_row, e.newest_seq, e.server_version, e.call_at"
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StoredEnrollment:
    """An enrollment and where it stands.

    ``sealed`` is the sealed Aadhaar number; ``held`` says that the server signed for it but waits
    for something; ``newest_seq`` is its newest operation (0: none yet);
    ``server_version`` the server's version that the next correction is made from, where the
    office wrote it; ``call_at`` the moment before which calling the person is of no use.
    """

    enrollment: Enrollment
    state: State
    sealed: bytes | None
    provisional: str
    abha_number: str | None
    abha_address: str | None
    reason_code: str | None
    reason_pointer: str | None
    held: bool
    saved_at: int
    operator: int
    source_name: str | None
    source_row: int | None
    newest_seq: int
    server_version: int | None
    call_at: int | None

    def __repr__(self) -> str:
        return f"StoredEnrollment({self.enrollment.id}, {self.state.value}, <withheld>)"


def select_enrollments(tx: Tx, where: str, parameters: tuple[Any, ...]) -> list[StoredEnrollment]:
    """Give the enrollments that a WHERE clause of ours picks; ``e`` is the table."""
    rows = tx.execute(f"SELECT {_COLUMNS} FROM enrollments e {where}", parameters).fetchall()  # noqa: S608 - both parts are ours
    return [_stored(row) for row in rows]


def put_enrollment(
    tx: Tx,
    before: StoredEnrollment,
    enrollment: Enrollment,
    *,
    sealed: bytes | None,
    match_key: str,
) -> None:
    """Put another version into the row, and into the search index; the state stays."""
    tx.execute(
        "UPDATE enrollments SET version = ?, body = ?, sealed = ?, last4 = ?, mobile = ?, "
        "match_key = ?, camp = ? WHERE id = ?",
        (
            enrollment.version, enrollment_text(enrollment), sealed, enrollment.aadhaar_last4,
            enrollment.person.mobile, match_key, enrollment.camp, enrollment.id,
        ),
    )  # fmt: skip
    index_person(tx, row_number(tx, enrollment.id), enrollment, abha_number=before.abha_number)


def keep_version(
    tx: Tx, enrollment: Enrollment, *, sealed: bytes | None, saved_at: int, operator: int
) -> None:
    """Keep one version for ever; ``operator`` is ``NOBODY`` for one that the office wrote."""
    tx.execute(
        "INSERT INTO enrollment_versions (id, version, body, sealed, saved_at, operator) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            enrollment.id, enrollment.version, enrollment_text(enrollment), sealed, saved_at,
            operator,
        ),
    )  # fmt: skip


def row_number(tx: Tx, record: str) -> int:
    """Give the row of a record, which is its row in the search index too."""
    return int(tx.execute("SELECT n FROM enrollments WHERE id = ?", (record,)).fetchone()[0])


def enrollment_text(enrollment: Enrollment) -> str:
    """Write a body as it is kept."""
    return json.dumps(enrollment.body(), ensure_ascii=False, separators=(",", ":"))


def _stored(row: Any) -> StoredEnrollment:
    record, version, state, body, sealed, provisional, number, address, code, pointer = row[:10]
    held, saved_at, operator, source_name, source_row, newest_seq, server_version, call_at = row[
        10:
    ]
    return StoredEnrollment(
        enrollment=Enrollment.from_body(json.loads(body), record_id=record, version=version),
        state=State(state),
        sealed=sealed,
        provisional=provisional,
        abha_number=number,
        abha_address=address,
        reason_code=code,
        reason_pointer=pointer,
        held=bool(held),
        saved_at=saved_at,
        operator=operator,
        source_name=source_name,
        source_row=source_row,
        newest_seq=newest_seq,
        server_version=server_version,
        call_at=call_at,
    )
