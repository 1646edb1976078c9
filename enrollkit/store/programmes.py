"""The programme files this laptop has been given, as the signed bytes they came in."""

from __future__ import annotations

from enrollkit.store.database import Tx

__all__ = ["keep_programme", "newest_programme", "newest_serial"]


def keep_programme(tx: Tx, raw: bytes, serial: int, *, at: int) -> bool:
    """Keep a verified programme file if it is newer than all before; say whether it was."""
    if serial <= newest_serial(tx):
        return False
    tx.execute(
        "INSERT INTO programmes (serial, raw, received_at) VALUES (?, ?, ?)", (serial, raw, at)
    )
    return True


def newest_programme(tx: Tx) -> bytes | None:
    """Give the bytes of the newest programme file; ``None`` if there is none."""
    row = tx.execute("SELECT raw FROM programmes ORDER BY serial DESC LIMIT 1").fetchone()
    return None if row is None else bytes(row[0])


def newest_serial(tx: Tx) -> int:
    """Give the serial of the newest programme file; 0 if there is none."""
    row = tx.execute("SELECT max(serial) FROM programmes").fetchone()
    return int(row[0] or 0)
