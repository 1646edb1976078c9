"""Trust anchors: the certificates by which documents of UIDAI are believed.

Both ends read them, so that what the office takes the laptops can use. A certificate is a fact that
somebody fetched from UIDAI and whose fingerprint they compared; none comes with this program.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from sync.errors import SyncError

__all__ = [
    "ANCHORS_MAX",
    "ANCHOR_BYTES_MAX",
    "FILE_BYTES_MAX",
    "SOURCE_MAX",
    "AnchorInvalid",
    "AnchorUnknown",
    "TrustAnchor",
    "find_anchor",
    "load_anchor",
    "read_anchor",
    "spelt",
]

FILE_BYTES_MAX: Final = 64 * 1024
"""A file with one certificate; UIDAI's have about 3 KiB."""
ANCHOR_BYTES_MAX: Final = 8 * 1024
"""One certificate in DER; UIDAI's have about 2,000 bytes."""
ANCHORS_MAX: Final = 64
SOURCE_MAX: Final = 120

_KEY_BITS: Final = range(2048, 4097)
_EXPONENT: Final = 65537
_NAME_MAX: Final = 120
_FIRST_YEAR: Final = 1970
_LATEST: Final = 4_102_444_800
"""The year 2100: not every system can print a later date, and *never* is written as 9999."""
_SHORTEST_START: Final = 16
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class AnchorInvalid(SyncError):
    """That file holds no certificate that documents can be checked with, or several. Nothing was
    changed. Fetch the certificate again, as .cer or .pem, one in a file.
    """

    code = "anchor-invalid"
    exit_code = 17
    retryable = False


class AnchorUnknown(SyncError):
    """No certificate of that fingerprint is here, or several begin so. Nothing was changed. The
    command `trust list` shows them.
    """

    code = "anchor-unknown"
    exit_code = 18
    retryable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAnchor:
    """One certificate and where it came from.

    ``certificate`` is DER; ``fingerprint`` SHA-256 of it in lower-case hex; ``begins`` and ``ends``
    are seconds since 1970 UTC. ``source`` are the words of whoever added it.
    """

    certificate: bytes
    fingerprint: str
    name: str
    begins: int
    ends: int
    source: str
    key: RSAPublicKey

    def lived_at(self, moment: int) -> bool:
        """Whether a moment lies in the certificate's life."""
        return self.begins <= moment <= self.ends


def read_anchor(data: bytes, *, source: str = "") -> TrustAnchor:
    """Read a file with one certificate, PEM or DER; ``AnchorInvalid`` for anything else.

    Nobody's signature on the certificate is checked: the person who adds it vouches for it.
    """
    if len(data) > FILE_BYTES_MAX:
        raise AnchorInvalid("too large")
    found = _PEM.findall(data)
    if len(found) > 1:
        raise AnchorInvalid("several certificates")
    return load_anchor(_der(found[0]) if found else data, source=source)


def load_anchor(certificate: bytes, *, source: str) -> TrustAnchor:
    """Read one certificate in DER; ``AnchorInvalid`` for one that no signature is checked with."""
    if len(certificate) > ANCHOR_BYTES_MAX:
        raise AnchorInvalid("too large")
    try:
        with warnings.catch_warnings(action="ignore"):  # about serial numbers: not ours to judge
            read = x509.load_der_x509_certificate(certificate)
        key, name = read.public_key(), _name(read)
        begins, ends = read.not_valid_before_utc, read.not_valid_after_utc
    except (
        ValueError,
        TypeError,
        OverflowError,
        UnsupportedAlgorithm,
        x509.InvalidVersion,
    ) as error:
        raise AnchorInvalid("no certificate") from error
    if not isinstance(key, RSAPublicKey) or key.key_size not in _KEY_BITS:
        raise AnchorInvalid("another kind of key than RSA of 2048 to 4096 bits")
    if key.public_numbers().e != _EXPONENT:
        raise AnchorInvalid("an unusual key")
    if begins.year < _FIRST_YEAR:
        raise AnchorInvalid("an impossible life")
    return TrustAnchor(
        certificate=certificate,
        fingerprint=hashlib.sha256(certificate).hexdigest(),
        name=name,
        begins=int(begins.timestamp()),
        ends=min(int(ends.timestamp()), _LATEST),
        source=_tidy(source, SOURCE_MAX),
        key=key,
    )


def find_anchor(fingerprints: list[str], typed: str) -> str:
    """Give the one fingerprint that a person means; ``AnchorUnknown`` if it is none or not clear.

    In any spelling, and its first sixteen digits are enough.
    """
    start = re.sub("[^0-9a-f]", "", typed.lower())
    found = [known for known in fingerprints if known.startswith(start)]
    if len(start) < _SHORTEST_START or len(found) != 1:
        raise AnchorUnknown
    return found[0]


def spelt(fingerprint: str) -> str:
    """Write a fingerprint as certificates' are written elsewhere: ``FC:F3:1A:…``."""
    pairs = (fingerprint[place : place + 2] for place in range(0, len(fingerprint), 2))
    return ":".join(pairs).upper()


def _der(pem: bytes) -> bytes:
    try:
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    except ValueError as error:
        raise AnchorInvalid("no certificate") from error


def _name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    texts = [str(name.value) for name in names] or [certificate.subject.rfc4514_string()]
    return _tidy(texts[0], _NAME_MAX) or "?"


def _tidy(text: str, length_max: int) -> str:
    """Make one short printable line: it is shown to people on terminals."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(line.split())[:length_max].rstrip()
