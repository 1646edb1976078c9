"""The readers of identity documents, and of the certificates they are checked with."""

from __future__ import annotations

import dataclasses
import re
import zlib
from functools import cache
from typing import Final

from aadhaar_ca import Signer, signer
from aadhaar_samples import ASHA, VERSIONS, content_of, digits_of, packed_of, photo, signed
from enrollkit.identity.aadhaar import AadhaarDetails
from enrollkit.identity.aadhaar_letter import read_letter
from enrollkit.identity.aadhaar_qr import AadhaarReading, read_and_verify
from enrollkit.identity.packing import UNPACKED_BYTES_MAX, Fault
from enrollkit.identity.strangers import explain
from enrollkit.identity.trust import Trust
from fuzz_target import Target
from sync.anchors import AnchorInvalid, read_anchor

__all__ = ["IDENTITY"]

_LONG: Final = re.compile("[0-9]{9}")
_AADHAAR: Final = re.compile("[0-9](?:[ -]?[0-9]){11}")
_PACKED_BYTES_MAX: Final = 4000
"""About 9,600 digits: more than any code has."""
_LETTER: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><PrintLetterBarcodeData uid="999941057058" '
    'name="Asha Devi" gender="F" yob="1987" co="W/O Ram &amp; Lal" vtc="Partapur" pc="327023" '
    'dob="14/03/1987"/>'
)


@cache
def _signer() -> Signer:
    return signer()


@cache
def _contents() -> tuple[bytes, ...]:
    """Give what is signed in each version, with a photo and without."""
    people = (dataclasses.replace(ASHA, photo=photo()), ASHA)
    return tuple(content_of(person, version) for version in VERSIONS for person in people)


def _digits(data: bytes) -> None:
    """Changed digits are never a verified card."""
    reading = _read(data.decode("latin-1"))
    if reading.trust is Trust.VERIFIED:
        assert data in _codes()


def _packed(data: bytes) -> None:
    """Read what is packed into the digits, whole or not."""
    if data and data[0]:
        _read(_as_digits(data))


def _inside(data: bytes) -> None:
    """Read content and signature as a forger writes them: only what was signed is verified."""
    reading = _read(_as_digits(zlib.compress(data[:UNPACKED_BYTES_MAX], 1)))
    if reading.trust is Trust.VERIFIED:
        assert data[:-256] in _contents()


def _content(data: bytes) -> None:
    """Read what the authority itself signed: it may say what it likes."""
    reading = _read(_as_digits(packed_of(signed(data, _signer()), "zlib")))
    assert reading.trust in {Trust.VERIFIED, Trust.UNREADABLE}
    assert reading.trust is Trust.VERIFIED or reading.fault in {
        Fault.FIELDS, Fault.TOO_LONG, Fault.TOO_LARGE,
    }  # fmt: skip


def _as_digits(packed: bytes) -> str:
    """Write bytes as digits; more than a reader takes are enough (Python's own way is slow)."""
    return digits_of(packed[:_PACKED_BYTES_MAX])


def _read(digits: str) -> AadhaarReading:
    reading = read_and_verify(digits, [_signer().anchor])
    assert (reading.fault is not None) == (reading.trust is Trust.UNREADABLE)
    if reading.card is not None:
        _harmless(reading.card.details)
        assert len(reading.card.mobile_last4) in {0, 4}
    return reading


def _letter(data: bytes) -> None:
    """An old letter loses all but four digits, whatever stands around them."""
    found = read_letter(data.decode("utf-8", "replace"))
    if isinstance(found, AadhaarDetails):
        _harmless(found)


def _harmless(details: AadhaarDetails) -> None:
    for value in dataclasses.asdict(details).values():
        assert _AADHAAR.search(str(value)) is None, "a whole number got through"
    for value in details.fields().values():
        assert value.isprintable()
        assert _LONG.search(value) is None, "a long number is shown"


def _stranger(data: bytes) -> None:
    said = explain(data.decode("utf-8", "replace"))
    assert said.isprintable()
    assert _LONG.search(said) is None


def _anchor(data: bytes) -> None:
    anchor = read_anchor(data, source="fuzz")
    assert anchor.name.isprintable()
    assert anchor.begins <= 2**40
    assert read_anchor(anchor.certificate, source="fuzz").fingerprint == anchor.fingerprint


@cache
def _codes() -> tuple[bytes, ...]:
    return tuple(
        digits_of(packed_of(signed(content, _signer()))).encode() for content in _contents()
    )


IDENTITY: Final = (
    Target(name="aadhaar-digits", run=_digits, samples=lambda: list(_codes())),
    Target(
        name="aadhaar-packed",
        run=_packed,
        samples=lambda: [packed_of(signed(content, _signer())) for content in _contents()],
    ),
    Target(
        name="aadhaar-inside",
        run=_inside,
        samples=lambda: [signed(content, _signer()) for content in _contents()],
    ),
    Target(name="aadhaar-content", run=_content, samples=lambda: list(_contents())),
    Target(name="aadhaar-letter", run=_letter, samples=lambda: [_LETTER.encode()]),
    Target(
        name="stranger",
        run=_stranger,
        samples=lambda: [b"https://example.org/x", b"upi://pay?pa=a@b", b"9999 4105 7058"],
    ),
    Target(
        name="anchor",
        run=_anchor,
        samples=lambda: [_signer().der, _signer().pem],
        allowed=(AnchorInvalid,),
    ),
)
