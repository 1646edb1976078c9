"""``enrollkit finish``: asked line by line, left at any point, with an answer for programs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from enrollkit.cli import finish
from enrollkit.cli.main import main
from enrollkit.domain.enrollment import State
from enrollkit.domain.identifiers import provisional_number
from fake_finishing import (
    AADHAAR_CODE,
    ELSEWHERE,
    MOBILE_CODE,
    NEVER_SENT,
    NUMBER,
    FinishKit,
    refused,
    untold,
)
from fake_kit import PASSPHRASE
from sync.errors import Offline
from tui_drive import adult_row


class Desk:
    """A laptop with Sunita Devi, and an operator who types lines."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kit = FinishKit()
        self.record = self.kit.put_person(adult_row(aadhaar_last4="4821"), State.NEEDS_PERSON)
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(finish, "unlocked_kit", self._unlocked)
        monkeypatch.setattr(finish.time, "sleep", self._wait)
        monkeypatch.setattr(finish.time, "monotonic", lambda: float(self.kit.now))
        self.waited = 0.0

    def finish(self, *lines: str, ident: str | None = None, options: tuple[str, ...] = ()) -> int:
        """Type the command, and the lines it asks for."""
        typed = "".join(f"{line}\n" for line in lines)
        self._monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return main(["finish", ident or self.record, *options])

    @contextmanager
    def _unlocked(self) -> Iterator[FinishKit]:
        self.kit.unlock(PASSPHRASE)
        yield self.kit
        self.kit.close()

    def _wait(self, seconds: float) -> None:
        self.waited += seconds


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def test_from_a_code_to_the_number(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.finish("", "482 913", "2") == 0
    said = capsys.readouterr().out
    assert "Sunita Devi" in said
    assert "A code went by SMS to ******3210, the mobile that Aadhaar knows." in said
    assert f"ABHA number   PRACTICE {NUMBER}\n" in said
    assert "ABHA address  PRACTICE sunitadevi1987@sbx" in said
    steps = [("look",), ("send",), ("code", AADHAAR_CODE), ("address", "sunitadevi1987")]
    assert desk.kit.asked == steps


def test_a_number_of_the_sandbox_says_so(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.kit.practice = True
    assert desk.finish("", AADHAAR_CODE, "s") == 0
    told = [line for line in capsys.readouterr().out.splitlines() if NUMBER in line]
    assert len(told) == 2
    assert all("PRACTICE" in line for line in told)


def test_a_program_gets_one_object_and_nothing_else(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.finish("", AADHAAR_CODE, "s", options=("--json",)) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["stage"], told["abha_number"], told["practice"]) == ("done", NUMBER, False)
    assert told["record"] == desk.record
    assert "Enter sends the code" in err


def test_it_can_be_left_and_taken_up_again(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.finish("", "q") == 1
    assert "Leaving loses nothing" in capsys.readouterr().out
    assert desk.finish(AADHAAR_CODE) == 1
    assert desk.finish("S") == 0
    assert desk.kit.asked.count(("send",)) == 1


def test_the_end_of_the_input_leaves_too(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.finish(options=("--json",)) == 1
    assert json.loads(capsys.readouterr().out)["stage"] == "ready"


def test_a_wrong_code_is_said_and_asked_for_again(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.finish("", "12", "111111", AADHAAR_CODE, "s") == 0
    said = capsys.readouterr().out
    assert "A code has six digits." in said
    assert "! That is not the code. Look at it again.  [otp:wrong]" in said


def test_another_code_waits_for_its_time(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.finish("", "r", "q") == 1
    assert "Another can be sent in 1:00." in capsys.readouterr().out
    desk.kit.now += 60
    assert desk.finish("R", "q") == 1
    assert desk.kit.asked.count(("send",)) == 2


def test_another_mobile_is_verified_or_left(desk: Desk) -> None:
    desk.kit.other_mobile = True
    assert desk.finish("", AADHAAR_CODE, "x", "", MOBILE_CODE, "q") == 1
    assert desk.kit.asked[-2:] == [("mobile-send",), ("mobile-code", MOBILE_CODE)]
    desk.kit.stages.clear()
    desk.kit.sent_at = 0
    assert desk.finish("", AADHAAR_CODE, "", "s", "s") == 0
    assert desk.kit.asked[-2:] == [("mobile-skip",), ("address-skip",)]


def test_another_address_is_typed_until_it_is_one(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.finish("", AADHAAR_CODE, "9", "sunita", "taken.handle", "Sunita.Nagla@sbx") == 0
    said = capsys.readouterr().out
    assert said.count("8 to 18 letters") == 2
    assert "! Somebody has that address already. Choose another.  [abdm:address-taken]" in said
    assert desk.kit.asked[-1] == ("address", "Sunita.Nagla")


def test_the_wish_of_the_enrollment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch)
    row = adult_row(aadhaar_last4="4821", abha_address_choice="sunita.nagla")
    desk.record = desk.kit.put_person(row, State.NEEDS_PERSON)
    assert desk.finish("", AADHAAR_CODE, "1") == 0
    assert desk.kit.asked[-1] == ("address", "sunita.nagla")


def test_a_slow_office_is_waited_for(desk: Desk) -> None:
    desk.kit.rounds_of_work = 2
    assert desk.finish("q") == 1
    assert desk.kit.asked == [("look",), ("look",), ("look",)]
    assert desk.waited == 6.0


def test_an_office_that_asks_nobody_is_left_with_a_code_of_its_own(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.kit.rounds_of_work = 1000
    assert desk.finish() == 3
    out, err = capsys.readouterr()
    assert "The office has not asked ABDM yet. Leave it, and call the office." in out
    assert "is on its way" not in out
    assert "Waiting for the office" in err


def test_a_minute_is_enough_to_know_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.kit.rounds_of_work = 1000
    monkeypatch.setattr(finish.time, "monotonic", lambda: 8 * desk.waited)
    assert desk.finish() == 3
    assert desk.waited == 6.0


def test_no_network_has_its_own_exit_code_and_a_way_on(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.kit.fail_step = Offline()
    assert desk.finish("") == Offline.exit_code
    said = capsys.readouterr().err
    assert "To go on later, type the same once more." in said
    assert "There is no way to the server now." in said


def test_a_refusal_can_be_begun_anew(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.finish("", "q") == 1
    desk.kit.stages[desk.record] = refused(desk.kit.stages[desk.record], "abdm:mismatch")
    desk.kit.now += 60
    assert desk.finish("", AADHAAR_CODE, "s") == 0
    assert (
        "! Aadhaar says otherwise. Check name, birth and gender with the card.  [abdm:mismatch]"
        in capsys.readouterr().out
    )


def test_somebody_of_another_laptop_is_finished_by_the_number_on_the_card(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    number = provisional_number(ELSEWHERE)
    assert desk.finish("", AADHAAR_CODE, "s", ident=number) == 0
    assert capsys.readouterr().out.startswith(number)


def test_a_number_that_nobody_has_is_told(desk: Desk) -> None:
    assert desk.finish(ident=provisional_number("77" * 16)) == 53


def test_a_code_is_no_argument(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["finish", desk.record, AADHAAR_CODE]) == 2
    assert desk.kit.asked == []


def test_somebody_whom_the_office_does_not_have_gets_no_code(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.finish("", ident=provisional_number(NEVER_SENT)) == 1
    assert "! The office has nobody under this number yet." in capsys.readouterr().out
    assert ("send",) not in desk.kit.asked


def test_a_laptop_that_is_not_told_the_number_says_who_is(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    number = provisional_number(ELSEWHERE)
    assert desk.finish("q", ident=number) == 1
    desk.kit.stages[ELSEWHERE] = untold(desk.kit.stages[ELSEWHERE])
    assert desk.finish(ident=number) == 0
    said = capsys.readouterr().out
    assert "only the laptop that enrolled the person is told it" in said
    assert "ABHA number " not in said
