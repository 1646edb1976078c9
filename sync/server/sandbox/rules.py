"""Whom the practice ABDM knows beforehand, so that each outcome can be had in training.

Everybody else is new to it and gets a number. The special people are Aadhaar numbers of the test
range: ``9999 9900``, two digits that say what happens, any digit, and the check digit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from schemas.formats import verhoeff_holds

__all__ = [
    "FULL_MOBILE",
    "TAKEN_HANDLE",
    "UNKNOWN_HIP",
    "Rule",
    "number_for",
    "rule_lines",
    "rule_of",
]

FULL_MOBILE: Final = "9000000006"
"""A mobile that has six ABHA numbers already."""
TAKEN_HANDLE: Final = "taken"
"""Every address that begins so belongs to somebody else."""
UNKNOWN_HIP: Final = "IN0000000000"
"""The one facility that ABDM does not know."""

_PREFIX: Final = "99999900"


class Rule(StrEnum):
    """What is special about somebody: the two digits in their Aadhaar number."""

    MISMATCH = "01"
    EXISTING = "02"
    DEACTIVATED = "03"
    REVIEW = "04"
    UNKNOWN_CODE = "05"
    UIDAI = "06"
    NO_MOBILE = "07"
    OUTAGE = "08"
    LINK_KYC = "11"
    LINK_BLOCKED = "12"


_WORDS: Final[Mapping[Rule, str]] = {
    Rule.MISMATCH: "the details never match the card (ABDM-1207)",
    Rule.EXISTING: "has an ABHA number already (new: false)",
    Rule.DEACTIVATED: "has a number that was deactivated (ABDM-1407)",
    Rule.REVIEW: "has a number that ABDM does not tell; they are called (ABDM-1141)",
    Rule.UNKNOWN_CODE: "a refusal that nobody has documented (ABDM-4711)",
    Rule.UIDAI: "UIDAI's own refusal is passed on (ABDM-1204)",
    Rule.NO_MOBILE: "Aadhaar knows no mobile, so no code can be sent",
    Rule.OUTAGE: "the Aadhaar gateway is always down (ABDM-1206)",
    Rule.LINK_KYC: "gets a number; linking finds other details (ABDM-1043)",
    Rule.LINK_BLOCKED: "gets a number; linking is blocked for a day (ABDM-1027)",
}


def rule_of(aadhaar: str) -> Rule | None:
    """Give what is special about somebody; ``None`` for nearly everybody."""
    code = aadhaar.removeprefix(_PREFIX)[:2]
    if not aadhaar.startswith(_PREFIX) or code not in set(Rule):
        return None
    return Rule(code)


def number_for(rule: Rule, serial: int = 0) -> str:
    """Give one of the ten Aadhaar numbers (``serial`` 0–9) that a rule is about."""
    stem = f"{_PREFIX}{rule.value}{serial}"
    return next(stem + last for last in "0123456789" if verhoeff_holds(stem + last))


def rule_lines() -> Iterator[str]:
    """Say all of it, for the help page."""
    for rule in Rule:
        digits = number_for(rule)
        yield f"{digits[:4]} {digits[4:8]} {digits[8:]}  {_WORDS[rule]}"
    yield f"mobile {FULL_MOBILE}  has six ABHA numbers already (ABDM-1124)"
    yield f"address {TAKEN_HANDLE}...  belongs to somebody else (ABDM-1101)"
    yield f"facility {UNKNOWN_HIP}  is not known to ABDM (ABDM-1035)"
