"""Digests that both ends count for themselves: the feed's chain, and the name of a forked life."""

from __future__ import annotations

import hashlib

__all__ = ["fork_life", "next_feed_digest"]


def next_feed_digest(before: bytes, entry_id: str) -> bytes:
    """Give the digest of a feed with one more entry; it starts with ``NO_DIGEST``.

    Two feeds that differ anywhere differ in the digest of everything after it: so a laptop finds
    out that a restored server numbered other news with numbers it knows.
    """
    return hashlib.sha256(before + bytes.fromhex(entry_id)).digest()


def fork_life(device: str, incarnation: str, digest: bytes) -> str:
    """Name the life (16 hex digits) of a chain that branches off with the batch of this digest."""
    whole = b"enrollkit/fork/v1" + bytes.fromhex(device) + bytes.fromhex(incarnation) + digest
    return hashlib.sha256(whole).hexdigest()[:16]
