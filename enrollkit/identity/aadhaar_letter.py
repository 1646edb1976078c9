"""Reads the XML of old Aadhaar letters, which nobody signed and which holds the whole number.

Only the last four digits get past this reader. It is no XML parser on purpose: many of these codes
are no XML at all (``</?xml``, quotes with backslashes, bare ampersands), and none needs entities.
"""

from __future__ import annotations

import html
import re
from typing import Final

from enrollkit.identity.aadhaar import (
    AadhaarDetails,
    last_four,
    read_birth,
    read_gender,
    read_text,
)
from enrollkit.identity.packing import Fault, NotUsable

__all__ = ["LETTER_CHARACTERS_MAX", "read_letter"]

LETTER_CHARACTERS_MAX: Final = 8192
"""More than a QR code holds."""

_ELEMENT: Final = re.compile(r"<PrintLetterBarcodeData\b")
_ATTRIBUTE: Final = re.compile(
    r"""([A-Za-z_]{1,40})\s{0,9}=\s{0,9}\\?(?:"([^"\\]{0,600})\\?"|'([^'\\]{0,600})\\?')"""
)
_SPELT: Final = {
    "name": ("name",),
    "care_of": ("co", "careof", "gname"),
    "house": ("house",),
    "street": ("street",),
    "landmark": ("lm", "landmark"),
    "locality": ("loc", "location"),
    "village": ("vtc",),
    "post_office": ("po", "postoffice"),
    "subdistrict": ("subdist", "subdistrict"),
    "district": ("dist", "district"),
    "state": ("state",),
    "pincode": ("pc", "pincode"),
}


def read_letter(text: str) -> AadhaarDetails | Fault:
    """Give what an old letter's code says, without the number; a :class:`Fault` if it says nothing.

    Nobody vouches for it. Of an attribute that stands there twice the first one counts.
    """
    try:
        return _details(_attributes(text))
    except NotUsable as problem:
        return problem.fault


def _attributes(text: str) -> dict[str, str]:
    if len(text) > LETTER_CHARACTERS_MAX:
        raise NotUsable(Fault.TOO_LARGE)
    element = _ELEMENT.search(text)
    if element is None:
        raise NotUsable(Fault.FIELDS)
    found: dict[str, str] = {}
    for name, double, single in _ATTRIBUTE.findall(text, element.end()):
        found.setdefault(name.lower(), html.unescape(double or single))
    return found


def _details(found: dict[str, str]) -> AadhaarDetails:
    texts = {name: read_text(_first(found, spellings)) for name, spellings in _SPELT.items()}
    if not texts["name"]:
        raise NotUsable(Fault.FIELDS)
    birth = read_birth(found.get("dob", "")) or read_birth(found.get("yob", ""))
    return AadhaarDetails(
        last4=last_four(found.get("uid", "")),
        birth=birth,
        gender=read_gender(found.get("gender", "")),
        **texts,
    )


def _first(found: dict[str, str], spellings: tuple[str, ...]) -> str:
    return next((found[name] for name in spellings if found.get(name)), "")
