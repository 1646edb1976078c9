"""Numbers that people read and type: every slip of one hand is caught."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrollkit.domain.identifiers import (
    approval_code,
    group_abha_number,
    is_provisional_number,
    parse_provisional_number,
    provisional_number,
    record_prefix,
)

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RECORD_IDS = st.binary(min_size=16, max_size=16).map(bytes.hex)


@given(RECORD_IDS)
def test_a_provisional_number_is_read_in_every_spelling_people_use(record_id: str) -> None:
    number = provisional_number(record_id)
    bare = number.replace("-", "")
    assert parse_provisional_number(number) == number
    assert parse_provisional_number(bare.lower()) == number
    assert parse_provisional_number(f" {bare[:5]} {bare[5:]} ") == number
    assert parse_provisional_number(bare.replace("0", "o").replace("1", "l")) == number
    assert parse_provisional_number(bare.replace("1", "I")) == number


@settings(deadline=None, max_examples=25)
@given(RECORD_IDS)
def test_every_single_wrong_character_is_caught(record_id: str) -> None:
    bare = provisional_number(record_id).replace("-", "")
    for place, right in enumerate(bare):
        for wrong in ALPHABET:
            changed = bare[:place] + wrong + bare[place + 1 :]
            assert is_provisional_number(changed) == (wrong == right)


@settings(deadline=None, max_examples=100)
@given(RECORD_IDS)
def test_any_two_characters_that_changed_places_are_caught(record_id: str) -> None:
    bare = provisional_number(record_id).replace("-", "")
    for one, other in combinations(range(len(bare)), 2):
        if bare[one] != bare[other]:
            swapped = list(bare)
            swapped[one], swapped[other] = swapped[other], swapped[one]
            assert not is_provisional_number("".join(swapped))


@given(st.text(max_size=20))
def test_what_is_no_provisional_number_is_answered_not_raised(text: str) -> None:
    parsed = parse_provisional_number(text)
    assert parsed is None or parse_provisional_number(parsed) == parsed


@given(st.binary(min_size=32, max_size=32))
def test_an_approval_code_is_checked_like_a_provisional_number(digest: bytes) -> None:
    assert approval_code(digest) == provisional_number(digest[:16].hex())


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("91123456789015", "91-1234-5678-9015"),
        ("91-1234-5678-9015", "91-1234-5678-9015"),
        ("91 1234 5678 9015", "91-1234-5678-9015"),
        ("9112345678901", "9112345678901"),
        ("abc", "abc"),
    ],
)
def test_an_abha_number_is_grouped_and_other_text_left(text: str, grouped: str) -> None:
    assert group_abha_number(text) == grouped


@given(st.binary(min_size=16, max_size=16).map(bytes.hex))
def test_a_provisional_number_says_how_its_record_id_begins(record_id: str) -> None:
    assert record_prefix(provisional_number(record_id).lower()) == record_id[:15]


def test_what_is_no_provisional_number_says_nothing_of_a_record() -> None:
    assert record_prefix("7K2M-94QD-XV3T-9") is None
