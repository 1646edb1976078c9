"""No spelling of an Aadhaar number survives masking."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollkit.identity.masking import (
    SHOWN_MAX,
    mask_aadhaar,
    mask_numbers,
    showable,
)

AADHAAR = "999997899787"
DEVANAGARI = str.maketrans("0123456789", "०१२३४५६७८९")


@pytest.mark.parametrize(
    "spelt",
    [
        AADHAAR,
        "9999 9789 9787",
        "9999-9789-9787",
        "9999 - 9789 - 9787",
        " ".join(AADHAAR),
        "9999\u200b9789\u200d9787",
        "9999\n9789\t9787",
        AADHAAR.translate(DEVANAGARI),
        "９９９９９７８９９７８７",
        f'uid="{AADHAAR}"',
        "9999.9789.9787",
        f"+91{AADHAAR}",
    ],
)
def test_of_an_aadhaar_number_only_the_last_four_digits_stay(spelt: str) -> None:
    for masked in (mask_numbers(spelt), showable(spelt)):
        assert re.sub("[^0-9]", "", masked) == "9787"


@pytest.mark.parametrize("gap", ["    ", "\n\n\n\n", "\0" * 9, " " * 100])
def test_a_number_spread_wide_does_not_close_up_into_view(gap: str) -> None:
    spelt = gap.join(("9999", "9789", "9787"))
    assert re.sub("[^0-9]", "", showable(spelt)) == "9787"


@pytest.mark.parametrize("place", range(1, 13))
def test_of_a_number_that_the_cut_goes_through_nothing_more_is_shown(place: int) -> None:
    text = " " * (4 * SHOWN_MAX - place) + AADHAAR + " and more"
    assert re.sub("[^0-9]", "", showable(text)) in {"", "9787"}


@given(
    before=st.text(max_size=40),
    after=st.text(max_size=40),
    gaps=st.lists(
        st.sampled_from(["", " ", "-", ".", "  ", "\u200b", " - "]), min_size=11, max_size=11
    ),
)
def test_a_number_inside_any_text_is_never_shown(before: str, after: str, gaps: list[str]) -> None:
    spelt = "".join(digit + gap for digit, gap in zip(AADHAAR, [*gaps, ""], strict=True))
    shown = re.sub("[^0-9]", "", showable(f"{before}|{spelt}|{after}"))
    assert AADHAAR[:8] not in shown


@pytest.mark.parametrize("text", ["14/03/1987", "7K2M-94QD-XV3T-8", "Garhi 327023", "v10 57"])
def test_dates_pin_codes_and_our_own_numbers_stay_readable(text: str) -> None:
    assert showable(text) == text


def test_a_mobile_number_is_hidden_but_for_its_end() -> None:
    assert mask_numbers("9205373585") == "XXXXXX3585"


@given(st.text())
def test_what_is_shown_is_one_short_printable_line(text: str) -> None:
    shown = showable(text)
    assert len(shown) <= SHOWN_MAX + 1
    assert shown.isprintable()
    assert re.search("[0-9]{9}", shown) is None


def test_a_huge_text_is_cut_before_it_is_worked_on() -> None:
    assert showable("9" * 10_000_000) == "X" * SHOWN_MAX + "…"


@pytest.mark.parametrize("spelt", ["999997899787", "9999 9789 9787", "9999-9789-9787", DEVANAGARI])
def test_an_aadhaar_number_in_a_field_loses_all_but_four_digits(
    spelt: str | dict[int, int],
) -> None:
    text = AADHAAR.translate(spelt) if isinstance(spelt, dict) else spelt
    assert re.sub("[^0-9]", "", mask_aadhaar(f"C/O {text}, Garhi")) == "9787"


@pytest.mark.parametrize("text", ["1-8-702/33/20/5", "16-11-740/6/B/12", "near 9000000001, Garhi"])
def test_other_numbers_in_a_field_stay(text: str) -> None:
    assert mask_aadhaar(text) == text
