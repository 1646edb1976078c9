"""What ABDM will need the person for again, said while the person is still here; it stops nobody.

Of all roads to a number only demographic authentication asks for nothing but what is written down,
and it takes an Aadhaar number. A child without one gets its number through a parent who has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from enrollkit.domain.person_rules import ADULT_YEARS, possible_birth
from enrollkit.domain.problem import Problem, Severity
from enrollkit.domain.rules import Context
from enrollkit.locale import _

__all__ = ["CALL_NEEDED", "foresee", "foreseen_call"]

CALL_NEEDED: Final = "call-needed"
"""The code of the note that somebody will have to call the person."""


def foresee(row: Any, context: Context) -> list[Problem]:
    """Give notes about a row that has been through ``normalise``; none while too little is known.

    The row is raw JSON that may be wrong in any way, as for :func:`enrollkit.domain.rules.check`.
    """
    if not isinstance(row, Mapping):
        return []
    has_number = row.get("aadhaar") is not None or context.aadhaar_last4 is not None
    birth = possible_birth(row, context.today)
    if has_number or birth is None:
        return []
    if birth.age_at(context.today) < ADULT_YEARS:
        text = _("Without Aadhaar, a parent with an ABHA number will have to be called.")
    elif row.get("mobile") is None:
        text = _("Without Aadhaar, somebody will have to call; and there is no mobile number.")
    else:
        text = _("Without Aadhaar, somebody will have to call about another document.")
    return [Problem(pointer="/aadhaar", code=CALL_NEEDED, text=text, severity=Severity.NOTE)]


def foreseen_call(problems: list[Problem]) -> str:
    """Give the words about the call among the problems of a row; empty when there is none."""
    return next((problem.text for problem in problems if problem.code == CALL_NEEDED), "")
