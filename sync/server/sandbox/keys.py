"""The practice ABDM's RSA keys: one is in use, another waits for the day of rotation."""

from __future__ import annotations

import base64
import binascii
import threading
from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

__all__ = ["ALGORITHM", "CertificateKeys"]

ALGORITHM: Final = "RSA/ECB/OAEPWithSHA-1AndMGF1Padding"
_BITS: Final = 4096
# NHA prescribes SHA-1 inside OAEP, where its weakness in signatures does not matter.
_PADDING: Final = OAEP(MGF1(SHA1()), SHA1(), None)  # noqa: S303 - NHA's choice, see above


class CertificateKeys:
    """Two key pairs that take turns. Safe to be used by several threads."""

    def __init__(self, current: RSAPrivateKey, waiting: RSAPrivateKey) -> None:
        self._lock = threading.Lock()
        self._current, self._waiting = current, waiting

    @classmethod
    def generate(cls, bits: int = _BITS) -> CertificateKeys:
        """Make both pairs: about a second for 4096 bits, which is what NHA has."""
        return cls(generate_private_key(65537, bits), generate_private_key(65537, bits))

    @property
    def pairs(self) -> tuple[RSAPrivateKey, RSAPrivateKey]:
        """Give the pair in use and the one that waits."""
        return self._current, self._waiting

    def rotate(self) -> None:
        """Put the waiting pair in use: what was encrypted before can be read no more."""
        with self._lock:
            self._current, self._waiting = self._waiting, self._current

    @property
    def public(self) -> str:
        """Give the public key in use as NHA does: bare base64 of DER."""
        public = self._current.public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def open(self, text: str) -> str | None:
        """Decrypt a field; ``None`` for whatever cannot be read, as ABDM tells no reason."""
        try:
            plain = self._current.decrypt(base64.b64decode(text, validate=True), _PADDING)
            return plain.decode("ascii")
        except (ValueError, binascii.Error):
            return None
