"""HPKE written out from RFC 9180 and the X-Wing combiner: the second implementation of the seal."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEM, _KDF, _AEAD = 0x647A, 0x0001, 0x0002
_SUITE = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (_KEM, _KDF, _AEAD))


def open_sealed(private: bytes, sealed: bytes, info: bytes) -> bytes:
    """Open by hand what was sealed to a private key (96 bytes) under ``info``."""
    shared = _decapsulate(private, sealed[:1120])
    context = b"\x00" + _extract(b"", b"psk_id_hash", b"") + _extract(b"", b"info_hash", info)
    secret = _extract(shared, b"secret", b"")
    key = _expand(secret, b"key", context, 32)
    nonce = _expand(secret, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, sealed[1120:], b"")


def _decapsulate(private: bytes, encapsulation: bytes) -> bytes:
    """X-Wing: SHA3-256( ML-KEM secret ‖ X25519 secret ‖ ephemeral ‖ public ‖ label )."""
    kem = MLKEM768PrivateKey.from_seed_bytes(private[:64])
    curve = X25519PrivateKey.from_private_bytes(private[64:])
    ephemeral = encapsulation[1088:]
    return hashlib.sha3_256(
        kem.decapsulate(encapsulation[:1088])
        + curve.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        + ephemeral
        + curve.public_key().public_bytes_raw()
        + b"\\.//^\\"
    ).digest()


def _extract(salt: bytes, label: bytes, material: bytes) -> bytes:
    labeled = b"HPKE-v1" + _SUITE + label + material
    return hmac.digest(salt or bytes(32), labeled, "sha256")


def _expand(secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
    labeled = size.to_bytes(2, "big") + b"HPKE-v1" + _SUITE + label + context
    return hmac.digest(secret, labeled + b"\x01", "sha256")[:size]
