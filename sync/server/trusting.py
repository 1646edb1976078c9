"""The certificates that the office vouches for; laptops check Aadhaar documents with them."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, select

from sync.anchors import (
    ANCHORS_MAX,
    AnchorInvalid,
    TrustAnchor,
    find_anchor,
    load_anchor,
    read_anchor,
)
from sync.server.store import insert_once
from sync.server.store.tables import anchors

__all__ = ["install_anchor", "list_anchors", "remove_anchor"]


def install_anchor(
    connection: Connection, data: bytes, *, source: str, now: int
) -> tuple[TrustAnchor, bool]:
    """Take a certificate from a file's bytes; give it, and whether it was new.

    ``AnchorInvalid`` for a file that holds none, or when there are too many already. The next
    programme carries it to the laptops.
    """
    anchor = read_anchor(data, source=source)
    row = {
        "fingerprint": anchor.fingerprint,
        "certificate": anchor.certificate,
        "source": anchor.source,
        "added_at": now,
    }
    is_new = insert_once(connection, anchors, row)
    if connection.execute(select(func.count()).select_from(anchors)).scalar_one() > ANCHORS_MAX:
        raise AnchorInvalid("too many certificates")
    return anchor, is_new


def list_anchors(connection: Connection) -> list[TrustAnchor]:
    """Give the certificates, the one that ends last first."""
    found = [
        load_anchor(row.certificate, source=row.source)
        for row in connection.execute(select(anchors))
    ]
    return sorted(found, key=lambda anchor: (-anchor.ends, anchor.fingerprint))


def remove_anchor(connection: Connection, fingerprint: str) -> str:
    """Believe a certificate no more; ``AnchorUnknown`` if there is none of that fingerprint."""
    known = list(connection.execute(select(anchors.c.fingerprint)).scalars())
    found = find_anchor(known, fingerprint)
    connection.execute(delete(anchors).where(anchors.c.fingerprint == found))
    return found
