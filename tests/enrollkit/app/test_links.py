"""Linking records: once, to the right person, and nothing that was changed or odd is kept quiet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from enrollkit.app.kit import Kit
from kit_samples import intake_row, unlocked

ROW = {
    "hi_type": "WellnessRecord",
    "facility": "IN0910000123",
    "date": "2026-11-21",
    "display": "Blood pressure",
}


@pytest.fixture
def kit(tmp_path: Path):  # type: ignore[no-untyped-def] # noqa: ANN201 - a fixture's generator
    with unlocked(tmp_path / "laptop") as opened:
        yield opened


def test_the_same_reference_links_once(kit: Kit) -> None:
    person = kit.enrolling.submit_row(intake_row()).provisional or ""
    first, again = (kit.links.add(person, {**ROW, "reference": "V-1"}) for _time in range(2))
    assert first.ok
    assert not first.already
    assert (again.id, again.already) == (first.id, True)
    assert kit.standing().links == 1


def test_what_was_tidied_and_what_looks_odd_is_told_of_a_saved_link(kit: Kit) -> None:
    person = kit.enrolling.submit_row(intake_row()).provisional or ""
    told = kit.links.add(
        person, {**ROW, "facility": "in0910000123", "observations": {"systolic": 120}}
    )
    assert told.ok
    assert not told.problems
    assert [(note.pointer, note.code) for note in told.notes] == [
        ("/observations/diastolic", "blood-pressure-half"),
        ("/facility", "normalised"),
    ]


def test_a_row_that_waited_in_the_app_is_still_that_line_of_its_file(
    kit: Kit, tmp_path: Path
) -> None:
    people, links = tmp_path / "camp.jsonl", tmp_path / "camp_links.jsonl"
    people.write_text(json.dumps({**intake_row(), "caste": "x"}) + "\n")
    links.write_text(json.dumps({**ROW, "person_row": 1}) + "\n")
    (waiting,) = kit.enrolling.submit_file(people)
    kit.drafts.restore(kit.drafts.discard(waiting.draft or ""))
    kit.enrolling.submit_draft(waiting.draft or "", looked_at=frozenset({"unknown-key"}))
    (again,) = kit.enrolling.submit_file(people)
    assert (again.already, again.id) == (True, waiting.draft)
    (linked,) = kit.links.add_file(links)
    assert linked.ok


def test_a_refused_link_names_the_field_and_keeps_nothing(kit: Kit) -> None:
    refused = kit.links.add("7K2M-94QD-XV3T-8", {**ROW, "date": "2031-01-01"})
    assert not refused.ok
    assert {problem.code for problem in refused.problems} == {"date-in-future", "person-not-found"}
    assert kit.standing().links == 0
