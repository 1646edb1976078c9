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
    "CARRIED_BYTES_OF_ONE_MAX",
    "CarriedFile",
    "add_answer",
    "answers_of",
    "carried_bytes",
    "carried_data",
    "carried_files",
    "drop_answers",
    "drop_refused",
    "forget_delivered",
    "insert_carried",
    "is_carried",
    "note_answered",
    "note_handed",
    "note_refused",
]

CARRIED_BYTES_MAX: Final = 256 * 1024 * 1024
"""Files that wait here for others; past it no more are taken."""
CARRIED_BYTES_OF_ONE_MAX: Final = CARRIED_BYTES_MAX // 4
"""Those of one laptop: nobody fills the room of all others. The largest file fits."""

_KEPT_SECONDS: Final = 30 * 24 * 3600
"""How long an answer stays after it was handed on: that stick may be lost too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedFile:
    """A file of another laptop; its ``size`` is 0 once the server has answered every batch.

    ``refused`` is the code of why the server takes none of it: it is offered to nobody any more.
    """

    digest: str
    device: str
    name: str
    size: int
    operations: int
    answered_at: int | None
    handed_at: int | None
    refused: str | None


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


def carried_bytes(tx: Tx, device: str | None = None) -> int:
    """Give how many bytes of others lie here, or of one of them."""
    row = tx.execute(
        "SELECT coalesce(sum(length(c.data) + (SELECT coalesce(sum(length(a.data)), 0) "
        "FROM carried_answers a WHERE a.digest = c.digest)), 0) FROM carried c "
        "WHERE ?1 IS NULL OR c.device = ?1",
        (device,),
    ).fetchone()
    return int(row[0])


def carried_files(tx: Tx, *, unanswered: bool = False) -> list[CarriedFile]:
    """Give the files in the order in which they were taken, or those that wait for an answer."""
    where = "WHERE answered_at IS NULL" if unanswered else ""
    rows = tx.execute(
        "SELECT digest, device, name, length(data), operations, answered_at, handed_at, refused "  # noqa: S608 - our own text
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
            refused=refused,
        )
        for digest, device, name, size, operations, answered_at, handed_at, refused in rows
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


def note_refused(tx: Tx, digest: str, *, code: str, at: int) -> None:
    """Note that the server will never take this file; it is offered to nobody any more.

    It stays for a while: it may be the only copy, and a stick that brings it again is known.
    """
    tx.execute(
        "UPDATE carried SET answered_at = ?1, handed_at = ?1, refused = ?2 WHERE digest = ?3",
        (at, code, digest),
    )


def drop_refused(tx: Tx) -> None:
    """Let go of the bytes that the server does not want: others need the room."""
    tx.execute("UPDATE carried SET data = x'' WHERE refused IS NOT NULL")


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
