"""The intake row behind the form: fields are JSON Pointers, the row is a plain JSON object.

What cannot be understood yet (half a date, an unknown district) stays in the row as it was typed,
so that a draft loses nothing; the rules refuse it until it is put right.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from typing import Any, Final

from enrollkit.app.values import label_of
from enrollkit.domain.birth_text import parse_birth, say_birth
from enrollkit.domain.person import BirthDate
from enrollkit.locale import _
from schemas.pointers import with_value

__all__ = [
    "birth_text",
    "birth_value",
    "household_of",
    "is_grown_up",
    "is_minor",
    "label_of",
    "place_in_row",
    "step_of",
    "steps_for",
]

ADULT_AGE_YEARS: Final = 18
_STEP_OF_FIELD: Final = {
    "/consent": "consent",
    "/aadhaar": "document",
    "/address": "address",
    "/guardian": "guardian",
}
# An empty address stays, so that each of its fields is asked for by name.
_KEPT_WHEN_EMPTY: Final = ("address",)


def place_in_row(row: Mapping[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """Give a copy of the row with the value at the pointer; ``None`` takes the field away."""
    return with_value(row, pointer, value, kept=_KEPT_WHEN_EMPTY)


def birth_value(typed: str, today: date) -> dict[str, int] | str | None:
    """Give the row's birth for a typed text: its parts, or the text when it means nothing yet."""
    text = typed.strip()
    birth = parse_birth(text, today)
    if birth is None:
        return text or None
    parts = {"year": birth.year, "month": birth.month, "day": birth.day}
    return {name: part for name, part in parts.items() if part is not None}


def birth_text(value: Any) -> str:
    """Write the row's birth for its field."""
    birth = _birth(value)
    if birth is not None:
        return birth.text()
    return value if isinstance(value, str) else ""


def birth_said(value: Any, today: date) -> str:
    """Say a birth the long way with the age, ``14 March 1987, 39 years``; empty when unknown."""
    birth = _birth(value)
    if birth is None:
        return ""
    if birth.month is None:
        return _("{born}, about {age} years").format(born=birth.year, age=birth.age_said(today))
    return _("{born}, {age} years").format(born=say_birth(birth), age=birth.age_at(today))


def is_minor(row: Mapping[str, Any], today: date) -> bool:
    """Whether the row's birth makes the person a minor, on the youngest reading."""
    birth = _birth(row.get("birth"))
    return birth is not None and birth.year <= today.year and birth.age_at(today) < ADULT_AGE_YEARS


def is_grown_up(row: Mapping[str, Any], today: date) -> bool:
    """Whether the row's birth is known and makes the person no minor."""
    return _birth(row.get("birth")) is not None and not is_minor(row, today)


def steps_for(row: Mapping[str, Any], today: date) -> tuple[str, ...]:
    """Give the steps of the wizard; the guardian is asked for only where one is needed."""
    asks = is_minor(row, today) or row.get("guardian") is not None
    middle = ("person", "guardian") if asks else ("person",)
    return ("consent", "document", *middle, "address", "review")


def step_of(pointer: str) -> str:
    """Give the step that holds a field; what belongs to no field is shown in the review."""
    for prefix, step in _STEP_OF_FIELD.items():
        if pointer == prefix or pointer.startswith(prefix + "/"):
            return step
    return "person" if label_of(pointer) else "review"


def household_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the next of one household has in common with the last: all but the person."""
    shared = ("address", "household", "guardian", "language", "camp")
    return {name: deepcopy(row[name]) for name in shared if row.get(name) is not None}


def _birth(value: Any) -> BirthDate | None:
    if not isinstance(value, Mapping) or not isinstance(value.get("year"), int):
        return None
    month, day = value.get("month"), value.get("day")
    return BirthDate(
        year=value["year"],
        month=month if isinstance(month, int) else None,
        day=day if isinstance(day, int) else None,
    )
