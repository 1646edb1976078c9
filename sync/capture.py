"""The capture seal: how one Aadhaar number is sealed at the field, and opened by the worker alone.

A capture session is 32 random bytes that live while a laptop is unlocked. They travel once,
sealed to the programme's *vault* key; each number is AES-256-GCM-SIV under them, bound to the
record and its version, so that nothing random is stored or sent with it. SIV, because a number
corrected at the field is sealed again under the same nonce, and that must give nothing away.

    nonce   = SHA-256( record id (16 bytes) ‖ version (u32, big endian) )[:12]
    AAD     = "enrollkit/aadhaar/v1" ‖ record id ‖ version
    sealed  = ciphertext (12 bytes) ‖ tag (16 bytes)
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from schemas.formats import is_aadhaar, verhoeff_holds
from sync.errors import EnvelopeInvalid
from sync.sealing import OpeningKey, SealKey

__all__ = [
    "MEDIA_TYPE",
    "NUMBER_BYTES",
    "SEALED_NUMBER_BYTES",
    "SESSION_KEY_BYTES",
    "chunk_body",
    "open_number",
    "open_number_into",
    "open_session_key",
    "record_of",
    "seal_number",
    "seal_session_key",
    "session_id",
]

MEDIA_TYPE: Final = "application/vnd.enrollkit.capture-session"
"""What the ``blob.chunk`` operation says that carries a sealed session key."""

SESSION_KEY_BYTES: Final = 32
NUMBER_BYTES: Final = 12
SEALED_NUMBER_BYTES: Final = 28
_INFO: Final = b"enrollkit/capture-session/v1"
_PURPOSE: Final = b"enrollkit/aadhaar/v1"
_VERSION_MAX: Final = 2**32 - 1


def seal_session_key(key: bytes, vault: SealKey) -> bytes:
    """Seal a session key (32 bytes) to the programme's vault key."""
    if len(key) != SESSION_KEY_BYTES:
        raise ValueError("a session key has 32 bytes")
    return vault.seal(key, _INFO)


def open_session_key(sealed: bytes, vault: OpeningKey) -> bytes:
    """Open a sealed session key; ``EnvelopeInvalid`` when it was not sealed to this vault."""
    key = vault.open(sealed, _INFO)
    if len(key) != SESSION_KEY_BYTES:
        raise EnvelopeInvalid("capture session key")
    return key


def session_id(sealed_key: bytes) -> str:
    """Give the name of a session (16 hex digits), which bodies carry as ``capture_session``."""
    return hashlib.sha256(sealed_key).hexdigest()[:16]


def record_of(sealed_key: bytes) -> str:
    """Give the record id (32 hex digits) of the ``blob.chunk`` that carries the sealed key."""
    return hashlib.sha256(sealed_key).hexdigest()[:32]


def chunk_body(sealed_key: bytes) -> dict[str, Any]:
    """Write the ``blob-chunk-1`` body of the one chunk that carries the sealed key."""
    digest = hashlib.sha256(sealed_key).hexdigest()
    return {"media_type": MEDIA_TYPE, "index": 0, "count": 1, "sha256": digest}


def seal_number(key: bytes, aadhaar: str, *, record_id: str, version: int) -> bytes:
    """Seal one checked number (twelve digits) for one version of one record: 28 bytes.

    ``ValueError`` for anything that is no Aadhaar number; the message does not repeat it.
    """
    if not is_aadhaar(aadhaar):
        raise ValueError("not an Aadhaar number")
    bound = _bound(record_id, version)
    return AESGCMSIV(key).encrypt(_nonce(bound), aadhaar.encode("ascii"), _PURPOSE + bound)


def open_number(key: bytes, sealed: bytes, *, record_id: str, version: int) -> str:
    """Open one number; ``EnvelopeInvalid`` if it is not of this key, record and version."""
    number = bytearray(NUMBER_BYTES)
    open_number_into(number, key, sealed, record_id=record_id, version=version)
    return number.decode("ascii")


def open_number_into(
    number: bytearray, key: bytes, sealed: bytes, *, record_id: str, version: int
) -> None:
    """Open one number into twelve bytes that the caller overwrites: no copy of it is made here.

    ``EnvelopeInvalid`` if it is not of this key, record and version; then zeros are left.
    """
    if len(sealed) != SEALED_NUMBER_BYTES:
        raise EnvelopeInvalid("sealed number")
    bound = _bound(record_id, version)
    try:
        AESGCMSIV(key).decrypt_into(_nonce(bound), sealed, _PURPOSE + bound, number)
    except InvalidTag as error:
        number[:] = bytes(NUMBER_BYTES)
        raise EnvelopeInvalid("sealed number") from error
    # One letter at a time: a text of the whole number could not be overwritten.
    digits = [chr(byte) for byte in number]
    is_number = all("0" <= digit <= "9" for digit in digits) and digits[0] > "1"
    if not is_number or not verhoeff_holds(digits):
        number[:] = bytes(NUMBER_BYTES)
        raise EnvelopeInvalid("sealed number")


def _bound(record_id: str, version: int) -> bytes:
    record = bytes.fromhex(record_id)
    if len(record) != 16 or not 1 <= version <= _VERSION_MAX:  # noqa: PLR2004 - a record id
        raise ValueError("record id or version")
    return record + version.to_bytes(4, "big")


def _nonce(bound: bytes) -> bytes:
    return hashlib.sha256(bound).digest()[:12]
