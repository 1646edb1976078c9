"""Signing and sealing keys; each prints as its id, never as its bytes."""

from __future__ import annotations

import hashlib
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
from cwt import COSEKey

from sync.errors import EnvelopeInvalid

__all__ = ["EDDSA", "OpeningKey", "SealKey", "SigningKey", "VerifyKey"]

EDDSA: Final = -8
"""The COSE number of the algorithm (RFC 9053, 2.2)."""

_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_MLKEM_SEED_BYTES: Final = 64
_MLKEM_PUBLIC_BYTES: Final = 1184


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
        return COSEKey.new({1: 1, 2: self.kid, 3: EDDSA, 4: [2], -1: 6, -2: self.raw})


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
            1: 1, 2: self.public.kid, 3: EDDSA, 4: [1], -1: 6, -2: self.public.raw,
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
