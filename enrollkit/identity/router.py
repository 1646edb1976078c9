"""Tells what kind of code was scanned, by its first characters, without taking it apart.

The marks of each kind: UIDAI Secure QR Code Specification (2019), NHA's ABHA card, MOSIP Claim
169, EU Digital COVID Certificate, SMART Health Cards.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Final

from enrollkit.domain.identifiers import is_provisional_number
from enrollkit.locale import _

__all__ = ["TEXT_MAX", "Kind", "classify"]

TEXT_MAX: Final = 64 * 1024
"""Longer than any code, and than any Aadhaar XML without a large photograph."""

_SECURE_QR_DIGITS_MIN: Final = 200
_XML_KYC: Final = re.compile(r"<(OfflinePaperlessKyc|OKY)\b")
_XML_PRINT: Final = re.compile(r"<PrintLetterBarcodeData\b")
_BASE45: Final = re.compile(r"[0-9A-Z $%*+\-./:]{60,}")
# zlib begins with 78DA, 789C, 7801 or 785E by its level (RFC 1950); so these in base45.
_BASE45_STARTS: Final = ("NCF", "6BF", "V7F", "Y9F")
_ABHA_KEYS: Final = frozenset({"hidn", "hid", "phr"})


class Kind(StrEnum):
    """What a scanned text is."""

    CARD = "card"
    PROVISIONAL_NUMBER = "provisional-number"
    ABHA = "abha"
    AADHAAR_SECURE_QR = "aadhaar-secure-qr"
    AADHAAR_XML = "aadhaar-xml"
    AADHAAR_OLD_QR = "aadhaar-old-qr"
    FACILITY = "facility"
    HEALTH_CERTIFICATE = "health-certificate"
    STATEMENT = "statement"
    UNKNOWN = "unknown"

    @property
    def words(self) -> str:
        """Name it to the operator."""
        return {
            Kind.CARD: _("Signed card"),
            Kind.PROVISIONAL_NUMBER: _("Provisional number"),
            Kind.ABHA: _("ABHA card (nobody has signed it)"),
            Kind.AADHAAR_SECURE_QR: _("Aadhaar card"),
            Kind.AADHAAR_XML: _("Aadhaar offline e-KYC"),
            Kind.AADHAAR_OLD_QR: _("Old Aadhaar letter (nobody has signed it)"),
            Kind.FACILITY: _("Address of a health facility, no person"),
            Kind.HEALTH_CERTIFICATE: _("Vaccination certificate"),
            Kind.STATEMENT: _("Statement of a camp"),
            Kind.UNKNOWN: _("Unknown code"),
        }[self]


def classify(scanned: str) -> Kind:
    """Tell the kind of a scanned text. Never raises."""
    if len(scanned) > TEXT_MAX:
        return Kind.UNKNOWN
    # A card's code may begin or end with a blank that belongs to it, so only for the other kinds
    # are blanks taken off.
    if _is_card(scanned.strip("\r\n")):
        return Kind.CARD
    text = scanned.strip().removeprefix("\ufeff")
    for kind, holds in _TESTS:
        if holds(text):
            return kind
    return Kind.UNKNOWN


def _is_card(text: str) -> bool:
    return _BASE45.fullmatch(text) is not None and text.startswith(_BASE45_STARTS)


def _is_secure_qr(text: str) -> bool:
    return len(text) >= _SECURE_QR_DIGITS_MIN and re.fullmatch("[0-9]+", text) is not None


def _is_abha(text: str) -> bool:
    """Whether it is the JSON of an ABHA card or of an ABHA app (the two spell keys unlike)."""
    if not text.startswith("{"):
        return False
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and bool(_ABHA_KEYS & fields.keys())


def _is_facility(text: str) -> bool:
    """Whether it is the address of NHA's scan-and-share page."""
    shape = r"https?://[^\s]+[?&](hip-id|hipId|hip_id)=[^\s]*"
    return re.fullmatch(shape, text, re.IGNORECASE) is not None


def _is_certificate(text: str) -> bool:
    return text.startswith(("HC1:", "shc:/", "SHC:/"))


def _is_statement(text: str) -> bool:
    """Whether it begins as the code of a camp's statement does (:mod:`enrollkit.reports`)."""
    return text.startswith("EKS1:")


_TESTS: Final = (
    (Kind.STATEMENT, _is_statement),
    (Kind.PROVISIONAL_NUMBER, is_provisional_number),
    (Kind.AADHAAR_SECURE_QR, _is_secure_qr),
    (Kind.AADHAAR_XML, lambda text: _XML_KYC.search(text) is not None),
    (Kind.AADHAAR_OLD_QR, lambda text: _XML_PRINT.search(text) is not None),
    (Kind.ABHA, _is_abha),
    (Kind.FACILITY, _is_facility),
    (Kind.HEALTH_CERTIFICATE, _is_certificate),
)
