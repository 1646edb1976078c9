"""What ABDM will need the person for again is said early, and stops nobody."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from domain_rows import ANY_JSON, context, row
from enrollkit.domain.foresight import foresee, foreseen_call
from enrollkit.domain.problem import Severity
from enrollkit.domain.rules import stands_in_the_way

NUMBER = "999941057058"
"""A test number of UIDAI's own."""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "call about another document"),
        ({"mobile": None, "mobile_owner": "none"}, "no mobile number"),
        ({"birth": {"year": 2019}}, "a parent with an ABHA number"),
        ({"birth": {"year": 2008, "month": 11, "day": 23}}, "a parent with an ABHA number"),
        ({"birth": {"year": 2008, "month": 11, "day": 22}}, "call about another document"),
    ],
)
def test_without_an_aadhaar_number_somebody_will_have_to_call(
    changes: dict[str, Any], words: str
) -> None:
    (note,) = found = foresee(row(**changes), context())
    assert (note.pointer, note.severity) == ("/aadhaar", Severity.NOTE)
    assert words in note.text
    assert foreseen_call(found) == note.text
    assert not stands_in_the_way(found)


def test_with_a_number_typed_or_sealed_nobody_has_to_be_called() -> None:
    assert foresee(row(aadhaar=NUMBER), context()) == []
    assert foresee(row(), context(aadhaar_last4="7058")) == []
    assert foreseen_call([]) == ""


@settings(deadline=None, max_examples=200)
@given(ANY_JSON)
def test_nothing_that_a_file_can_hold_is_too_strange(raw: Any) -> None:
    assert all(note.severity is Severity.NOTE for note in foresee(raw, context()))


def test_while_the_birth_is_not_known_nothing_is_said() -> None:
    assert foresee(row(birth=None), context()) == []
