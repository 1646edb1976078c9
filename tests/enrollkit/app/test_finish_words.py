"""What is said while somebody is finished, and what is made of what they say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enrollkit.app.finish_words import (
    address_of,
    can_begin,
    done_words,
    handles_of,
    help_words,
    read_code,
    read_handle,
    stage_words,
    step_of,
    wait_words,
)
from enrollkit.app.results import FinishState, Reason
from sync.protocol import FinishStage

STATE = FinishState(
    record="ab" * 16, stage="ready", name="Asha Devi", hint="", again_in=0, handles=(),
    abha_number=None, abha_address=None, reason=None,
)  # fmt: skip
REAL = "91-2345-6789-0123"


@pytest.mark.parametrize("typed", ["482913", " 482 913 ", "482-913", "४८२९१३", "੪੮੨੯੧੩"])
def test_a_code_is_read_as_people_write_it(typed: str) -> None:
    assert read_code(typed) == "482913"


@pytest.mark.parametrize(
    "typed", ["", "48291", "4829137", "48291x", "²82913", "482.913", "x" * 100]
)
def test_what_is_no_code_is_not_sent(typed: str) -> None:
    assert read_code(typed) is None


@pytest.mark.parametrize(
    ("typed", "handle"),
    [
        ("sunita.devi", "sunita.devi"),
        (" sunita.devi@abdm ", "sunita.devi"),
        ("sunita.devi@sbx", "sunita.devi"),
        ("91sunita", "91sunita"),
        ("sunita", None),
        ("sunita.devi@gmail", None),
        ("sunita..devi", None),
        ("", None),
    ],
)
def test_an_address_is_read_without_its_suffix(typed: str, handle: str | None) -> None:
    assert read_handle(typed, ("91sunita",)) == handle


def test_what_was_wished_comes_first_and_once() -> None:
    state = replace(STATE, handles=("asha.devi", "asha.devi87"))
    assert handles_of(state, None) == ("asha.devi", "asha.devi87")
    assert handles_of(state, "asha.nagla") == ("asha.nagla", "asha.devi", "asha.devi87")
    assert handles_of(state, "asha.devi87") == ("asha.devi", "asha.devi87")


def test_a_real_number_is_not_called_practice_and_one_of_the_sandbox_always_is() -> None:
    real = replace(STATE, abha_number=REAL, abha_address="asha@abdm")
    assert [text for _label, text in done_words(real, practice=False)] == [REAL, "asha@abdm"]
    assert all("PRACTICE" in text for _label, text in done_words(real, practice=True))
    sandbox = replace(real, abha_number="00-2345-6789-0123", abha_address="asha@sbx")
    assert all("PRACTICE" in text for _label, text in done_words(sandbox, practice=False))
    assert address_of("asha.devi", practice=False) == "asha.devi@abdm"


def test_in_practice_it_is_said_where_the_code_stands() -> None:
    for stage in (FinishStage.CODE_SENT, FinishStage.MOBILE_SENT):
        sent = replace(STATE, stage=stage)
        assert "practice ABDM shows the code" in " ".join(stage_words(sent, practice=True))
        assert "ractice" not in " ".join(stage_words(sent, practice=False))


@pytest.mark.parametrize("stage", FinishStage)
def test_every_stage_says_where_it_stands_and_fits_a_line(stage: FinishStage) -> None:
    for hint in ("", "******3210"):
        for number in (None, REAL):
            state = replace(STATE, stage=stage, hint=hint, abha_number=number)
            lines = stage_words(state, practice=True)
            assert lines or (stage is FinishStage.DONE and number is None)
            assert all(0 < len(line) <= 76 for line in lines)
            assert step_of(state) in {"code", "mobile", "abha-address", "done"}


def test_only_a_refusal_of_abdm_can_be_begun_anew() -> None:
    refused = replace(STATE, stage=FinishStage.REFUSED)
    assert can_begin(STATE)
    assert can_begin(replace(refused, reason=Reason(code="abdm:mismatch", pointer="", text="x")))
    gone = replace(refused, reason=Reason(code="enrollment:withdrawn", pointer="", text="x"))
    assert not can_begin(gone)
    assert help_words(gone) == ""
    assert stage_words(gone, practice=False) == []
    assert not can_begin(replace(STATE, stage=FinishStage.CODE_SENT))


@pytest.mark.parametrize(
    ("code", "helps", "again"),
    [
        ("abdm:deactivated", "abha.abdm.gov.in", True),
        ("abdm:exists", "the office finds that number", False),
        ("abdm:unknown ABDM-1204", "only when the office says so", True),
        ("person:aadhaar-missing", "Correct the person and add it", False),
        ("person:document", "Correct the person and add it", False),
    ],
)
def test_where_a_code_alone_does_not_help_it_says_what_does(
    code: str, helps: str, *, again: bool
) -> None:
    state = replace(
        STATE, stage=FinishStage.REFUSED, reason=Reason(code=code, pointer="", text="x")
    )
    said = stage_words(state, practice=False)
    assert helps in " ".join(said)
    assert "begun anew" not in " ".join(said)
    assert all(len(line) <= 76 for line in said)
    assert can_begin(state) is again
    assert help_words(state) == ""


def test_the_wait_is_told_in_minutes_and_seconds() -> None:
    assert "in 1:05" in wait_words(65)
    assert "in 0:07" in wait_words(7)
    assert "now" in wait_words(0)
