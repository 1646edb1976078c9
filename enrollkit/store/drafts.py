"""Drafts: what an operator has typed so far, kept at every field that is left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from enrollkit.errors import RecordNotFound
from enrollkit.store.database import Tx
from enrollkit.store.enrollments import Source

__all__ = [
    "Draft",
    "SealedNumber",
    "delete_draft",
    "find_draft_by_source",
    "get_draft",
    "keep_draft",
    "keep_sealed_number",
    "list_drafts",
]

_ROW_BYTES_MAX: Final = 32 * 1024

_COLUMNS: Final = (
    "id, version, row, step, sealed, last4, session, updated, operator, source_name, source_row, "
    "source_digest"
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SealedNumber:
    """A sealed Aadhaar number, its last four digits, and the capture session that sealed it."""

    sealed: bytes
    last4: str
    session: str

    def __repr__(self) -> str:
        return "SealedNumber(<withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Draft:
    """A form in work. ``id`` is the record id of the enrollment to come, ``version`` its version.

    ``row`` has the shape of an intake row, with holes; never an Aadhaar number. ``source`` is the
    line of a file that it came from.
    """

    id: str
    version: int
    row: Mapping[str, Any] = field(default_factory=dict)
    step: str
    number: SealedNumber | None = None
    updated: int
    operator: int
    source: Source | None = None

    def __repr__(self) -> str:
        return f"Draft({self.id}, version={self.version}, <withheld>)"


def keep_draft(tx: Tx, draft: Draft) -> None:
    """Save a draft whole, in place of what it was.

    ``ValueError`` for a row with an Aadhaar number in it, or one that is longer than 32 KiB.
    """
    if draft.row.get("aadhaar") is not None:
        raise ValueError("a draft keeps no Aadhaar number")
    text = json.dumps(dict(draft.row), ensure_ascii=False, separators=(",", ":"))
    if len(text.encode("utf-8", "surrogatepass")) > _ROW_BYTES_MAX:
        raise ValueError("the draft is longer than 32 KiB")
    number, source = draft.number, draft.source
    tx.execute(
        f"INSERT OR REPLACE INTO drafts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - the columns are ours
        (
            draft.id, draft.version, text, draft.step,
            number and number.sealed, number and number.last4, number and number.session,
            draft.updated, draft.operator, source and source.name, source and source.row,
            source and source.digest,
        ),
    )  # fmt: skip


def keep_sealed_number(tx: Tx, draft_id: str, number: SealedNumber | None, *, at: int) -> None:
    """Put a sealed number into a draft, or take it out; ``RecordNotFound`` without the draft."""
    cursor = tx.execute(
        "UPDATE drafts SET sealed = ?, last4 = ?, session = ?, updated = ? WHERE id = ?",
        (
            number and number.sealed, number and number.last4, number and number.session, at,
            draft_id,
        ),
    )  # fmt: skip
    if cursor.rowcount != 1:
        raise RecordNotFound


def get_draft(tx: Tx, draft_id: str) -> Draft:
    """Give a draft; ``RecordNotFound`` if it is not there."""
    found = _select(tx, "WHERE id = ?", (draft_id,))
    if not found:
        raise RecordNotFound
    return found[0]


def find_draft_by_source(tx: Tx, digest: str) -> Draft | None:
    """Give the draft that this very row of a file made already, if any."""
    found = _select(tx, "WHERE source_digest = ?", (digest,))
    return found[0] if found else None


def list_drafts(tx: Tx) -> list[Draft]:
    """Give all drafts, the one touched last first."""
    return _select(tx, "ORDER BY updated DESC, id", ())


def delete_draft(tx: Tx, draft_id: str) -> None:
    """Forget a draft; one that is not there is forgotten already."""
    tx.execute("DELETE FROM drafts WHERE id = ?", (draft_id,))


def _select(tx: Tx, where: str, parameters: tuple[Any, ...]) -> list[Draft]:
    rows = tx.execute(f"SELECT {_COLUMNS} FROM drafts {where}", parameters).fetchall()  # noqa: S608 - both parts are ours
    return [_draft(row) for row in rows]


def _draft(row: Any) -> Draft:
    draft_id, version, text, step, sealed, last4, session, updated, operator = row[:9]
    name, line, digest = row[9:]
    number = None
    if sealed is not None:
        number = SealedNumber(sealed=sealed, last4=last4, session=session)
    return Draft(
        id=draft_id,
        version=version,
        row=json.loads(text),
        step=step,
        number=number,
        updated=updated,
        operator=operator,
        source=Source(name=name, row=line, digest=digest) if digest else None,
    )
