"""The camp corpus: correct rows pass without a word, every fault is blamed where it lies."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from domain_rows import TODAY, Camp
from enrollkit.domain.enrollment import person_from
from enrollkit.domain.link_rules import check_link, normalise_link
from enrollkit.domain.matching import Likeness, match_key, same_person
from enrollkit.domain.problem import Problem, Severity

CORPUS = Path(__file__).parents[4] / "shared" / "corpus"
pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the synthetic camp corpus does not lie beside this checkout"
)


def lines(name: str) -> list[str]:
    return (CORPUS / name).read_text(encoding="utf-8").split("\n")


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(name) if line]


@pytest.mark.parametrize("name", ["camp_200.jsonl", "train_2000.jsonl"])
def test_every_correct_row_passes_without_a_word(name: str) -> None:
    camp = Camp()
    for number, raw in enumerate(rows(name), start=1):
        tidied, problems = camp.take(str(number), raw)
        assert (number, problems) == (number, [])
        assert tidied == _without_nulls(raw)


def test_every_fault_is_reported_at_its_pointer_and_no_other_row_is_blamed() -> None:
    faults = {fault["row"]: fault for fault in rows("camp_dirty_60.faults.jsonl")}
    camp = Camp()
    for number, line in enumerate(lines("camp_dirty_60.jsonl"), start=1):
        fault = faults.get(number)
        if fault and fault["_fault"] == "truncated-line":
            with pytest.raises(json.JSONDecodeError):
                json.loads(line)
            continue
        tidied, problems = camp.take(str(number), json.loads(line))
        if fault is None or fault["expect"] == "accept":
            assert (number, problems) == (number, [])
        else:
            _expect(fault, tidied, problems)


def test_no_two_correct_rows_are_taken_for_one_person() -> None:
    for name in ("camp_200.jsonl", "train_2000.jsonl"):
        assert _pairs_alike(name, with_aadhaar=True) == []


def test_without_aadhaar_only_people_of_one_village_name_and_year_are_asked_about() -> None:
    assert _pairs_alike("camp_200.jsonl", with_aadhaar=False) == []
    for one, other in _pairs_alike("train_2000.jsonl", with_aadhaar=False):
        assert one.name.casefold() == other.name.casefold()
        assert (one.village, one.birth.year) == (other.village, other.birth.year)


def test_every_correct_record_link_passes_without_a_word() -> None:
    people = rows("camp_200.jsonl")
    for raw in rows("camp_200_links.jsonl"):
        birth = person_from(people[raw["person_row"] - 1]).birth
        tidied, notes = normalise_link(raw)
        assert notes + check_link(tidied, today=TODAY, birth=birth) == []


def _expect(fault: dict[str, Any], tidied: dict[str, Any], problems: list[Problem]) -> None:
    pointer, expected = fault["pointer"], fault["expect"]
    blamed = {problem.pointer: problem for problem in problems}
    assert pointer in blamed, fault
    if expected == "normalise":
        assert [problem.severity for problem in problems] == [Severity.NOTE]
        assert tidied[pointer.removeprefix("/")] == fault["value"]
        return
    assert blamed[pointer].severity == Severity(expected), fault
    if fault["_fault"].startswith("duplicate"):
        assert blamed[pointer].code == fault["_fault"]
        assert blamed[pointer].related == str(fault["first_row"])


def _pairs_alike(name: str, *, with_aadhaar: bool) -> list[tuple[Likeness, Likeness]]:
    """Compare all that share a key: ``same_person`` implies the same key (see test_matching)."""
    filed: defaultdict[str, list[Likeness]] = defaultdict(list)
    for raw in rows(name):
        last4 = raw["aadhaar"][-4:] if with_aadhaar and raw["aadhaar"] else None
        one = Likeness.of(person_from(raw), aadhaar_last4=last4)
        filed[match_key(one)].append(one)
    return [
        pair for group in filed.values() for pair in combinations(group, 2) if same_person(*pair)
    ]


def _without_nulls(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_nulls(value) if isinstance(value, dict) else value
        for key, value in raw.items()
        if value is not None
    }
