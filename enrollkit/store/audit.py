"""Who did what to which record, when: a chain in which a changed or cut row shows.

    hash = SHA-256( "enrollkit/audit/v1" ‖ previous hash ‖ seq ‖ at ‖ operator ‖ action ‖ record )

Numbers are 8 bytes, big endian; texts carry their length. The head travels in every batch's
header, so that a cut tail shows at the server even if this whole file was replaced.
"""

from __future__ import annotations

import hashlib
from typing import Final

from enrollkit.store.database import Tx
from sync.protocol import NO_DIGEST

__all__ = ["append_audit", "audit_head", "verify_audit"]

_PURPOSE: Final = b"enrollkit/audit/v1"


def append_audit(tx: Tx, *, at: int, operator: int, action: str, record: str = "") -> bytes:
    """Add a row and give the new head. ``action`` is a code; no value of a person goes in."""
    seq, previous = _last(tx)
    digest = _digest(previous, seq=seq + 1, at=at, operator=operator, action=action, record=record)
    tx.execute(
        "INSERT INTO audit (seq, at, operator, action, record, previous, hash) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (seq + 1, at, operator, action, record, previous, digest),
    )
    return digest


def audit_head(tx: Tx) -> bytes:
    """Give the newest hash (32 bytes); zeros while the chain is empty."""
    return _last(tx)[1]


def verify_audit(tx: Tx) -> int | None:
    """Give the seq of the first row that is wrong or missing; ``None``: the chain holds.

    The heads that left in batches must be in the chain too, so rows cut from its end are missed.
    """
    expected, previous = 1, NO_DIGEST
    known = {NO_DIGEST}
    rows = tx.execute(
        "SELECT seq, at, operator, action, record, previous, hash FROM audit ORDER BY seq"
    )
    for seq, at, operator, action, record, before, stored in rows:
        digest = _digest(
            previous, seq=expected, at=at, operator=operator, action=action, record=record
        )
        if (seq, bytes(before), bytes(stored)) != (expected, previous, digest):
            return expected
        known.add(digest)
        expected, previous = expected + 1, digest
    heads = tx.execute("SELECT DISTINCT audit_head FROM batches").fetchall()
    return None if all(bytes(head) in known for (head,) in heads) else expected


def _last(tx: Tx) -> tuple[int, bytes]:
    row = tx.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return (0, NO_DIGEST) if row is None else (row[0], bytes(row[1]))


def _digest(
    previous: bytes, *, seq: int, at: int, operator: int, action: str, record: str
) -> bytes:
    digest = hashlib.sha256(_PURPOSE + previous)
    for number in (seq, at, operator):
        digest.update(number.to_bytes(8, "big", signed=True))
    for text in (action, record):
        data = text.encode()
        digest.update(len(data).to_bytes(4, "big") + data)
    return digest.digest()
