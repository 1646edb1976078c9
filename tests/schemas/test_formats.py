"""Identifiers as formats: what they take, what they refuse, which slips their check digits find."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.formats import FORMATS, is_aadhaar, verhoeff_holds

DIGITS = st.text("0123456789", min_size=1, max_size=13)
# The public worked example.
VERHOEFF_KNOWN = "2363"


def completed(digits: str, holds: Callable[[str], bool]) -> str:
    """Add the one check digit that holds."""
    fitting = [digits + check for check in "0123456789" if holds(digits + check)]
    assert len(fitting) == 1
    return fitting[0]


def test_the_worked_example_of_the_check_digit_holds() -> None:
    assert verhoeff_holds(VERHOEFF_KNOWN)
    assert not verhoeff_holds("2364")


@settings(deadline=None)
@given(DIGITS)
def test_verhoeff_finds_every_wrong_digit_and_every_swap_of_neighbours(digits: str) -> None:
    whole = completed(digits, verhoeff_holds)
    for place, right in enumerate(whole):
        for wrong in "0123456789":
            changed = whole[:place] + wrong + whole[place + 1 :]
            assert verhoeff_holds(changed) == (wrong == right)
    for place, (one, other) in enumerate(pairwise(whole)):
        swapped = whole[:place] + other + one + whole[place + 2 :]
        assert verhoeff_holds(swapped) == (one == other)


@given(st.text("0123456789", min_size=11, max_size=11))
def test_an_aadhaar_number_begins_with_2_to_9(digits: str) -> None:
    whole = completed(digits, verhoeff_holds)
    assert is_aadhaar(whole) == (whole[0] not in "01")


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "abha-number",
            ["91-1234-5678-9015"],
            ["91123456789015", "91-1234-5678-901", "9१-1234-5678-9015"],
        ),
        (
            "abha-address",
            ["kamla.devi@abdm", "91123456789015@sbx"],
            ["kamla@ndhm", "a@abdm", "_kamla@abdm", "kamla@abdm\n"],
        ),
        (
            "abha-handle",
            ["kamla.devi87", "kamla_d.evi"],
            ["kamla", "8kamladevi", "kamla.devi.", "kamla..devi", "k" * 19],
        ),
        ("hfr-id", ["IN1000000001"], ["IN100000001", "in1000000001", "IN10000000012"]),
        ("hpr-id", ["71000000000001"], ["71-0000-0000-0001", "7100000000001"]),
        (
            "mobile",
            ["6000000000", "9999999999"],
            ["5999999999", "+919000000001", "900000000", "९०००००००१०", "9000000001\n"],
        ),
        ("pincode", ["110001"], ["010001", "11000", "110 01"]),
        ("record-id", ["0f" * 16], ["0F" * 16, "0f" * 15, "0f" * 17]),
        ("calendar-date", ["2024-02-29"], ["2026-02-29", "2026-2-1", "20260201", "0000-01-01"]),
        (
            "timestamp",
            ["2026-11-22T10:30:00+05:30", "2026-11-22T05:00:00Z", "2026-11-22T05:00:00.123456Z"],
            [
                "2026-11-22T10:30:00",
                "2026-11-22 10:30:00Z",
                "2026-02-30T10:30:00Z",
                "2026-11-22T25:00:00Z",
                "2026-11-22T10:30:00+99:99",
            ],
        ),
        ("aadhaar", [], ["9999 0000 1234", "१२३४५६७८९०१२", ""]),
    ],
)
def test_a_format_takes_the_right_shape_and_refuses_the_others(
    name: str, good: list[str], bad: list[str]
) -> None:
    assert [text for text in good if not FORMATS[name](text)] == []
    assert [text for text in [*bad, "", "x"] if FORMATS[name](text)] == []


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=40))
def test_no_text_makes_a_format_raise(text: str) -> None:
    for check in FORMATS.values():
        assert check(text) in {True, False}
