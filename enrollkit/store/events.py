"""The history of one record, for its page: what happened when, codes and no values."""

from __future__ import annotations

from dataclasses import dataclass

from enrollkit.store.database import Tx

__all__ = ["NOBODY", "StoredEvent", "history", "last_time", "note_event"]

NOBODY = 0
"""The operator of what the machine or the server did; slots count from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """``what`` is a code such as ``submitted`` or ``issued``; ``detail`` another, or empty."""

    at: int
    what: str
    operator: int
    detail: str


def note_event(
    tx: Tx, record: str, *, at: int, what: str, operator: int = NOBODY, detail: str = ""
) -> None:
    """Add to a record's history."""
    tx.execute(
        "INSERT INTO events (record, at, what, operator, detail) VALUES (?, ?, ?, ?, ?)",
        (record, at, what, operator, detail),
    )


def history(tx: Tx, record: str) -> list[StoredEvent]:
    """Give a record's history in the order in which it was written."""
    rows = tx.execute(
        "SELECT at, what, operator, detail FROM events WHERE record = ? ORDER BY n", (record,)
    )
    return [
        StoredEvent(at=at, what=what, operator=operator, detail=detail)
        for at, what, operator, detail in rows.fetchall()
    ]


def last_time(tx: Tx, record: str, *, what: str) -> int | None:
    """Give when that happened to a record last; ``None`` if it never did."""
    row = tx.execute(
        "SELECT at FROM events WHERE record = ? AND what = ? ORDER BY n DESC LIMIT 1",
        (record, what),
    ).fetchone()
    return None if row is None else int(row[0])
