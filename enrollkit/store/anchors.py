"""The certificates that a supervisor of this laptop added, beside those of the programme."""

from __future__ import annotations

from dataclasses import dataclass

from enrollkit.store.database import Tx

__all__ = ["StoredAnchor", "drop_anchor", "insert_anchor", "stored_anchors"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnchor:
    """A certificate in DER, the words of whoever added it, and when that was."""

    fingerprint: str
    certificate: bytes
    source: str
    added_at: int


def insert_anchor(tx: Tx, anchor: StoredAnchor, *, operator: int) -> bool:
    """Keep a certificate; say whether it was new."""
    row = tx.execute(
        "INSERT INTO anchors (fingerprint, certificate, source, added_at, operator) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
        (anchor.fingerprint, anchor.certificate, anchor.source, anchor.added_at, operator),
    ).fetchone()
    return row is not None


def drop_anchor(tx: Tx, fingerprint: str) -> None:
    """Keep a certificate no more."""
    tx.execute("DELETE FROM anchors WHERE fingerprint = ?", (fingerprint,))


def stored_anchors(tx: Tx) -> list[StoredAnchor]:
    """Give them all."""
    rows = tx.execute(
        "SELECT fingerprint, certificate, source, added_at FROM anchors ORDER BY fingerprint"
    )
    return [
        StoredAnchor(fingerprint=fingerprint, certificate=bytes(data), source=source, added_at=at)
        for fingerprint, data, source, at in rows.fetchall()
    ]
