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
        self._seen: dict[bytes, str] = {}
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

    def seen(self, aadhaar: str) -> str | None:
        """Give the record that this number was entered for while unlocked; ``None``: not yet."""
        self._require_open()
        return self._seen.get(self._digest(aadhaar))

    def remember(self, aadhaar: str, record_id: str) -> None:
        """Note that a number was entered for a record; the first record keeps it."""
        self._require_open()
        self._seen.setdefault(self._digest(aadhaar), record_id)

    def forget(self, record_id: str) -> None:
        """Drop what was noted for a record whose number was cleared."""
        self._seen = {key: record for key, record in self._seen.items() if record != record_id}

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
