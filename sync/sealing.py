"""Signed and sealed IN TRANSIT: COSE_Sign1 outside, HPKE inside, each bound to its meaning.

    batch, feed page     COSE_Sign1( protected header, HPKE( zstd( CBOR )))
    receipt, hello, …    COSE_Sign1( protected header, CBOR )

The protected header names algorithm, signer and *what the message is*, so that a receipt can never
be taken for a hello. HPKE's ``info`` holds the same header, so a sealed content can never be moved
under another header. Every failure to open is one error without detail of the secret:
``EnvelopeInvalid``, or ``ReceiptInvalid`` for what the server signs. Keys print as their id only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from cwt import COSE, COSEKey
from cwt.exceptions import CWTError

from sync import wire
from sync.errors import EnvelopeInvalid, ReceiptInvalid, TooLarge
from sync.protocol import (
    LIMITS,
    BatchHeader,
    FeedPage,
    FeedRequest,
    Hello,
    HelloReply,
    Operation,
    Receipt,
    SealedBatch,
)

__all__ = [
    "OpeningKey",
    "SealKey",
    "SigningKey",
    "VerifyKey",
    "open_batch",
    "open_feed_page",
    "open_feed_request",
    "open_hello",
    "open_hello_reply",
    "open_receipt",
    "open_signed",
    "read_batch_header",
    "read_signer",
    "read_unverified",
    "seal_batch",
    "seal_feed_page",
    "sign",
    "sign_feed_request",
    "sign_hello",
    "sign_hello_reply",
    "sign_receipt",
]

_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_MLKEM_SEED_BYTES: Final = 64
_MLKEM_PUBLIC_BYTES: Final = 1184

_ALG: Final = 1
_KID: Final = 4
_EDDSA: Final = -8
_MEANING: Final = -65537
"""COSE header label for private use (RFC 9052, 3.1): ``[name, …]``, what this message is."""

_BATCH: Final = "batch"
_RECEIPT: Final = "receipt"
_HELLO: Final = "hello"
_HELLO_REPLY: Final = "hello-reply"
_FEED_REQUEST: Final = "feed-request"
_FEED_PAGE: Final = "feed-page"


class VerifyKey:
    """An Ed25519 public key; ``id`` is the first 8 bytes of its SHA-256, as hex."""

    def __init__(self, public: bytes) -> None:
        try:
            self._key = Ed25519PublicKey.from_public_bytes(public)
        except ValueError as error:
            raise EnvelopeInvalid("public key") from error
        self.raw = public
        self.kid = hashlib.sha256(public).digest()[:8]
        self.id = self.kid.hex()

    def __repr__(self) -> str:
        return f"VerifyKey({self.id})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifyKey) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def digest(self) -> bytes:
        """Give SHA-256 of the key, from which ids and approval codes are cut."""
        return hashlib.sha256(self.raw).digest()

    def holds(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature fits the message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def cose_key(self) -> Any:
        """Give the key as a COSE_Key (OKP, Ed25519) that may verify."""
        return COSEKey.new({1: 1, 2: self.kid, 3: _EDDSA, 4: [2], -1: 6, -2: self.raw})


class SigningKey:
    """An Ed25519 private key."""

    def __init__(self, private: bytes) -> None:
        try:
            self._key = Ed25519PrivateKey.from_private_bytes(private)
        except ValueError as error:
            raise EnvelopeInvalid("private key") from error
        self.public = VerifyKey(self._key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> SigningKey:
        """Make a fresh key."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    def __repr__(self) -> str:
        return f"SigningKey({self.public.id}, <withheld>)"

    def to_bytes(self) -> bytes:
        """Give the 32 secret bytes."""
        return self._key.private_bytes_raw()

    def cose_key(self) -> Any:
        """Give the key as a COSE_Key that may sign."""
        return COSEKey.new({
            1: 1, 2: self.public.kid, 3: _EDDSA, 4: [1], -1: 6, -2: self.public.raw,
            -4: self.to_bytes(),
        })  # fmt: skip


class SealKey:
    """An HPKE public key (MLKEM768-X25519): 1,184 bytes of ML-KEM-768, then 32 of X25519."""

    def __init__(self, public: bytes) -> None:
        try:
            self._key = MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_BYTES]),
                X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC_BYTES:]),
            )
        except ValueError as error:
            raise EnvelopeInvalid("seal key") from error
        self.raw = public
        self.id = hashlib.sha256(public).digest()[:8].hex()

    def __repr__(self) -> str:
        return f"SealKey({self.id})"

    def seal(self, plain: bytes, info: bytes) -> bytes:
        """Seal to the owner of the key: the encapsulation (1,120 bytes), then the ciphertext."""
        return _SUITE.encrypt(plain, self._key, info)


class OpeningKey:
    """An HPKE private key: 64 bytes of ML-KEM-768 seed, then 32 of X25519."""

    def __init__(self, private: bytes) -> None:
        try:
            kem = MLKEM768PrivateKey.from_seed_bytes(private[:_MLKEM_SEED_BYTES])
            curve = X25519PrivateKey.from_private_bytes(private[_MLKEM_SEED_BYTES:])
        except ValueError as error:
            raise EnvelopeInvalid("opening key") from error
        self._raw = private
        self._key = MLKEM768X25519PrivateKey(kem, curve)
        self.public = SealKey(
            kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
        )

    @classmethod
    def generate(cls) -> OpeningKey:
        """Make a fresh key."""
        seed = MLKEM768PrivateKey.generate().private_bytes_raw()
        return cls(seed + X25519PrivateKey.generate().private_bytes_raw())

    def __repr__(self) -> str:
        return f"OpeningKey({self.public.id}, <withheld>)"

    def to_bytes(self) -> bytes:
        """Give the 96 secret bytes."""
        return self._raw

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """Open what was sealed to this key under the same ``info``; ``EnvelopeInvalid`` if not."""
        try:
            return _SUITE.decrypt(sealed, self._key, info)
        except (InvalidTag, ValueError) as error:
            raise EnvelopeInvalid("seal") from error


def sign(payload: bytes, meaning: Sequence[Any], key: SigningKey) -> bytes:
    """Give COSE_Sign1 (tag 18) over the payload; ``meaning`` starts with the message's name."""
    signed: bytes = COSE.new().encode_and_sign(
        payload,
        key.cose_key(),
        protected={_ALG: _EDDSA, _KID: key.public.kid, _MEANING: list(meaning)},
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
        headers[_ALG] != _EDDSA
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


def seal_batch(
    header: BatchHeader, operations: Sequence[Operation], key: SigningKey, ingest: SealKey
) -> SealedBatch:
    """Write, compress, seal to the server and sign a run of operations."""
    if (header.count, header.first_seq) != (len(operations), operations[0].seq):
        raise ValueError("header and operations differ")
    meaning = [_BATCH, *wire.encode_header(header)]
    sealed = ingest.seal(wire.encode_operations(operations), _info(meaning, key.public.kid))
    data = sign(sealed, meaning, key)
    return SealedBatch(
        incarnation=header.incarnation,
        number=header.number,
        first_seq=header.first_seq,
        count=header.count,
        digest=hashlib.sha256(data).digest(),
        data=data,
    )


def read_batch_header(data: bytes) -> BatchHeader:
    """Read what a courier may read; nothing is verified yet."""
    if len(data) > LIMITS.blob_batch_bytes_max:
        raise TooLarge("batch")
    kid, meaning, _ = read_unverified(data)
    if meaning[0] != _BATCH:
        raise EnvelopeInvalid("not a batch")
    return wire.decode_header(meaning[1:], kid.hex())


def open_batch(
    data: bytes, key: VerifyKey, ingest: Mapping[str, OpeningKey]
) -> tuple[BatchHeader, tuple[Operation, ...]]:
    """Verify the device's signature, unseal with the ingest key the header names, and read."""
    header = read_batch_header(data)
    meaning, sealed = open_signed(data, _BATCH, key)
    opening = ingest.get(header.key_id)
    if opening is None:
        raise EnvelopeInvalid("unknown ingest key")
    plain = opening.open(sealed, _info([_BATCH, *meaning], key.kid))
    return header, wire.decode_operations(plain, header)


def sign_receipt(receipt: Receipt, key: SigningKey) -> bytes:
    """Sign a receipt."""
    return sign(wire.encode_receipt(receipt), [_RECEIPT], key)


def open_receipt(data: bytes, key: VerifyKey) -> Receipt:
    """Read a receipt that the programme's server signed; ``ReceiptInvalid`` otherwise."""
    if len(data) > LIMITS.receipt_bytes_max:
        raise TooLarge("receipt")
    return wire.decode_receipt(_server_word(data, _RECEIPT, key))


def sign_hello(hello: Hello, key: SigningKey) -> bytes:
    """Sign a hello."""
    return sign(wire.encode_hello(hello), [_HELLO], key)


def open_hello(data: bytes, key: VerifyKey | None = None) -> Hello:
    """Read a hello. Without a known key the one inside must fit signature and device id."""
    if len(data) > LIMITS.hello_bytes_max:
        raise TooLarge("hello")
    hello = wire.decode_hello(read_unverified(data)[2])
    if key is None:
        if hello.public_key is None:
            raise EnvelopeInvalid("unknown device without its key")
        key = VerifyKey(hello.public_key)
    open_signed(data, _HELLO, key)
    if hello.device != key.id:
        raise EnvelopeInvalid("device and key differ")
    return hello


def sign_hello_reply(reply: HelloReply, key: SigningKey) -> bytes:
    """Sign a hello's answer."""
    return sign(wire.encode_hello_reply(reply), [_HELLO_REPLY], key)


def open_hello_reply(data: bytes, key: VerifyKey) -> HelloReply:
    """Read a hello's answer that the programme's server signed; ``ReceiptInvalid`` otherwise."""
    return wire.decode_hello_reply(_server_word(data, _HELLO_REPLY, key))


def sign_feed_request(request: FeedRequest, key: SigningKey) -> bytes:
    """Sign a request for news."""
    return sign(wire.encode_feed_request(request), [_FEED_REQUEST], key)


def open_feed_request(data: bytes, key: VerifyKey) -> FeedRequest:
    """Read a request for news that this device signed."""
    request = wire.decode_feed_request(open_signed(data, _FEED_REQUEST, key)[1])
    if request.device != key.id:
        raise EnvelopeInvalid("device and key differ")
    return request


def seal_feed_page(page: FeedPage, key: SigningKey, device: SealKey) -> bytes:
    """Seal a page of news to one device and sign it."""
    meaning = [_FEED_PAGE, bytes.fromhex(page.device), wire.CURRENT_DICTIONARY]
    sealed = device.seal(wire.encode_feed_page(page), _info(meaning, key.public.kid))
    return sign(sealed, meaning, key)


def open_feed_page(data: bytes, key: VerifyKey, opening: OpeningKey) -> FeedPage:
    """Read a page that the programme's server sealed to this device."""
    if len(data) > LIMITS.feed_page_bytes_max:
        raise TooLarge("feed page")
    meaning, sealed = open_signed(data, _FEED_PAGE, key)
    plain = opening.open(sealed, _info([_FEED_PAGE, *meaning], key.kid))
    if len(meaning) != 2 or not isinstance(meaning[1], int):  # noqa: PLR2004 - device, dictionary
        raise EnvelopeInvalid("feed page")
    page = wire.decode_feed_page(plain, meaning[1])
    if bytes.fromhex(page.device) != meaning[0]:
        raise EnvelopeInvalid("device of a feed page")
    return page


def _server_word(data: bytes, name: str, key: VerifyKey) -> bytes:
    try:
        return open_signed(data, name, key)[1]
    except EnvelopeInvalid as error:
        raise ReceiptInvalid(error.detail) from error


def _info(meaning: Sequence[Any], kid: bytes) -> bytes:
    return b"enrollkit/hpke/v1" + wire.encode([kid, list(meaning)])
