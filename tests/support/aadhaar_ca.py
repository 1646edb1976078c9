"""A certification authority of our own, for documents that look like UIDAI's, made anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from sync.anchors import TrustAnchor, load_anchor

__all__ = ["SOURCE", "Signer", "signer"]

SOURCE: Final = "made in a test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A private key and the self-signed certificate that goes with it."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def anchor(self) -> TrustAnchor:
        return load_anchor(self.der, source=SOURCE)

    def sign(self, data: bytes) -> bytes:
        """Sign as UIDAI does: RSA, PKCS#1 v1.5, SHA-256."""
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())


@cache
def signer(
    name: str = "DS Practice Authority 1", *, begins: int = 2017, ends: int = 2029, bits: int = 2048
) -> Signer:
    """Make a key and its certificate, valid from New Year to New Year (UTC); the same each time."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(4711)
        .not_valid_before(datetime(begins, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(ends, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return Signer(key=key, certificate=made)
