"""How a date of birth may be typed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollkit.domain.birth_text import parse_birth, say_birth
from enrollkit.domain.person import BirthDate

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("typed", "year", "month", "day"),
    [
        ("14/3/87", 1987, 3, 14),
        ("14/3/1987", 1987, 3, 14),
        ("14-03-1987", 1987, 3, 14),
        ("14.3.87", 1987, 3, 14),
        ("14 3 1987", 1987, 3, 14),
        ("14031987", 1987, 3, 14),
        ("1987-03-14", 1987, 3, 14),
        ("14 March 1987", 1987, 3, 14),
        ("14 mar 87", 1987, 3, 14),
        ("14th March, 1987", 1987, 3, 14),
        ("9 Sept 2010", 2010, 9, 9),
        ("March 1987", 1987, 3, None),
        ("3/1987", 1987, 3, None),
        ("1987", 1987, None, None),
        ("  1987 ", 1987, None, None),
        ("39 years", 1987, None, None),
        ("39y", 1987, None, None),
        ("39 साल", 1987, None, None),
        ("३९ वर्ष", 1987, None, None),
        ("१४/३/१९८७", 1987, 3, 14),
        ("8 months", 2026, 3, None),
        ("11 months", 2025, 12, None),
        ("22/11/26", 2026, 11, 22),
        ("22/11/27", 1927, 11, 22),
        ("29/2/1987", 1987, 2, 29),
    ],
)
def test_what_people_write_is_understood(
    typed: str, year: int, month: int | None, day: int | None
) -> None:
    assert parse_birth(typed, TODAY) == BirthDate(year=year, month=month, day=day)


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "14/3", "39", "yesterday", "14 Foo 1987", "0000", "200 years", "1" * 500, "14//"],
)
def test_what_is_no_birth_is_none(typed: str) -> None:
    assert parse_birth(typed, TODAY) is None


@given(st.text(max_size=100))
def test_no_text_makes_it_fail(typed: str) -> None:
    found = parse_birth(typed, TODAY)
    assert found is None or found.year > 0


@given(st.dates(min_value=date(1900, 1, 1), max_value=TODAY))
def test_what_is_said_can_be_typed_again(day: date) -> None:
    birth = BirthDate(year=day.year, month=day.month, day=day.day)
    assert parse_birth(say_birth(birth), TODAY) == birth
    assert parse_birth(birth.text(), TODAY) == birth


def test_a_partial_birth_is_said_without_what_is_not_known() -> None:
    assert say_birth(BirthDate(year=1987, month=3)) == "March 1987"
    assert say_birth(BirthDate(year=1987)) == "1987"
