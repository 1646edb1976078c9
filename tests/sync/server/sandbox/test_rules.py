"""The people and places that the practice knows beforehand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from practice_calls import SHANTI
from schemas.formats import is_aadhaar, is_abha_handle, is_mobile
from sync.server.sandbox.places import place_names
from sync.server.sandbox.rules import (
    FULL_MOBILE,
    TAKEN_HANDLE,
    Rule,
    number_for,
    rule_lines,
    rule_of,
)

ROOT = Path(__file__).parents[4]
CORPUS = ROOT.parent / "shared" / "corpus"


@pytest.mark.parametrize("rule", Rule)
def test_a_rules_numbers_can_be_typed_at_a_camp(rule: Rule) -> None:
    numbers = {number_for(rule, serial) for serial in range(10)}
    assert len(numbers) == 10
    assert all(is_aadhaar(number) and rule_of(number) is rule for number in numbers)
    assert any(number_for(rule) in line.replace(" ", "") for line in rule_lines())


def test_other_special_things_can_be_typed_too() -> None:
    assert is_mobile(FULL_MOBILE)
    assert is_abha_handle(f"{TAKEN_HANDLE}.devi")


@pytest.mark.parametrize("number", [SHANTI, "999999009900", "", "99999900", "999999000000"])
def test_nothing_is_special_about_others(number: str) -> None:
    assert rule_of(number) is None


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not part of the repository")
def test_nobody_of_the_corpus_is_special() -> None:
    for path in CORPUS.glob("*.jsonl"):
        assert '"aadhaar":"99999900' not in path.read_text(encoding="utf-8").replace(" ", "")


def test_a_district_belongs_to_its_state() -> None:
    assert place_names(8, 88) == ("Rajasthan".upper(), "BANSWARA")
    assert place_names(7, 88) is None
    assert place_names(8, 100_000) is None


def test_the_list_of_places_is_the_kits() -> None:
    ours = ROOT / "sync" / "server" / "sandbox" / "data" / "lgd.json"
    kits = ROOT / "enrollkit" / "reference" / "data" / "lgd.json"
    assert json.loads(ours.read_text("utf-8")) == json.loads(kits.read_text("utf-8"))
