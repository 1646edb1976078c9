"""In a programme for practice every screen is striped, and every line about a number says so."""

from __future__ import annotations

import pytest

from enrollkit.domain.enrollment import State
from fake_kit import FakeKit
from tui_drive import Driver, adult_row, drive


def practising(kit: FakeKit | None = None) -> FakeKit:
    used = kit or FakeKit()
    used.practice = True
    return used


@pytest.mark.parametrize("state", [State.ISSUED, State.SUBMITTED])
def test_the_number_on_a_persons_page_is_said_to_be_practice(state: State) -> None:
    async def script(d: Driver) -> None:
        await d.press("f", "enter")
        (line,) = [line for line in d.lines() if "ABHA 91-" in line or "not an ABHA" in line]
        assert line.strip().startswith("PRACTICE ")

    kit = practising()
    kit.put_person(adult_row("Sunita Devi"), state)
    drive(script, kit=kit)


def test_saved_and_cards_say_so() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        await d.adult()
        await d.press("enter")
        assert "PRACTICE: nothing here is real" in d.text()
        await d.press("p")
        assert "PRACTICE cards for Sunita Devi" in d.text()

    drive(script, kit=practising())


def test_going_live_takes_the_stripes_away_at_home() -> None:
    async def script(d: Driver) -> None:
        assert "PRACTICE" in d.lines()[1]
        d.kit.practice = False
        await d.press("f", "escape")
        assert "PRACTICE" not in d.text()

    drive(script, kit=practising())


def test_a_programme_in_earnest_says_nothing_of_practice() -> None:
    async def script(d: Driver) -> None:
        assert "PRACTICE" not in d.text()
        await d.press("s")
        assert "PRACTICE" not in d.text()

    drive(script)
