"""States and districts: complete, found in the spellings people use, quick to load."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrollkit.reference.places import Place, Places

PLACES = Places.load()
SCRIPT = Path(__file__).parents[3] / "scripts" / "make_places.py"


def data(name: str) -> dict[str, Any]:
    text = (files("enrollkit.reference") / "data" / name).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def test_all_states_and_districts_of_the_directory_are_there() -> None:
    assert len(PLACES.states()) == 36
    assert sum(len(PLACES.districts(state.code)) for state in PLACES.states()) == 763
    assert {"source", "date", "licence"} <= set(data("lgd.json"))


def test_a_district_lies_in_its_state_and_an_unknown_code_in_none() -> None:
    assert PLACES.state_of(212) == 10
    assert PLACES.state_of(9999) is None
    assert PLACES.district_name(212) == "Patna"
    assert PLACES.state_name(10) == "Bihar"
    assert PLACES.state_name(99) is PLACES.district_name(9999) is None
    assert PLACES.districts(99) == []
    assert Place(code=212, name="Patna", state=10) in PLACES.districts(10)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (1, "Jammu and Kashmir"),
        (38, "The Dadra and Nagar Haveli and Daman and Diu"),
        (33, "Tamil Nadu"),
    ],
)
def test_names_of_states_are_written_as_people_write_them(code: int, name: str) -> None:
    assert PLACES.state_name(code) == name


def test_initials_and_brackets_in_names_stay_right() -> None:
    names = {place.name for state in PLACES.states() for place in PLACES.districts(state.code)}
    assert {"S.A.S Nagar", "Kaimur (Bhabua)", "Janjgir-Champa", "NTR", "SPSR Nellore"} <= names
    assert not [name for name in names if len(name) > 6 and name.isupper()]


def test_every_district_is_found_by_its_own_name() -> None:
    for state in PLACES.states():
        assert PLACES.find_state(state.name.upper()) == state.code
        for place in PLACES.districts(state.code):
            assert PLACES.find_district(place.name.swapcase(), state.code) == place.code


def test_every_old_name_leads_to_a_district_of_that_state() -> None:
    for state, names in data("old_names.json")["districts"].items():
        for old, now in names.items():
            code = PLACES.find_district(old, int(state))
            assert (old, (PLACES.district_name(code or 0) or "").upper()) == (old, now.upper())


@pytest.mark.parametrize(
    ("text", "state", "name"),
    [
        ("patna", None, "Patna"),
        (" PATNAA ", 10, "Patna"),
        ("Muzafarpur", 10, "Muzaffarpur"),
        ("Tiruchirapalli", None, "Tiruchirappalli"),
        ("Allahabad", None, "Prayagraj"),
        ("gurgaon", None, "Gurugram"),
        ("Bangalore", None, "Bengaluru Urban"),
        ("Kushinagar", None, "Kushi Nagar"),
        ("Bilaspur", 22, "Bilaspur"),
        ("Bijapur", 29, "Vijayapura"),
    ],
)
def test_spellings_and_old_names_are_found(text: str, state: int | None, name: str) -> None:
    code = PLACES.find_district(text, state)
    assert PLACES.district_name(code or 0) == name


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Bilaspur", None),
        ("Bijapur", None),
        ("Raipur", 9),
        ("", None),
        ("पटना", None),
        ("Patna", 99),
    ],
)
def test_what_could_be_two_or_none_is_not_guessed(text: str, state: int | None) -> None:
    assert PLACES.find_district(text, state) is None


@pytest.mark.parametrize(("text", "code"), [("UP", 9), ("Orissa", 21), ("jammu & kashmir", 1)])
def test_states_are_found_by_the_names_people_use(text: str, code: int) -> None:
    assert PLACES.find_state(text) == code


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    code = PLACES.find_district(text)
    assert code is None or PLACES.state_of(code) is not None


def test_loading_takes_less_than_ten_milliseconds() -> None:
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        Places.load()
        taken.append(time.perf_counter() - begun)
    assert min(taken) < 0.010


def test_the_script_writes_the_list_that_the_kit_reads(tmp_path: Path) -> None:
    states, districts = tmp_path / "states.csv", tmp_path / "districts.csv"
    states.write_text("State Code,State Name\n10,BIHAR\n", encoding="utf-8")
    districts.write_text(
        "State Code,District Code,District Name\n10,212,PATNA\n10,188,ARARIA\n", encoding="utf-8"
    )
    out = tmp_path / "lgd.json"
    command = [sys.executable, SCRIPT, states, districts, "--date", "2030-01-02", "-o", out]
    subprocess.run(command, check=True, capture_output=True)
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written["date"] == "2030-01-02"
    assert written["states"] == [
        {"code": 10, "name": "BIHAR", "districts": [[188, "ARARIA"], [212, "PATNA"]]}
    ]
    assert set(written) == set(data("lgd.json"))


def test_the_script_refuses_a_district_of_no_listed_state(tmp_path: Path) -> None:
    states, districts = tmp_path / "states.csv", tmp_path / "districts.csv"
    states.write_text("State Code,State Name\n10,BIHAR\n", encoding="utf-8")
    districts.write_text("State Code,District Code,District Name\n11,1,X\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="not listed"):
        runpy.run_path(str(SCRIPT))["read_places"](states, districts)
