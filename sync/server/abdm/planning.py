"""Which road to an ABHA number can finish a person: without them, or with them present.

Sources: NHA's developer portal, milestone 1. Only demographic authentication needs nobody: it is
for government entities, with a benefit that NHA configured. Everything else needs a code that the
person reads out, a parent who is logged in, or a document that is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from sync.server.abdm.calls import DemographicAsk
from sync.server.abdm.settings import AbdmSettings

__all__ = ["WANTS_CODE", "Plan", "Road", "ask_of", "plan_road"]

WANTS_CODE: Final = "person:otp"
"""Why somebody is called who has an Aadhaar number: the programme has no benefit of its own."""

_ADULT_YEARS: Final = 18
_ADDRESS_LETTERS_MAX: Final = 200


class Road(StrEnum):
    """A way to an ABHA number."""

    DEMOGRAPHICS = "demographics"
    """Aadhaar number, name, birth and gender, matched by UIDAI; nobody needs to be there."""
    OTP = "otp"
    """A code goes to the mobile that Aadhaar knows; the person reads it out."""
    PARENT = "parent"
    """A child without an Aadhaar number: a parent with an ABHA number consents, logged in."""
    DOCUMENT = "document"
    """An adult without an Aadhaar number: a driving licence, and a look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The road for a person; ``code`` and ``pointer`` say why they are needed, if they are."""

    road: Road
    code: str = ""
    pointer: str = ""

    @property
    def needs_person(self) -> bool:
        """Whether nothing can be done before the person is there."""
        return self.road is not Road.DEMOGRAPHICS


def plan_road(body: Mapping[str, Any], settings: AbdmSettings, *, today: date) -> Plan:
    """Choose a road from an ``enrollment-1`` body."""
    if "aadhaar_last4" in body:
        if settings.benefit:
            return Plan(road=Road.DEMOGRAPHICS)
        return Plan(road=Road.OTP, code=WANTS_CODE)
    if _may_be_child(body["birth"], today):
        return Plan(road=Road.PARENT, code="person:parent", pointer="/aadhaar")
    return Plan(road=Road.DOCUMENT, code="person:document", pointer="/aadhaar")


def ask_of(body: Mapping[str, Any], aadhaar: bytearray) -> DemographicAsk:
    """Put the words of a person into ABDM's order; ``aadhaar`` is overwritten by who calls."""
    birth, address = body["birth"], body["address"]
    return DemographicAsk(
        aadhaar=aadhaar,
        name=body["name"],
        birth=(birth["year"], birth.get("month", 0), birth.get("day", 0)),
        gender=body["gender"],
        state=address["state"],
        district=address["district"],
        mobile=body.get("mobile"),
        pincode=address["pincode"],
        address=f"{address['line']}, {address['village']}"[:_ADDRESS_LETTERS_MAX],
    )


def _may_be_child(birth: Mapping[str, Any], today: date) -> bool:
    """Whether somebody may be under age: then a parent comes too, and nobody comes twice."""
    youngest = (birth["year"], birth.get("month", 12), birth.get("day", 31))
    return (today.year - _ADULT_YEARS, today.month, today.day) < youngest
