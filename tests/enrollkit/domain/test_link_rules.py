"""Record links: formats, days that can be, figures that can be, a number of their own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_rows import ANY_JSON, TODAY
from enrollkit.domain.link_rules import check_link, default_reference, normalise_link
from enrollkit.domain.person import BirthDate
from enrollkit.domain.record_link import HiType
from schemas import validator

RECORD_ID = "7f3a09c21b44d5e60718293a4b5c6d7e"


def link(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "person_row": 1,
        "hi_type": "WellnessRecord",
        "facility": "IN1000000001",
        "date": "2026-11-20",
        "display": "Wellness check, 20 Nov 2026",
        "observations": {"systolic": 118, "diastolic": 76, "height_cm": 151.5, "weight_kg": 48},
    }
    return {**whole, **changes}


def found(raw: Any, birth: BirthDate | None = None) -> list[tuple[str, str, str]]:
    problems = check_link(raw, today=TODAY, birth=birth)
    return [(problem.pointer, problem.code, problem.severity.value) for problem in problems]


def test_a_link_without_fault_gives_nothing() -> None:
    assert found(link(), BirthDate(year=1987)) == []


@pytest.mark.parametrize(
    ("changes", "pointer", "code", "severity"),
    [
        ({"date": "2026-11-23"}, "/date", "date-in-future", "refuse"),
        ({"date": "1986-12-31"}, "/date", "date-before-birth", "refuse"),
        ({"date": "2026-02-30"}, "/date", "date-invalid", "refuse"),
        ({"facility": "IN12"}, "/facility", "facility-invalid", "refuse"),
        ({"professional": "71-00"}, "/professional", "professional-invalid", "refuse"),
        ({"display": "<b>"}, "/display", "display-characters", "refuse"),
        ({"display": "x" * 101}, "/display", "display-too-long", "refuse"),
        ({"hi_type": "Xray"}, "/hi_type", "hi-type-not-known", "refuse"),
        ({"person": "7K2M"}, "", "person-missing", "refuse"),
        ({"note": 1}, "/note", "unknown-key", "review"),
        (
            {"observations": {"systolic": 80, "diastolic": 90}},
            "/observations/diastolic", "blood-pressure-swapped", "refuse",
        ),
        (
            {"observations": {"systolic": 80, "diastolic": 80}},
            "/observations/diastolic", "blood-pressure-swapped", "refuse",
        ),
        (
            {"observations": {"systolic": 120}},
            "/observations/diastolic", "blood-pressure-half", "note",
        ),
        (
            {"observations": {"height_cm": 170, "weight_kg": 4}},
            "/observations/weight_kg", "weight-unlikely", "review",
        ),
        (
            {"observations": {"pulse": 900}},
            "/observations/pulse", "observations-pulse-out-of-range", "refuse",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_blamed_at_its_field(
    changes: dict[str, Any], pointer: str, code: str, severity: str
) -> None:
    assert found(link(**changes), BirthDate(year=1987)) == [(pointer, code, severity)]


def test_a_baby_is_not_measured_by_adults() -> None:
    assert found(link(observations={"height_cm": 60, "weight_kg": 2})) == []


def test_tidying_drops_nulls_and_tells_what_it_wrote_otherwise() -> None:
    raw = link(
        facility=" in1000000001",
        professional="71-0000-0000-0001",
        reference=None,
        observations={"pulse": None, "spo2": 98},
    )
    tidied, notes = normalise_link(raw)
    assert tidied["facility"] == "IN1000000001"
    assert tidied["professional"] == "71000000000001"
    assert tidied["observations"] == {"spo2": 98}
    assert "reference" not in tidied
    assert {note.pointer for note in notes} == {"/facility", "/professional"}
    assert found(tidied) == []


def test_a_default_reference_is_one_that_the_shape_takes() -> None:
    made = {default_reference(link(hi_type=kind.value), RECORD_ID) for kind in HiType}
    assert "WR-20261120-7F3A09C21B44" in made
    assert len(made) == len(HiType)
    for reference in made:
        assert validator("link-intake-1").is_valid(link(reference=reference))


@settings(deadline=None, max_examples=200)
@given(
    st.dictionaries(st.sampled_from([*link(), "professional", "reference"]), ANY_JSON),
    st.dictionaries(st.sampled_from(["systolic", "diastolic", "height_cm", "weight_kg"]), ANY_JSON),
)
def test_no_json_makes_it_raise(fields: dict[str, Any], figures: dict[str, Any]) -> None:
    for raw in (link(**fields), link(observations=figures)):
        tidied, _ = normalise_link(raw)
        check_link(tidied, today=TODAY)
        check_link(raw, today=TODAY, birth=BirthDate(year=1987))
    assert found([]) == [("", "wrong-type", "refuse")]
