"""Identifiers of Indian health care as format checks: shape and check digit, nothing else.

Each check takes the text as stored (no spaces, no dashes unless said) and answers whether it can
be such an identifier. None of them says that the identifier exists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

__all__ = [
    "FORMATS",
    "is_aadhaar",
    "is_abha_address",
    "is_abha_handle",
    "is_abha_number",
    "is_hfr_id",
    "is_hpr_id",
    "is_mobile",
    "is_pincode",
    "verhoeff_holds",
]

# Verhoeff's multiplication in the dihedral group D5 and his permutation
# (J. Verhoeff, Error Detecting Decimal Codes, 1969).
_D5: Final = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
_PERMUTATION: Final = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def verhoeff_holds(digits: Sequence[str]) -> bool:
    """Whether the last digit is the Verhoeff check digit of those before it."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = int(_D5[check][int(_PERMUTATION[place % 8][int(digit)])])
    return check == 0


def is_aadhaar(text: str) -> bool:
    """Twelve digits, the first 2–9, the last a Verhoeff check digit (NHA, M1: Aadhaar OTP)."""
    return re.fullmatch(r"[2-9][0-9]{11}", text) is not None and verhoeff_holds(text)


def is_abha_number(text: str) -> bool:
    """Fourteen digits written ``NN-NNNN-NNNN-NNNN`` (NHA, M1 ABHA Swagger).

    The check digit is not asked for: NHA documents none, and warns against validating more
    strictly than the platform.
    """
    return re.fullmatch(r"[0-9]{2}(-[0-9]{4}){3}", text) is not None


def is_abha_address(text: str) -> bool:
    """An existing ABHA address such as ``name.91@abdm``, or ``@sbx`` in the sandbox (M2)."""
    return (
        re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.]+[a-zA-Z0-9]@(abdm|sbx)", text, re.ASCII) is not None
    )


def is_abha_handle(text: str) -> bool:
    """A handle that may be asked for: 8–18 characters, a letter first, one ``.`` and one ``_``.

    The strictest reading of NHA's three texts, so that no person is promised a handle that is
    refused later (M1 v3 Swagger; PHR address policy).
    """
    return (
        re.fullmatch(r"[a-zA-Z][a-zA-Z0-9._]{6,16}[a-zA-Z0-9]", text, re.ASCII) is not None
        and text.count(".") <= 1
        and text.count("_") <= 1
    )


def is_hfr_id(text: str) -> bool:
    """A Health Facility Registry id: ``IN`` and ten digits."""
    return re.fullmatch(r"IN[0-9]{10}", text) is not None


def is_hpr_id(text: str) -> bool:
    """A Health Professional Registry id: fourteen digits, no dashes."""
    return re.fullmatch(r"[0-9]{14}", text) is not None


def is_mobile(text: str) -> bool:
    """Ten digits that begin with 6, 7, 8 or 9, without +91."""
    return re.fullmatch(r"[6-9][0-9]{9}", text) is not None


def is_pincode(text: str) -> bool:
    """Six digits, the first 1–9 (India Post)."""
    return re.fullmatch(r"[1-9][0-9]{5}", text) is not None


def is_hex_id(text: str) -> bool:
    """A record id: 32 lower-case hexadecimal digits."""
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None


def is_date(text: str) -> bool:
    """A full calendar date, ``YYYY-MM-DD``."""
    return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None and _parses(text)


def is_timestamp(text: str) -> bool:
    """An instant with its offset, ``YYYY-MM-DDTHH:MM:SS+05:30`` (RFC 3339)."""
    shape = (
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
        r"(Z|[+-][0-9]{2}:[0-9]{2})"
    )
    return re.fullmatch(shape, text) is not None and _parses(text)


def _parses(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "aadhaar": is_aadhaar,
    "abha-number": is_abha_number,
    "abha-address": is_abha_address,
    "abha-handle": is_abha_handle,
    "hfr-id": is_hfr_id,
    "hpr-id": is_hpr_id,
    "mobile": is_mobile,
    "pincode": is_pincode,
    "record-id": is_hex_id,
    "calendar-date": is_date,
    "timestamp": is_timestamp,
}
