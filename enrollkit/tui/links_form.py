"""The words and the figures of a record link, between the form and the ``link-intake-1`` row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from enrollkit.domain.birth_text import parse_birth
from enrollkit.domain.record_link import HiType

__all__ = ["FIGURES", "HI_WORDS", "date_value", "display_for", "figure_value", "pressure_value"]

HI_WORDS: Final[Mapping[str, str]] = MappingProxyType({
    HiType.WELLNESS_RECORD.value: "Wellness check",
    HiType.PRESCRIPTION.value: "Prescription",
    HiType.OP_CONSULTATION.value: "OPD visit",
    HiType.IMMUNIZATION_RECORD.value: "Immunization record",
    HiType.DIAGNOSTIC_REPORT.value: "Test report",
    HiType.DISCHARGE_SUMMARY.value: "Discharge summary",
    HiType.HEALTH_DOCUMENT_RECORD.value: "Health document",
    HiType.INVOICE.value: "Bill",
})  # fmt: skip
"""What the kinds of record are called at a camp; also the beginning of what the person reads."""

FIGURES: Final[Mapping[str, str]] = MappingProxyType({
    "pulse": "Pulse, a minute",
    "spo2": "Oxygen, %",
    "temperature_c": "Temperature, °C",
    "height_cm": "Height, cm",
    "weight_kg": "Weight, kg",
    "random_glucose_mg_dl": "Sugar, mg/dl",
})  # fmt: skip
"""The figures of a wellness check besides the blood pressure, with their units."""


def display_for(hi_type: str, day: Any) -> str:
    """Give what the person will read in a list; never a diagnosis."""
    words = HI_WORDS.get(hi_type, hi_type)
    try:
        return f"{words}, {date.fromisoformat(day):%d %b %Y}"
    except (TypeError, ValueError):
        return words


def date_value(typed: str, today: date) -> str | None:
    """Read a full date in any spelling that a birth date may have; else keep what was typed."""
    found = parse_birth(typed, today)
    if found is None or found.month is None or found.day is None:
        return typed.strip() or None
    return f"{found.year:04d}-{found.month:02d}-{found.day:02d}"


def figure_value(typed: str) -> float | int | str | None:
    """Read a number; text that is none is kept, so that it is refused in words."""
    text = typed.strip().replace(",", ".")
    if re.fullmatch(r"[0-9]{1,5}", text):
        return int(text)
    if re.fullmatch(r"[0-9]{1,5}\.[0-9]{1,3}", text):
        return float(text)
    return text or None


def pressure_value(typed: str) -> dict[str, Any]:
    """Read ``120/80`` as its two figures."""
    upper, slash, lower = typed.partition("/")
    figures = {"systolic": figure_value(upper), "diastolic": figure_value(lower) if slash else None}
    return {name: figure for name, figure in figures.items() if figure is not None}
