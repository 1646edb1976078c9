"""Reads an Aadhaar Secure QR and checks UIDAI's signature on it, without a network.

V1 is UIDAI's specification of March 2019. Of V2, V3 and V5 there is no public one: they are as
public readers and cards agree, and a version that nobody knows is read as their kind. Inside: text
fields, each ended by 0xFF, a photograph, in V1 hashes of e-mail and mobile, 256 bytes of signature
over all before it. Only text in ISO 8859-1 and the last four digits of the number are ever there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Final

from enrollkit.identity.aadhaar import (
    AadhaarDetails,
    last_four,
    read_birth,
    read_gender,
    read_text,
)
from enrollkit.identity.packing import Fault, NotUsable, unpack
from enrollkit.identity.trust import Trust, judge_signature
from sync.anchors import TrustAnchor

__all__ = ["AadhaarCard", "AadhaarReading", "Oddity", "read_and_verify"]

_SIGNATURE_BYTES: Final = 256
_END: Final = b"\xff"
_VERSION: Final = re.compile(rb"V[0-9]{1,2}")
_KNOWN: Final = frozenset({"V1", "V2", "V3", "V5"})
_FIELDS_OF_V1: Final = (
    "contacts", "reference", "name", "birth", "gender", "care_of", "district", "landmark", "house",
    "locality", "pincode", "post_office", "state", "street", "subdistrict", "village",
)  # fmt: skip
_FIELDS_OF_LATER: Final = ("version", *_FIELDS_OF_V1, "mobile")
_TEXTS: Final = (
    "name", "care_of", "district", "landmark", "house", "locality", "pincode", "post_office",
    "state", "street", "subdistrict", "village",
)  # fmt: skip
_REFERENCE: Final = re.compile(r"([0-9]{4})([0-9]{14})(?:[0-9]{3})?")
_PINCODE: Final = re.compile(r"(?:[0-9]{6})?")
_PICTURES: Final = (b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ", b"\xff\xd8\xff")
"""How a JPEG 2000 codestream, a JP2 file and a JPEG begin."""
_PICTURE_END: Final = b"\xff\xd9"
_HASH_BYTES: Final = 32
_TAILS: Final = (0, _HASH_BYTES, 2 * _HASH_BYTES)
_FIRST_YEAR: Final = 2010
"""The first Aadhaar number was given in September 2010."""
_INDIA: Final = timezone(timedelta(hours=5, minutes=30))


class Oddity(StrEnum):
    """What of a code that could be read is not as it is known."""

    VERSION = "version"
    REST = "rest"
    """Bytes between or behind the known parts. The signature is over them too."""
    PACKING = "packing"
    """The unsigned wrapping was changed: nothing in such a code is called verified."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AadhaarCard:
    """What an Aadhaar QR says. ``made_at`` is its own time, in seconds since 1970 UTC.

    ``photo`` (JPEG 2000 or JPEG, not decoded) is for the eyes of the operator and is not to be
    stored; ``mobile_last4`` is empty before V2, and where the card has no mobile number.
    """

    version: str
    details: AadhaarDetails
    made_at: int
    mobile_last4: str
    photo: bytes | None
    oddities: frozenset[Oddity]

    def __repr__(self) -> str:
        return f"AadhaarCard({self.version}, <withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AadhaarReading:
    """A code and what it is worth.

    ``card`` is ``None`` when it could not be read (``fault``), and for a tampered one: what it says
    is worth nothing. ``anchor`` is the certificate that the verdict rests on.
    """

    trust: Trust
    card: AadhaarCard | None = None
    anchor: TrustAnchor | None = None
    fault: Fault | None = None

    def __repr__(self) -> str:
        return f"AadhaarReading({self.trust}, <withheld>)"

    @property
    def is_timely(self) -> bool:
        """Whether the card's own time lies in the life of the certificate it was checked with."""
        if self.card is None or self.anchor is None:
            return False
        return self.anchor.lived_at(self.card.made_at)


def read_and_verify(digits: str, anchors: Sequence[TrustAnchor]) -> AadhaarReading:
    """Read the digits of a code and try its signature with every anchor. Never raises."""
    try:
        unpacked = unpack(digits)
        content, signature = _halves(unpacked.data)
        card = _card(content, is_as_issued=unpacked.is_as_issued)
    except NotUsable as problem:
        return AadhaarReading(trust=Trust.UNREADABLE, fault=problem.fault)
    found = judge_signature(content, signature, anchors)
    if found.trust is Trust.TAMPERED:
        return AadhaarReading(trust=Trust.TAMPERED, anchor=found.anchor)
    if Oddity.PACKING in card.oddities:
        return AadhaarReading(trust=Trust.NOT_VERIFIED, card=card)
    return AadhaarReading(trust=found.trust, card=card, anchor=found.anchor)


def _halves(data: bytes) -> tuple[bytes, bytes]:
    if len(data) <= _SIGNATURE_BYTES:
        raise NotUsable(Fault.FIELDS)
    return data[:-_SIGNATURE_BYTES], data[-_SIGNATURE_BYTES:]


def _card(content: bytes, *, is_as_issued: bool) -> AadhaarCard:
    version, fields, rest = _taken_apart(content)
    last4, made_at = _reference(fields["reference"])
    texts = {name: read_text(fields[name]) for name in _TEXTS}
    if _PINCODE.fullmatch(texts["pincode"]) is None or not texts["name"]:
        raise NotUsable(Fault.FIELDS)
    photo, is_known_rest = _picture(rest)
    oddities = {
        Oddity.VERSION: version not in _KNOWN,
        Oddity.REST: not is_known_rest,
        Oddity.PACKING: not is_as_issued,
    }
    return AadhaarCard(
        version=version,
        details=AadhaarDetails(
            last4=last4,
            birth=read_birth(fields["birth"]),
            gender=read_gender(fields["gender"]),
            **texts,
        ),
        made_at=made_at,
        mobile_last4=last_four(fields.get("mobile", "")),
        photo=photo,
        oddities=frozenset(oddity for oddity, is_there in oddities.items() if is_there),
    )


def _taken_apart(content: bytes) -> tuple[str, dict[str, str], bytes]:
    """Give version, fields by name, and what stands behind them; a photo may hold 0xFF too."""
    marked = _VERSION.fullmatch(content.partition(_END)[0])
    names = _FIELDS_OF_LATER if marked else _FIELDS_OF_V1
    parts = content.split(_END, len(names))
    if len(parts) != len(names) + 1:
        raise NotUsable(Fault.FIELDS)
    texts = [part.decode("latin-1") for part in parts[:-1]]
    version = marked[0].decode("ascii") if marked else "V1"
    return version, dict(zip(names, texts, strict=True)), parts[-1]


def _reference(text: str) -> tuple[str, int]:
    """Take apart the reference: four digits of the number, then the time in India."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise NotUsable(Fault.FIELDS)
    try:
        made = datetime.strptime(found[2], "%Y%m%d%H%M%S").replace(tzinfo=_INDIA)
    except ValueError as problem:
        raise NotUsable(Fault.FIELDS) from problem
    if made.year < _FIRST_YEAR:
        raise NotUsable(Fault.FIELDS)
    return found[1], int(made.timestamp())


def _picture(rest: bytes) -> tuple[bytes | None, bool]:
    """Find the photo behind the fields; tell whether nothing unknown stands around it.

    Text fields of later versions may come first; hashes (V1) may follow. A hash may by chance hold
    the two bytes that end a picture, so an end before a known tail goes before the last one.
    """
    starts = [rest.find(mark) for mark in _PICTURES if mark in rest]
    if not starts:
        return None, len(rest) in _TAILS or _is_text(rest)
    start = min(starts)
    ends = [len(rest) - tail for tail in _TAILS if rest[: -tail or None].endswith(_PICTURE_END)]
    last = rest.rfind(_PICTURE_END, start) + len(_PICTURE_END)
    end = next((place for place in ends if place > start), max(last, start))
    if end <= start + len(_PICTURE_END):
        return None, False
    return rest[start:end], _is_text(rest[:start]) and len(rest) - end in _TAILS


def _is_text(extra: bytes) -> bool:
    """Whether these are further fields, each with its end, or nothing."""
    if extra and not extra.endswith(_END):
        return False
    try:
        read_text(extra.replace(_END, b" ").decode("latin-1"))
    except NotUsable:
        return False
    return True
