"""Tidying a row: what is changed, what is told, what is left alone."""

from __future__ import annotations

import unicodedata
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_rows import ANY_JSON, row, with_value
from enrollkit.domain.intake import normalise
from enrollkit.domain.problem import Severity
from enrollkit.domain.shape_problems import value_at

KEYS = st.sampled_from(sorted({*row(), "name_native", "aadhaar", "guardian", "household", "zz"}))


@pytest.mark.parametrize(
    ("pointer", "written", "stored"),
    [
        ("/name", "  Sunita   Devi ", "Sunita Devi"),
        ("/name", "Sunita\u00a0Devi", "Sunita Devi"),
        ("/name", "D\u2019Souza", "D'Souza"),
        ("/name", "Jose\u0301", "José"),
        ("/name_native", unicodedata.normalize("NFD", "ତ୍ରିଲୋଚନ ପ୍ରଧାନ"), "ତ୍ରିଲୋଚନ ପ୍ରଧାନ"),
        ("/gender", "f", "F"),
        ("/gender", " Male ", "M"),
        ("/gender", "transgender", "O"),
        ("/gender", "महिला", "F"),
        ("/mobile", "+91 90000 00001", "9000000001"),
        ("/mobile", "09000000001", "9000000001"),
        ("/mobile", "919000000001", "9000000001"),
        ("/mobile", "0091-9000-000-001", "9000000001"),
        ("/mobile", "९००००००००१", "9000000001"),
        ("/mobile_owner", "Self", "self"),
        ("/address/pincode", "800 001", "800001"),
        ("/address/line", "Ward  4 ", "Ward 4"),
        ("/aadhaar", "9999 0000 1234", "999900001234"),
        ("/abha_address_choice", "kamla.devi87@ABDM", "kamla.devi87"),
        ("/abha_address_choice", "kamla.devi87@sbx", "kamla.devi87"),
        ("/consent/method", "Verbal witnessed", "verbal-witnessed"),
        ("/guardian/relation", "Husband", "spouse"),
        ("/language", "HI", "hi"),
    ],
)
def test_a_field_gets_its_usual_form_and_a_note(pointer: str, written: str, stored: str) -> None:
    tidied, notes = normalise(with_value(row(), pointer, written))
    assert value_at(tidied, pointer) == stored
    assert [(note.pointer, note.code, note.severity) for note in notes] == [
        (pointer, "normalised", Severity.NOTE)
    ]


@pytest.mark.parametrize(
    ("pointer", "written"),
    [
        ("/name", "Asha\u0000"),
        ("/name", "\u001fAsha"),
        ("/name", "Asha\t"),
        ("/name", "Asha\u202e"),
        ("/name", "As\u200dha"),
        ("/name", "Asha 🙂"),
        ("/name_native", "क्\u200dष"),
        ("/mobile", 9000000001),
        ("/mobile", "1900000000"),
        ("/birth/year", "1987"),
        ("/address/state", "10"),
        ("/gender", 1),
        ("/aadhaar", "9999-OOOO-1234"),
        ("/caste", " x "),
    ],
)
def test_what_may_not_be_guessed_is_left_as_it_is(pointer: str, written: Any) -> None:
    tidied, notes = normalise(with_value(row(), pointer, written))
    assert value_at(tidied, pointer) == written
    assert notes == []


@pytest.mark.parametrize("blank", [None, "", "   "])
@pytest.mark.parametrize("pointer", ["/mobile", "/name_native", "/aadhaar", "/consent/witness"])
def test_a_missing_value_is_left_out_without_a_note(pointer: str, blank: str | None) -> None:
    tidied, notes = normalise(with_value(row(), pointer, blank))
    assert value_at(tidied, pointer) is None
    assert notes == []
    assert pointer.rpartition("/")[2] not in tidied


@pytest.mark.parametrize("guardian", [{}, {"name": " ", "relation": None}, None])
def test_a_guardian_with_nothing_filled_in_is_none(guardian: dict[str, Any] | None) -> None:
    tidied, notes = normalise(row(guardian=guardian))
    assert "guardian" not in tidied
    assert notes == []


def test_a_whole_number_with_a_point_becomes_a_plain_one() -> None:
    tidied, notes = normalise(with_value(row(), "/birth/year", 1987.0))
    assert isinstance(value_at(tidied, "/birth/year"), int)
    assert notes == []


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(KEYS, ANY_JSON, max_size=5), st.data())
def test_no_json_makes_it_raise_and_the_given_row_stays(
    fields: dict[str, Any], data: st.DataObject
) -> None:
    group = data.draw(st.sampled_from(["birth", "address", "guardian", "consent"]))
    inner = data.draw(st.dictionaries(st.sampled_from(["name", "line", "year"]), ANY_JSON))
    raw = {**row(), **fields, group: inner}
    before = repr(deepcopy(raw))
    normalise(raw)
    assert repr(raw) == before


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(KEYS, st.text(max_size=30), max_size=5))
def test_tidying_twice_changes_nothing_more(fields: dict[str, str]) -> None:
    once, _ = normalise({**row(), **fields})
    twice, notes = normalise(once)
    assert twice == once
    assert notes == []
