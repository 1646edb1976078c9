"""The capture session: seals Aadhaar numbers so that this laptop itself cannot read them back.

The session key is made at unlock, sealed to the programme's vault key, and dies at lock. While
the session lives it also knows, by keyed digest only, which numbers it has seen: the one way to
notice a number entered twice without keeping it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from enrollkit.errors import VaultLocked
from sync.capture import SESSION_KEY_BYTES, seal_number, seal_session_key, session_id
from sync.sealing import SealKey

__all__ = ["CaptureSession"]


class CaptureSession:
    """One unlocked stretch of one laptop. Nothing of it but ``sealed_key`` may be written down.

    ``id`` (16 hex digits) names it in bodies; ``sealed_key`` is what the server's vault opens.
    """

    def __init__(self, vault: SealKey) -> None:
        self._key = bytearray(secrets.token_bytes(SESSION_KEY_BYTES))
        self._digest_key = bytearray(secrets.token_bytes(SESSION_KEY_BYTES))
        self._seen: dict[bytes, list[str]] = {}
        self._closed = False
        self.sealed_key = seal_session_key(bytes(self._key), vault)
        self.id = session_id(self.sealed_key)

    def __repr__(self) -> str:
        return f"CaptureSession({self.id}, <withheld>)"

    def seal(self, aadhaar: str, record_id: str, version: int) -> bytes:
        """Seal one checked number for one version of one record (28 bytes).

        ``ValueError`` when it is no Aadhaar number; ``VaultLocked`` after :meth:`close`.
        """
        self._require_open()
        return seal_number(bytes(self._key), aadhaar, record_id=record_id, version=version)

    def remember(self, aadhaar: str, record_id: str) -> None:
        """Note that a number was entered for a record, in place of an earlier one."""
        self._require_open()
        self.forget(record_id)
        self._seen.setdefault(self._digest(aadhaar), []).append(record_id)

    def records_with(self, aadhaar: str) -> tuple[str, ...]:
        """Give the records that this number was entered for while unlocked, the first one first."""
        self._require_open()
        return tuple(self._seen.get(self._digest(aadhaar), ()))

    def records_like(self, record_id: str) -> tuple[str, ...]:
        """Give the records that have the number of this one, itself among them."""
        self._require_open()
        found = (records for records in self._seen.values() if record_id in records)
        return tuple(next(found, ()))

    def forget(self, record_id: str) -> None:
        """Drop what was noted for a record whose number was cleared."""
        for records in self._seen.values():
            if record_id in records:
                records.remove(record_id)

    def close(self) -> None:
        """Overwrite the keys and forget all numbers."""
        self._key[:] = bytes(len(self._key))
        self._digest_key[:] = bytes(len(self._digest_key))
        self._seen.clear()
        self._closed = True

    def _digest(self, aadhaar: str) -> bytes:
        return hmac.digest(bytes(self._digest_key), aadhaar.encode(), hashlib.sha256)

    def _require_open(self) -> None:
        if self._closed:
            raise VaultLocked("capture session")
