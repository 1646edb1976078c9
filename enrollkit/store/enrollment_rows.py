"""An enrollment as a row of its table, read back into domain types."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from enrollkit.domain.enrollment import Enrollment, State
from enrollkit.store.database import Tx

__all__ = ["StoredEnrollment", "select_enrollments"]

_COLUMNS: Final = (
    "e.id, e.version, e.state, e.body, e.sealed, e.provisional, e.abha_number, e.abha_address, "
    "e.reason_code, e.reason_pointer, e.held, e.saved_at, e.operator, e.source_name, "
    "e.source_row, e.newest_seq"
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StoredEnrollment:
    """An enrollment and where it stands.

    ``sealed`` is the sealed Aadhaar number; ``held`` says that the server signed for it but waits
    for something; ``newest_seq`` is its newest operation (0: none yet).
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

    def __repr__(self) -> str:
        return f"StoredEnrollment({self.enrollment.id}, {self.state.value}, <withheld>)"


def select_enrollments(tx: Tx, where: str, parameters: tuple[Any, ...]) -> list[StoredEnrollment]:
    """Give the enrollments that a WHERE clause of ours picks; ``e`` is the table."""
    rows = tx.execute(f"SELECT {_COLUMNS} FROM enrollments e {where}", parameters).fetchall()  # noqa: S608 - both parts are ours
    return [_stored(row) for row in rows]


def _stored(row: Any) -> StoredEnrollment:
    record, version, state, body, sealed, provisional, number, address, code, pointer = row[:10]
    held, saved_at, operator, source_name, source_row, newest_seq = row[10:]
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
    )
