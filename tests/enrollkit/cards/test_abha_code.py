"""The code that hospital desks scan: both spellings, never too fine, read back as written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrollkit.cards.abha_code import (
    BYTES_MAX,
    AbhaFacts,
    AbhaSpelling,
    read_abha_code,
    write_abha_code,
)
from enrollkit.cards.codes import modules_of
from enrollkit.domain.person import BirthDate, Gender
from enrollkit.identity.router import Kind, classify

FACTS = AbhaFacts(
    number="91-1111-2222-3333",
    handle="test.person@abdm",
    name="Test Person",
    gender=Gender.FEMALE,
    birth=BirthDate(year=1987, month=3, day=4),
    state_code=9,
    district_code=119,
    state="Uttar Pradesh",
    district="Aligarh",
    address="House 4, Nagla, 202001",
    mobile="9876543210",
)
COMMON = {
    "hidn": "91-1111-2222-3333",
    "name": "Test Person",
    "gender": "F",
    "statelgd": "9",
    "distlgd": "119",
    "dob": "4/3/1987",
    "mobile": "9876543210",
    "address": "House 4, Nagla, 202001",
}


@pytest.mark.parametrize(
    ("spelling", "own"),
    [
        (
            AbhaSpelling.CARD,
            {
                "hid": "test.person@abdm", "district_name": "Aligarh",
                "state_name": "Uttar Pradesh",
            },
        ),
        (
            AbhaSpelling.APP,
            {
                "phr": "test.person@abdm", "dist name": "Aligarh",
                "state name": "Uttar Pradesh",
            },
        ),
    ],
)  # fmt: skip
def test_each_spelling_has_its_own_names(spelling: AbhaSpelling, own: dict[str, str]) -> None:
    text = write_abha_code(FACTS, spelling)
    assert json.loads(text) == COMMON | own
    assert classify(text) is Kind.ABHA
    assert read_abha_code(text) == FACTS


@pytest.mark.parametrize(
    ("birth", "text"),
    [(BirthDate(year=1987), "1987"), (BirthDate(year=1987, month=11), "11/1987")],
)
def test_a_birth_is_written_as_far_as_it_is_known(birth: BirthDate, text: str) -> None:
    written = write_abha_code(replace(FACTS, birth=birth))
    assert json.loads(written)["dob"] == text
    read = read_abha_code(written)
    assert read is not None
    assert read.birth == birth


def test_what_makes_the_code_too_fine_is_left_out_in_turn_and_number_and_name_never() -> None:
    long = replace(FACTS, address="x" * 120)
    assert "address" not in json.loads(write_abha_code(long))
    assert json.loads(write_abha_code(long))["mobile"] == "9876543210"
    worst = replace(long, name="N" * 100, handle="h" * 18 + "@abdm", state="S" * 40)
    text = write_abha_code(worst)
    assert len(text) <= BYTES_MAX
    assert {"hidn", "hid", "name", "dob"} <= set(json.loads(text))
    assert len(modules_of(text)) <= 65


def test_the_spelling_of_an_older_card_is_read() -> None:
    old = '{"hidn":"28-3222-2283-6682","hid":"x@ndhm","name":"X","statelgd":"34","dob":"25-6-2012"}'
    read = read_abha_code(old)
    assert read is not None
    assert (read.handle, read.state_code, read.birth) == (
        "x@ndhm", 34, BirthDate(year=2012, month=6, day=25),
    )  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(
    st.text(max_size=60)
    | st.dictionaries(
        st.sampled_from(["hidn", "hid", "name", "dob", "gender", "statelgd"]),
        st.text(max_size=12) | st.integers() | st.none() | st.lists(st.integers(), max_size=2),
    ).map(json.dumps)
)
def test_no_text_is_too_strange_to_be_read_or_refused(text: str) -> None:
    read: Any = read_abha_code(text)
    assert read is None or isinstance(read.number, str)


def test_facts_are_not_printed_by_accident() -> None:
    assert FACTS.name not in repr(FACTS)
