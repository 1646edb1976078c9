"""The signed code on a card: CWT in COSE_Sign1 in zlib in base45, as MOSIP Claim 169 asks.

The key id is eight bytes of SHA-256 of the signer's public key, in the protected header; who is
trusted under that id is the caller's knowledge. Anything that is not a card is a value
(:data:`CardVerdict.UNREADABLE`), never an exception.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from enrollkit.cards import base45
from enrollkit.cards.claims import CardClaims
from enrollkit.errors import CardPayloadTooLarge
from enrollkit.locale import _
from sync.wire.guard import demand_harmless

__all__ = ["CardReading", "CardVerdict", "PublicKey", "decode_and_verify", "encode", "key_id"]

PublicKey = Ed25519PublicKey | ec.EllipticCurvePublicKey

CODE_TEXT_MAX: Final = 528
"""What a QR code of version 14 holds at level M (ISO/IEC 18004): 73 modules still print large."""

TEXT_MAX: Final = 8192
"""A QR code holds 4,296 characters at most; anything much longer never was one."""

INFLATED_BYTES_MAX: Final = 64 * 1024

_SIGN1, _ENCRYPT0, _CWT = 18, 16, 61
_ALGORITHM, _CRITICAL, _KEY_ID = 1, 2, 4
_EDDSA, _ES256 = -8, -7
ITEMS_MAX: Final = 2000
_P256_BYTES: Final = 32


class CardVerdict(StrEnum):
    """What may be said about a card."""

    VERIFIED = "verified"
    UNKNOWN_SIGNER = "unknown-signer"
    TAMPERED = "tampered"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    UNREADABLE = "unreadable"

    @property
    def words(self) -> str:
        """Say it to the operator."""
        return {
            CardVerdict.VERIFIED: _("The signature is right."),
            CardVerdict.UNKNOWN_SIGNER: _("Nobody this laptop knows has signed it."),
            CardVerdict.TAMPERED: _("The signature does not fit. Do not trust this card."),
            CardVerdict.EXPIRED: _("Signed rightly, but no longer valid."),
            CardVerdict.NOT_YET_VALID: _("Signed rightly, but not valid yet. Check the clock."),
            CardVerdict.UNREADABLE: _("This is no card that can be read."),
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardReading:
    """What was found in a code. ``kid`` is empty when the card names no signer.

    ``claims`` is ``None`` when nothing could be read, and for a tampered card: what it says is
    worth nothing. Of an unknown signer's card the claims are there, but nobody vouches for them.
    ``detail`` is for the log and for people who ask why.
    """

    verdict: CardVerdict
    claims: CardClaims | None = None
    kid: bytes = b""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Envelope:
    """A COSE_Sign1 taken apart (RFC 9052, section 4.2)."""

    protected: bytes
    payload: bytes
    signature: bytes
    algorithm: int
    kid: bytes

    def signed_bytes(self) -> bytes:
        return cbor2.dumps(["Signature1", self.protected, b"", self.payload], canonical=True)


class _Unreadable(Exception):
    """The text is no signed card; the message says at which step that showed."""


def key_id(key: Ed25519PublicKey) -> bytes:
    """Give the eight bytes by which a card names its signer."""
    return hashlib.sha256(key.public_bytes_raw()).digest()[:8]


def encode(claims: CardClaims, signing_key: Ed25519PrivateKey) -> str:
    """Sign a card and write it as the text of its QR code.

    A very long name in own script is left out of the code (it stays printed beside it) rather than
    making the code too fine for an old camera. Raise :class:`CardPayloadTooLarge` when even that
    is not enough.
    """
    text = _sign(claims, signing_key)
    if len(text) > CODE_TEXT_MAX and claims.name_native is not None:
        text = _sign(replace(claims, name_native=None, language_native=None), signing_key)
    if len(text) > CODE_TEXT_MAX:
        raise CardPayloadTooLarge(f"{len(text)} characters of code")
    return text


def decode_and_verify(
    text: str, trust: Callable[[bytes], PublicKey | None], now: int
) -> CardReading:
    """Read a card's code and say what it is worth.

    ``trust`` gives the public key known under a key id (empty when the card names none), or
    ``None``. ``now`` is seconds since 1970 UTC. Never raises for any text.
    """
    try:
        envelope = _take_apart(_inflate(text))
        claims = CardClaims.from_token(_load(envelope.payload))
    except _Unreadable as problem:
        return CardReading(verdict=CardVerdict.UNREADABLE, detail=str(problem))
    except ValueError as problem:
        return CardReading(verdict=CardVerdict.UNREADABLE, detail=str(problem))
    key = trust(envelope.kid)
    if key is None:
        verdict = CardVerdict.UNKNOWN_SIGNER
    elif not _signature_holds(envelope, key):
        return CardReading(verdict=CardVerdict.TAMPERED, kid=envelope.kid)
    else:
        verdict = _standing(claims, now)
    return CardReading(verdict=verdict, claims=claims, kid=envelope.kid)


def _sign(claims: CardClaims, signing_key: Ed25519PrivateKey) -> str:
    protected = cbor2.dumps(
        {_ALGORITHM: _EDDSA, _KEY_ID: key_id(signing_key.public_key())}, canonical=True
    )
    payload = cbor2.dumps(claims.token(), canonical=True)
    to_sign = cbor2.dumps(["Signature1", protected, b"", payload], canonical=True)
    sign1 = cbor2.CBORTag(_SIGN1, [protected, {}, payload, signing_key.sign(to_sign)])
    return base45.encode(zlib.compress(cbor2.dumps(sign1, canonical=True), 9))


def _standing(claims: CardClaims, now: int) -> CardVerdict:
    if claims.not_before is not None and now < claims.not_before:
        return CardVerdict.NOT_YET_VALID
    if claims.expires_at is not None and now >= claims.expires_at:
        return CardVerdict.EXPIRED
    return CardVerdict.VERIFIED


def _inflate(text: str) -> bytes:
    """Undo base45 and zlib, never further than :data:`INFLATED_BYTES_MAX`."""
    if len(text) > TEXT_MAX:
        raise _Unreadable("too long for a code")
    packed = base45.decode(text)
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(packed, INFLATED_BYTES_MAX)
    except zlib.error:
        raise _Unreadable("not compressed as a card is") from None
    if not inflater.eof:
        raise _Unreadable("cut short, or too large")
    if inflater.unused_data or _is_respelt(packed, plain):
        raise _Unreadable("something was added to the card")
    return plain


def _is_respelt(packed: bytes, plain: bytes) -> bool:
    """Whether bits that zlib skips are set, so that other bytes would give the same card.

    They fill up the head of a stored block and the last byte before the four-byte checksum
    (RFC 1951, sections 3.1 and 3.2.4). A bit of that byte is a filling one when the highest set
    bit can be cleared and nothing changes.
    """
    is_stored = packed[2] & 0b110 == 0
    if is_stored and packed[2] >> 3:
        return True
    last = packed[-5]
    if last == 0:
        return False
    cleared = bytearray(packed)
    cleared[-5] = last ^ 1 << last.bit_length() - 1
    inflater = zlib.decompressobj()
    try:
        return inflater.decompress(bytes(cleared), INFLATED_BYTES_MAX) == plain and inflater.eof
    except zlib.error:
        return False


def _load(data: bytes, *, tags: frozenset[int] = frozenset()) -> Any:
    demand_harmless(data, items_max=ITEMS_MAX, tags=tags)
    try:
        return cbor2.loads(data)
    except cbor2.CBORDecodeError:
        raise _Unreadable("not CBOR") from None


def _take_apart(data: bytes) -> _Envelope:
    """Read a COSE_Sign1, bare (tag 18) or as a CWT (tag 61 around it)."""
    item = _load(data, tags=frozenset({_SIGN1, _ENCRYPT0, _CWT}))
    if isinstance(item, cbor2.CBORTag) and item.tag == _CWT:
        item = item.value
    if isinstance(item, cbor2.CBORTag) and item.tag == _ENCRYPT0:
        raise _Unreadable(_("encrypted, cannot be read here"))
    if not isinstance(item, cbor2.CBORTag) or item.tag != _SIGN1:
        raise _Unreadable("not a signed card")
    match item.value:
        case [bytes(protected), dict(unprotected), bytes(payload), bytes(signature)]:
            pass
        case _:
            raise _Unreadable("not a signed card")
    header = _load(protected) if protected else {}
    if not isinstance(header, dict) or _CRITICAL in header:
        raise _Unreadable("a header that this version does not know")
    kid = header.get(_KEY_ID, unprotected.get(_KEY_ID, b""))
    return _Envelope(
        protected=protected,
        payload=payload,
        signature=signature,
        algorithm=_whole(header.get(_ALGORITHM)),
        kid=kid if isinstance(kid, bytes) else b"",
    )


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Unreadable("no signature algorithm named")
    return value


def _signature_holds(envelope: _Envelope, key: PublicKey) -> bool:
    """Check with the algorithm that the trusted key is for; the card cannot choose another."""
    try:
        if isinstance(key, Ed25519PublicKey) and envelope.algorithm == _EDDSA:
            key.verify(envelope.signature, envelope.signed_bytes())
            return True
        if isinstance(key, ec.EllipticCurvePublicKey) and envelope.algorithm == _ES256:
            half = len(envelope.signature) // 2
            if half != _P256_BYTES or len(envelope.signature) % 2:
                return False
            parts = [int.from_bytes(envelope.signature[at : at + half], "big") for at in (0, half)]
            der = encode_dss_signature(*parts)
            key.verify(der, envelope.signed_bytes(), ec.ECDSA(hashes.SHA256()))
            return True
    except InvalidSignature:
        return False
    return False
