"""Bad input is a value: a :class:`Problem` names the field, the fault and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Problem", "Severity"]


class Severity(StrEnum):
    """How far a problem stands in the way."""

    REFUSE = "refuse"
    """Cannot be saved like this."""
    REVIEW = "review"
    """May be right, but a person has to look and say so."""
    NOTE = "note"
    """Saved all the same; the operator is told (something was tidied, or looks unusual)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing about one field.

    ``pointer`` is the JSON Pointer of the field in the intake row (``/birth/day``; empty for the
    whole row). ``code`` is stable and lower case with dashes. ``text`` is for the operator and
    never repeats what was typed. ``related`` is the record id of another person concerned.
    """

    pointer: str
    code: str
    text: str
    severity: Severity = Severity.REFUSE
    related: str | None = None
