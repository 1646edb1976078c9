"""COSE_Sign1 with a meaning: who signed what kind of message, bound into the signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cwt import COSE
from cwt.exceptions import CWTError

from sync import wire
from sync.errors import EnvelopeInvalid
from sync.sealing.keys import EDDSA, SigningKey, VerifyKey

__all__ = ["context_of", "open_signed", "read_signer", "read_unverified", "sign"]

_ALG: Final = 1
_KID: Final = 4
_MEANING: Final = -65537
"""COSE header label for private use (RFC 9052, 3.1): ``[name, …]``, what this message is."""


def sign(payload: bytes, meaning: Sequence[Any], key: SigningKey) -> bytes:
    """Give COSE_Sign1 (tag 18) over the payload; ``meaning`` starts with the message's name."""
    signed: bytes = COSE.new().encode_and_sign(
        payload,
        key.cose_key(),
        protected={_ALG: EDDSA, _KID: key.public.kid, _MEANING: list(meaning)},
    )
    return signed


def open_signed(data: bytes, name: str, key: VerifyKey) -> tuple[list[Any], bytes]:
    """Verify; give the rest of the meaning after its name, and the payload."""
    kid, meaning, _ = read_unverified(data)
    if kid != key.kid or meaning[0] != name:
        raise EnvelopeInvalid("signer or meaning")
    try:
        payload = COSE.new().decode(data, key.cose_key())
    except (CWTError, ValueError, TypeError, KeyError) as error:
        raise EnvelopeInvalid("signature") from error
    return meaning[1:], payload


def read_unverified(data: bytes) -> tuple[bytes, list[Any], bytes]:
    """Give kid, meaning and payload of a COSE_Sign1 of ours; NOTHING is verified yet."""
    protected, unprotected, payload, _signature = wire.decode_sign1(data)
    headers = wire.decode(protected)
    if not isinstance(headers, dict) or set(headers) != {_ALG, _KID, _MEANING} or unprotected:
        raise EnvelopeInvalid("headers")
    kid, meaning = headers[_KID], headers[_MEANING]
    if (
        headers[_ALG] != EDDSA
        or not isinstance(kid, bytes)
        or len(kid) != 8  # noqa: PLR2004 - the size of a key id
        or not isinstance(meaning, list)
        or not meaning
    ):
        raise EnvelopeInvalid("headers")
    return kid, meaning, payload


def read_signer(data: bytes) -> str:
    """Give the id of the key that claims to have signed; nothing is verified yet."""
    return read_unverified(data)[0].hex()


def context_of(meaning: Sequence[Any], kid: bytes) -> bytes:
    """Give HPKE's ``info`` of a message: its content opens under this meaning alone."""
    return b"enrollkit/hpke/v1" + wire.encode([kid, list(meaning)])
