"""The parts of the face that need no screen: the row, the figures, the keeper, the marks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollkit.app.words import MARKS, mark_of
from enrollkit.domain.enrollment import State
from enrollkit.domain.problem import Problem, Severity
from enrollkit.domain.record_link import HiType
from enrollkit.errors import StoreBusy
from enrollkit.tui.ascii_only import AsciiOnly
from enrollkit.tui.crash import crash_code, say_crash
from enrollkit.tui.draft_keeper import DraftKeeper
from enrollkit.tui.findings import Findings
from enrollkit.tui.form import (
    birth_said,
    birth_text,
    birth_value,
    household_of,
    label_of,
    place_in_row,
    step_of,
    steps_for,
)
from enrollkit.tui.links_form import HI_WORDS, date_value, display_for, figure_value, pressure_value
from enrollkit.tui.marks import shown
from enrollkit.tui.messages import NumberTyped
from enrollkit.tui.widgets.wording import fold
from schemas.pointers import value_at

TODAY = date(2026, 11, 22)
POINTERS = ("/name", "/birth", "/address/line", "/guardian/name", "/consent")


@given(st.sampled_from(POINTERS), st.text(min_size=1))
def test_what_is_placed_in_the_row_is_found_there_again(pointer: str, value: str) -> None:
    before: dict[str, Any] = {"language": "hi"}
    after = place_in_row(before, pointer, value)
    assert value_at(after, pointer) == value
    assert before == {"language": "hi"}


def test_an_emptied_guardian_leaves_no_trace_but_an_empty_address_asks_for_its_fields() -> None:
    row = place_in_row({"guardian": {"name": "Kamla"}}, "/guardian/name", None)
    assert row == {}
    assert place_in_row({}, "/address/line", None) == {"address": {}}


def test_half_a_date_stays_as_it_was_typed() -> None:
    assert birth_value("14/3", TODAY) == "14/3"
    assert birth_text("14/3") == "14/3"
    assert birth_value("14/3/87", TODAY) == {"year": 1987, "month": 3, "day": 14}
    assert birth_value("  ", TODAY) is None


def test_a_birth_is_said_back_the_long_way() -> None:
    assert birth_said({"year": 1987, "month": 3, "day": 14}, TODAY) == "14 March 1987, 39 years"
    assert birth_said({"year": 1987}, TODAY) == "1987, about 39 years"
    assert birth_said("14/3", TODAY) == ""


def test_only_a_minor_is_asked_for_a_guardian() -> None:
    assert "guardian" in steps_for({"birth": {"year": 2017}}, TODAY)
    assert "guardian" not in steps_for({"birth": {"year": 1987}}, TODAY)
    assert "guardian" not in steps_for({"birth": "x"}, TODAY)
    assert "guardian" in steps_for({"birth": {"year": 1987}, "guardian": {"name": "A"}}, TODAY)


@pytest.mark.parametrize(
    ("pointer", "step", "label"),
    [
        ("/birth/day", "person", "Born"),
        ("/name_native", "person", "Name in own script"),
        ("/address/district", "address", "District"),
        ("/consent/witness", "consent", "Witness"),
        ("/guardian", "guardian", "Guardian"),
        ("/aadhaar", "document", "Aadhaar number"),
        ("", "review", ""),
        ("/something_new", "review", ""),
    ],
)
def test_every_problem_leads_to_the_step_of_its_field(pointer: str, step: str, label: str) -> None:
    assert step_of(pointer) == step
    assert label_of(pointer) == label


def test_a_household_shares_where_it_lives_and_nothing_of_the_person() -> None:
    row = {
        "name": "Asha",
        "mobile": "9",
        "birth": {"year": 1987},
        "consent": {},
        "address": {"line": "4"},
        "household": "HH-1",
        "language": "hi",
    }
    shared = household_of(row)
    assert shared == {"address": {"line": "4"}, "household": "HH-1", "language": "hi"}
    shared["address"]["line"] = "5"
    assert row["address"] == {"line": "4"}


def test_the_kinds_of_record_are_all_abdms() -> None:
    assert set(HI_WORDS) == {kind.value for kind in HiType}
    assert display_for("WellnessRecord", "2026-11-22") == "Wellness check, 22 Nov 2026"
    assert display_for("WellnessRecord", "soon") == "Wellness check"


def test_figures_are_numbers_or_stay_as_typed() -> None:
    assert figure_value("36,7") == 36.7
    assert figure_value("72") == 72
    assert figure_value("high") == "high"
    assert pressure_value("120/80") == {"systolic": 120, "diastolic": 80}
    assert pressure_value("120") == {"systolic": 120}
    assert date_value("22/11/26", TODAY) == "2026-11-22"
    assert date_value("soon", TODAY) == "soon"


def test_findings_are_numbered_refused_first_and_looked_at_one_by_one() -> None:
    refused = Problem(pointer="/name", code="a", text="A")
    review = Problem(pointer="", code="b", text="B", severity=Severity.REVIEW)
    note = Problem(pointer="/gender", code="c", text="C", severity=Severity.NOTE)
    findings = Findings().renew([review, note, refused])
    assert findings.numbered == [refused, review]
    assert not findings.may_save
    assert not findings.renew([review]).may_save
    assert findings.renew([review]).look().may_save
    assert findings.renew([note]).may_save
    assert findings.about("/name") == "A"


def test_every_state_has_a_mark_and_an_unknown_one_its_own_name() -> None:
    assert {state.value for state in State} <= set(MARKS)
    assert mark_of("HALF_WAY").short == "half way"
    assert all(mark.plain.isascii() for mark in MARKS.values())


@given(st.text())
def test_no_text_can_tear_the_screen(text: str) -> None:
    assert not any(ord(letter) < 32 or ord(letter) in {127, 0x202E} for letter in shown(text))


def test_the_ascii_filter_keeps_every_width() -> None:
    from rich.segment import Segment  # noqa: PLC0415 - used here only
    from textual.color import Color  # noqa: PLC0415 - used here only

    (plain,) = AsciiOnly().apply([Segment("✔ … ● ─ सुनीता")], Color(0, 0, 0))
    assert plain.text == "v . * - सुनीता"


def test_a_number_typed_is_given_once_and_never_printed() -> None:
    message = NumberTyped("999941057058")
    assert "9999" not in repr(message) + str(vars(message).get("number"))
    assert message.take() == "999941057058"
    assert message.take() == ""


def test_the_crash_code_is_the_same_for_the_same_fault_and_holds_no_words() -> None:
    def fault(words: str) -> BaseException:
        with pytest.raises(ValueError, match=words) as caught:
            int(words)
        return caught.value

    assert crash_code(fault("Sunita")) == crash_code(fault("Kamla"))
    assert "Sunita" not in say_crash(crash_code(fault("Sunita")), None)


def test_the_newest_state_of_a_draft_wins_and_one_write_runs_at_a_time() -> None:
    written: list[str] = []
    inside = threading.Semaphore(1)

    def save(_draft: str, row: Mapping[str, Any], _step: str) -> None:
        assert inside.acquire(blocking=False)
        written.append(row["name"])
        inside.release()

    async def main() -> None:
        keeper = DraftKeeper(save, "d")
        await asyncio.gather(*[keeper.keep({"name": name}, "person") for name in "abcdef"])

    asyncio.run(main())
    assert written[-1] == "f"
    assert len(written) < 6


def test_a_state_that_could_not_be_written_is_written_with_the_next() -> None:
    written: list[str] = []
    fail = [True]

    def save(_draft: str, row: Mapping[str, Any], _step: str) -> None:
        if fail[0]:
            raise StoreBusy
        written.append(row["name"])

    async def main() -> None:
        keeper = DraftKeeper(save, "d")
        with pytest.raises(StoreBusy):
            await keeper.keep({"name": "a"}, "person")
        fail[0] = False
        await keeper.keep({"name": "b"}, "person")
        await keeper.stop()
        await keeper.keep({"name": "c"}, "person")

    asyncio.run(main())
    assert written == ["b"]


def test_a_wording_is_folded_so_that_no_terminal_cuts_it_off() -> None:
    text = "राष्ट्रीय स्वास्थ्य प्राधिकरण का आधिकारिक पाठ नहीं है " * 5 + "\n\nEnd."
    folded = fold(text, 40)
    assert max(len(line) for line in folded.splitlines()) <= 40
    assert folded.split() == text.split()
    assert folded.endswith("\n\nEnd.")
