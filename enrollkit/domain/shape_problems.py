"""Faults of a row's written form, in words that a clerk can act on.

The schema says what is wrong by keyword; here each keyword and field becomes a stable code and one
short sentence with the remedy. Nothing that was typed is repeated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from enrollkit.domain.problem import Problem, Severity
from enrollkit.locale import _
from schemas import Fault, validator

__all__ = ["label", "shape_problems", "value_at"]

_UNKNOWN_KEYS_MAX: Final = 20
_KEY_SHOWN_MAX: Final = 60
_AADHAAR_DIGITS: Final = 12
_MOBILE_DIGITS: Final = 10

_LABELS: Final[Mapping[str, Callable[[], str]]] = {
    "": lambda: _("This row"),
    "/name": lambda: _("Name"),
    "/name_native": lambda: _("Name in own script"),
    "/gender": lambda: _("Gender"),
    "/birth": lambda: _("Date of birth"),
    "/birth/year": lambda: _("Year of birth"),
    "/birth/month": lambda: _("Month of birth"),
    "/birth/day": lambda: _("Day of birth"),
    "/mobile": lambda: _("Mobile"),
    "/mobile_owner": lambda: _("Whose mobile"),
    "/address": lambda: _("Address"),
    "/address/line": lambda: _("House and street"),
    "/address/village": lambda: _("Village"),
    "/address/pincode": lambda: _("PIN code"),
    "/address/state": lambda: _("State"),
    "/address/district": lambda: _("District"),
    "/guardian": lambda: _("Guardian"),
    "/guardian/name": lambda: _("Guardian's name"),
    "/guardian/relation": lambda: _("Guardian's relation"),
    "/aadhaar": lambda: _("Aadhaar number"),
    "/consent": lambda: _("Consent"),
    "/consent/version": lambda: _("Consent wording"),
    "/consent/language": lambda: _("Language of consent"),
    "/consent/method": lambda: _("How consent was given"),
    "/consent/given_at": lambda: _("Time of consent"),
    "/consent/witness": lambda: _("Witness"),
    "/abha_address_choice": lambda: _("ABHA address"),
    "/language": lambda: _("Language"),
    "/household": lambda: _("Household"),
    "/camp": lambda: _("Camp"),
    "/person": lambda: _("Person"),
    "/person_row": lambda: _("Person's row"),
    "/hi_type": lambda: _("Kind of record"),
    "/facility": lambda: _("Facility"),
    "/professional": lambda: _("Health professional"),
    "/date": lambda: _("Date of the record"),
    "/display": lambda: _("Title of the record"),
    "/reference": lambda: _("Number of the record"),
    "/observations": lambda: _("Measurements"),
    "/observations/systolic": lambda: _("Upper blood pressure"),
    "/observations/diastolic": lambda: _("Lower blood pressure"),
    "/observations/pulse": lambda: _("Pulse"),
    "/observations/spo2": lambda: _("Oxygen"),
    "/observations/temperature_c": lambda: _("Temperature in °C"),
    "/observations/height_cm": lambda: _("Height in cm"),
    "/observations/weight_kg": lambda: _("Weight in kg"),
    "/observations/random_glucose_mg_dl": lambda: _("Blood sugar in mg/dl"),
}


def shape_problems(shape: str, row: Any) -> list[Problem]:
    """Give a problem for each fault of the row against a schema such as ``intake-1``."""
    if not isinstance(row, Mapping):
        return [
            Problem(
                pointer="",
                code="wrong-type",
                text=_("This row is no form with fields. Write it again."),
            )
        ]
    faults = validator(shape).faults(row)
    unknown = [fault for fault in faults if fault.code == "unknown-key"]
    known = [fault for fault in faults if fault.code != "unknown-key"]
    return [_problem(fault, row) for fault in [*known, *unknown[:_UNKNOWN_KEYS_MAX]]]


def label(pointer: str) -> str:
    """Give the name of a field as the operator knows it; its last key when there is none."""
    words = _LABELS.get(pointer)
    return words() if words else _printable(pointer.rpartition("/")[2])


def value_at(row: Any, pointer: str) -> Any:
    """Give what stands at a pointer; ``None`` when nothing does."""
    value = row
    for key in pointer.split("/")[1:]:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _problem(fault: Fault, row: Mapping[str, Any]) -> Problem:
    if fault.code == "unknown-key":
        return Problem(
            pointer=_printable(fault.pointer),
            code="unknown-key",
            text=_(
                "The kit does not know this field and will not keep it. Look whether it matters."
            ),
            severity=Severity.REVIEW,
        )
    name = fault.code.removeprefix("format:")
    special = _SPECIAL.get(name)
    if special:
        code, text = special(value_at(row, fault.pointer))
        return Problem(pointer=fault.pointer, code=code, text=text)
    suffix, words = _KEYWORDS.get(name, ("invalid", lambda: _("{field}: look at this again.")))
    if (fault.pointer, name) == ("/consent", "required"):
        words = _ask_for_consent
    if (fault.pointer, name) == ("/birth", "type"):
        words = _ask_for_birth
    slug = re.sub(r"[^a-z0-9]+", "-", fault.pointer.lower()).strip("-")
    code = suffix if suffix in {"wrong-type", "unreadable"} else f"{slug}-{suffix}"
    limit = "" if fault.limit is None else fault.limit
    text = words().format(field=label(fault.pointer), limit=limit)
    return Problem(pointer=fault.pointer, code=code, text=text)


_KEYWORDS: Final[Mapping[str, tuple[str, Callable[[], str]]]] = {
    "required": ("missing", lambda: _("{field}: please fill this in.")),
    "minLength": ("empty", lambda: _("{field}: please fill this in.")),
    "maxLength": ("too-long", lambda: _("{field}: too long. At most {limit} letters.")),
    "minimum": ("out-of-range", lambda: _("{field}: too small. At least {limit}.")),
    "maximum": ("out-of-range", lambda: _("{field}: too large. At most {limit}.")),
    "minProperties": ("empty", lambda: _("{field}: please fill this in, or leave it out.")),
    "enum": ("not-known", lambda: _("{field}: choose one from the list.")),
    "type": ("wrong-type", lambda: _("{field}: this cannot stand here. Write it again.")),
    "unreadable": ("unreadable", lambda: _("{field} cannot be read. Write it again.")),
    "pattern": (
        "characters", lambda: _("{field}: use letters, digits, spaces and . , - _ / : ( ) @ only."),
    ),
    "pincode": (
        "invalid", lambda: _("{field}: six digits, the first is not 0."),
    ),
    "abha-handle": (
        "invalid",
        lambda: _(
            "{field}: 8 to 18 letters and digits, a letter first; one point and one _ at most."
        ),
    ),
    "timestamp": ("invalid", lambda: _("{field}: write it as 2026-11-22T10:30:00+05:30.")),
    "calendar-date": ("invalid", lambda: _("{field}: give a day that exists, as 2026-11-22.")),
    "hfr-id": ("invalid", lambda: _("{field}: IN and ten digits, as the facility knows it.")),
    "hpr-id": ("invalid", lambda: _("{field}: fourteen digits without dashes.")),
}  # fmt: skip


def _consider_aadhaar(value: Any) -> tuple[str, str]:
    text = value if isinstance(value, str) else ""
    if re.fullmatch(r"[0-9]*", text) is None:
        return "aadhaar-letters", _("Aadhaar number: digits only.")
    if len(text) != _AADHAAR_DIGITS:
        return "aadhaar-length", _("Aadhaar number: it has 12 digits. Count them again.")
    if text[0] in "01":
        return "aadhaar-first-digit", _(
            "Aadhaar number: it never begins with 0 or 1. Read it again from the card."
        )
    return "aadhaar-check-digit", _(
        "Aadhaar number: one digit is wrong. Read it again from the card."
    )


def _consider_mobile(value: Any) -> tuple[str, str]:
    text = value if isinstance(value, str) else ""
    if re.fullmatch(r"[0-9]*", text) is None:
        return "mobile-letters", _("Mobile: digits only.")
    if len(text) != _MOBILE_DIGITS:
        return "mobile-length", _("Mobile: it has 10 digits. Count them again.")
    return "mobile-first-digit", _("Mobile: an Indian mobile begins with 6, 7, 8 or 9.")


def _ask_for_birth() -> str:
    return _('{field}: write the day, the year, or the age with its word: "45 years".')


def _ask_for_consent() -> str:
    return _("{field}: read the wording out first, then write down the answer.")


def _consider_person(_value: Any) -> tuple[str, str]:
    return "person-missing", _("Say whose record this is: a number, or a row, not both.")


_SPECIAL: Final[Mapping[str, Callable[[Any], tuple[str, str]]]] = {
    "aadhaar": _consider_aadhaar,
    "mobile": _consider_mobile,
    "oneOf": _consider_person,
}


def _printable(text: str) -> str:
    """Cut what a stranger named a field, so that it can be shown in a terminal."""
    plain = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return plain if len(plain) <= _KEY_SHOWN_MAX else plain[:_KEY_SHOWN_MAX] + "…"
