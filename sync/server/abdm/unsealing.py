"""Opening one sealed Aadhaar number, for one call: the only place where the vault key is used so.

The number comes into bytes that are overwritten after the call. Python promises no more than that:
what a library copies on its way is not ours to clear.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from sync.capture import (
    MEDIA_TYPE,
    NUMBER_BYTES,
    open_number_into,
    open_session_key,
)
from sync.errors import EnvelopeInvalid
from sync.sealing import OpeningKey
from sync.server.store.tables import blobs, chunks, enrollment_versions, sealed_ids

__all__ = ["KeyMissing", "NumberUnusable", "SealedNumber", "find_mark", "find_number", "opened"]

_AFTER_HEX: Final = "g"
"""Comes after every hexadecimal digit: names that begin with a session's id lie below it."""


class KeyMissing(Exception):
    """The capture session's key has not arrived yet; a laptop sends it before what needs it, but
    batches may overtake each other.
    """


class NumberUnusable(Exception):
    """There is no sealed number, or it is not what its version says: it must be typed again."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SealedNumber:
    """A sealed number with all that opens it but the vault's key; ``version`` it is bound to."""

    enrollment: str
    version: int
    sealed: bytes
    sealed_key: bytes
    last4: str

    @property
    def mark(self) -> str:
        """Tells this sealed number from every other one, and nothing about what is in it."""
        return hashlib.sha256(self.sealed).hexdigest()


def find_number(
    connection: Connection, enrollment: str, version: int, body: Mapping[str, Any]
) -> SealedNumber:
    """Find the sealed number of a version; ``KeyMissing`` or ``NumberUnusable`` if there is none.

    A version that brought none means the newest one before it of the same capture session: all
    earlier versions are those that it was made of. The seal is bound to the number that the laptop
    gave its own version (``claimed``).
    """
    session = body["capture_session"]
    joined = (enrollment_versions.c.enrollment == sealed_ids.c.enrollment) & (
        enrollment_versions.c.version == sealed_ids.c.version
    )
    newest = (
        select(sealed_ids.c.sealed, sealed_ids.c.device, enrollment_versions.c.claimed)
        .join(enrollment_versions, joined)
        .where(
            sealed_ids.c.enrollment == enrollment,
            sealed_ids.c.version <= version,
            sealed_ids.c.capture_session == session,
        )
        .order_by(sealed_ids.c.version.desc())
        .limit(1)
    )
    row = connection.execute(newest).one_or_none()
    if row is None:
        raise NumberUnusable("missing")
    return SealedNumber(
        enrollment=enrollment,
        version=row.claimed,
        sealed=row.sealed,
        sealed_key=_session_key(connection, session, row.device),
        last4=body["aadhaar_last4"],
    )


def find_mark(
    connection: Connection, enrollment: str, version: int, body: Mapping[str, Any]
) -> str:
    """Say which sealed number a version has, without opening it; empty for none.

    Two versions have the same one only where nobody typed it anew between them. So nothing that
    was begun with one number is ended for another.
    """
    if "capture_session" not in body:
        return ""
    try:
        found = find_number(connection, enrollment, version, body)
    except (KeyMissing, NumberUnusable):
        return ""
    return found.mark


@contextmanager
def opened(number: SealedNumber, vault: OpeningKey) -> Iterator[bytearray]:
    """Give the twelve digits, and overwrite them afterwards; ``NumberUnusable`` if they are none.

    The last four must be those that everybody can read: a number never is another person's.
    """
    digits = bytearray(NUMBER_BYTES)
    try:
        key = open_session_key(number.sealed_key, vault)
        open_number_into(
            digits, key, number.sealed, record_id=number.enrollment, version=number.version
        )
        if digits[-len(number.last4) :] != number.last4.encode():
            raise NumberUnusable("last4")
        yield digits
    except EnvelopeInvalid as error:
        raise NumberUnusable("sealed") from error
    finally:
        digits[:] = bytes(len(digits))


def _session_key(connection: Connection, session: str, device: str) -> bytes:
    """Find the sealed key of a session, which the laptop that sealed with it sent as a blob."""
    whole = (blobs.c.device == chunks.c.device) & (blobs.c.sha256 == chunks.c.sha256)
    query = (
        select(chunks.c.data)
        .join(blobs, whole)
        .where(
            blobs.c.device == device,
            blobs.c.sha256 >= session,
            blobs.c.sha256 < session + _AFTER_HEX,
            blobs.c.media_type == MEDIA_TYPE,
            blobs.c.chunk_count == 1,
            blobs.c.completed_at.is_not(None),
        )
        .limit(1)
    )
    data = connection.execute(query).scalar_one_or_none()
    if data is None:
        raise KeyMissing
    return bytes(data)
