"""What this laptop carries for others: sealed files, opaque here, and the server's answers to them.

An answer is kept item by item as it arrives, so that a line that breaks costs what was in the air
and nothing else. What an item is, its public header says; what it is worth, its origin judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from enrollkit.store.database import Tx

__all__ = [
    "CARRIED_BYTES_MAX",
    "CarriedFile",
    "add_answer",
    "answers_of",
    "carried_bytes",
    "carried_data",
    "carried_files",
    "drop_answers",
    "forget_delivered",
    "insert_carried",
    "is_carried",
    "note_answered",
    "note_handed",
]

CARRIED_BYTES_MAX: Final = 256 * 1024 * 1024
"""Files that wait here for others; past it no more are taken."""

_KEPT_SECONDS: Final = 30 * 24 * 3600
"""How long an answer stays after it was handed on: that stick may be lost too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedFile:
    """A file of another laptop; its ``size`` is 0 once the server has answered every batch."""

    digest: str
    device: str
    name: str
    size: int
    operations: int
    answered_at: int | None
    handed_at: int | None


def insert_carried(
    tx: Tx, *, digest: str, device: str, name: str, data: bytes, operations: int, at: int
) -> None:
    """Take a file along. ``digest`` (hex, SHA-256 of the file) knows it again."""
    tx.execute(
        "INSERT INTO carried (digest, device, name, data, operations, taken_at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (digest, device, name, data, operations, at),
    )


def is_carried(tx: Tx, digest: str) -> bool:
    """Whether this very file was taken before."""
    row = tx.execute("SELECT 1 FROM carried WHERE digest = ?", (digest,)).fetchone()
    return row is not None


def carried_bytes(tx: Tx) -> int:
    """Give how many bytes of others lie here."""
    row = tx.execute(
        "SELECT (SELECT coalesce(sum(length(data)), 0) FROM carried) "
        "+ (SELECT coalesce(sum(length(data)), 0) FROM carried_answers)"
    ).fetchone()
    return int(row[0])


def carried_files(tx: Tx, *, unanswered: bool = False) -> list[CarriedFile]:
    """Give the files in the order in which they were taken, or those that wait for an answer."""
    where = "WHERE answered_at IS NULL" if unanswered else ""
    rows = tx.execute(
        "SELECT digest, device, name, length(data), operations, answered_at, handed_at "  # noqa: S608 - our own text
        f"FROM carried {where} ORDER BY taken_at, rowid"
    ).fetchall()
    return [
        CarriedFile(
            digest=digest,
            device=device,
            name=name,
            size=size,
            operations=operations,
            answered_at=answered_at,
            handed_at=handed_at,
        )
        for digest, device, name, size, operations, answered_at, handed_at in rows
    ]


def carried_data(tx: Tx, digest: str) -> bytes:
    """Give a file's bytes; empty once they were let go."""
    row = tx.execute("SELECT data FROM carried WHERE digest = ?", (digest,)).fetchone()
    return b"" if row is None else bytes(row[0])


def add_answer(tx: Tx, digest: str, data: bytes) -> None:
    """Keep one item of the server's answer behind those that are here."""
    tx.execute(
        "INSERT INTO carried_answers (digest, place, data) SELECT ?1, 1 + coalesce(max(place), 0), "
        "?2 FROM carried_answers WHERE digest = ?1",
        (digest, data),
    )


def answers_of(tx: Tx, digest: str) -> list[tuple[int, bytes]]:
    """Give place and bytes of every item of an answer, as they arrived."""
    rows = tx.execute(
        "SELECT place, data FROM carried_answers WHERE digest = ? ORDER BY place", (digest,)
    )
    return [(int(place), bytes(data)) for place, data in rows.fetchall()]


def drop_answers(tx: Tx, digest: str, places: list[int]) -> None:
    """Let go of items that a newer one stands for."""
    for place in places:
        tx.execute("DELETE FROM carried_answers WHERE digest = ? AND place = ?", (digest, place))


def note_answered(tx: Tx, digest: str, *, whole: bool, at: int) -> None:
    """Note that nothing more is to be had from the server; ``whole``: every batch has a receipt.

    Then the file itself is let go: its origin has it, and the server as well.
    """
    kept = "x''" if whole else "data"
    tx.execute(
        f"UPDATE carried SET answered_at = ?, handed_at = NULL, data = {kept} WHERE digest = ?",  # noqa: S608 - our own text
        (at, digest),
    )


def note_handed(tx: Tx, digest: str, *, at: int) -> None:
    """Note that the answer was written to a stick."""
    tx.execute(
        "UPDATE carried SET handed_at = ? WHERE digest = ? AND handed_at IS NULL", (at, digest)
    )


def forget_delivered(tx: Tx, *, now: int) -> int:
    """Let go of answers that were handed on long ago; give how many files that were."""
    old = (now - _KEPT_SECONDS,)
    tx.execute(
        "DELETE FROM carried_answers WHERE digest IN (SELECT digest FROM carried "
        "WHERE answered_at IS NOT NULL AND handed_at < ?)",
        old,
    )
    cursor = tx.execute("DELETE FROM carried WHERE answered_at IS NOT NULL AND handed_at < ?", old)
    return int(cursor.rowcount)
