"""Opening, home, locking, help, and what happens when the program itself fails."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from enrollkit.app.results import Finding, Level
from enrollkit.domain.enrollment import State
from enrollkit.errors import StoreFull
from enrollkit.tui.screens.drafts import DraftsScreen
from enrollkit.tui.screens.enroll import EnrollScreen
from enrollkit.tui.screens.help import HelpScreen
from enrollkit.tui.screens.home import HomeScreen
from enrollkit.tui.screens.returned import ReturnedScreen
from enrollkit.tui.screens.sync import SyncScreen
from enrollkit.tui.screens.unlock import UnlockScreen
from fake_kit import PASSPHRASE, FakeKit
from tui_drive import Driver, adult_row, drive


def test_a_wrong_passphrase_is_told_in_words_and_leaves_the_field() -> None:
    async def script(d: Driver) -> None:
        await d.type("wrong")
        await d.press("enter")
        assert isinstance(d.app.screen, UnlockScreen)
        assert "That passphrase opens nothing here" in d.words()
        assert [box.value for box in d.app.screen.query(Input)] == [""]

    assert drive(script, unlocked=False).is_locked


def test_the_passphrase_is_never_on_the_screen() -> None:
    async def script(d: Driver) -> None:
        await d.type(PASSPHRASE)
        assert "monsoon" not in d.text()

    drive(script, unlocked=False)


def test_a_laptop_that_is_not_set_up_says_what_to_do() -> None:
    async def script(d: Driver) -> None:
        assert "enrollkit init --programme FILE" in d.words()
        assert not d.app.screen.query(Input)

    kit = FakeKit()
    kit.is_initialised = False
    drive(script, kit=kit, unlocked=False)


def test_home_counts_people_and_promises_nothing_unsigned() -> None:
    async def script(d: Driver) -> None:
        words = d.words()
        assert "3 people enrolled" in words
        assert "2 people to be sent" in words
        assert "✔ 1 signed for" in words
        assert "Send now (2G: about 1 min, 6.1 KB)" in words

    kit = FakeKit()
    kit.put_person(adult_row("A Devi"))
    kit.put_person(adult_row("B Devi"))
    kit.put_person(adult_row("C Devi"), State.ACCEPTED)
    drive(script, kit=kit)


def test_home_shows_no_tick_before_the_first_signature() -> None:
    async def script(d: Driver) -> None:
        assert "✔" not in d.text()
        assert "Nobody signed for yet" in d.text()

    kit = FakeKit()
    kit.put_person(adult_row())
    drive(script, kit=kit)


def test_home_tells_what_the_doctor_found() -> None:
    async def script(d: Driver) -> None:
        assert "! The clock is 3 days behind." in d.text()
        assert "The disk is fine." not in d.text()

    kit = FakeKit()
    kit.findings = [
        Finding(code="disk", level=Level.OK, text="The disk is fine."),
        Finding(code="clock", level=Level.WARN, text="The clock is 3 days behind."),
    ]
    drive(script, kit=kit)


def test_those_who_need_correction_have_their_own_list_and_reason() -> None:
    async def script(d: Driver) -> None:
        assert "Needs correction (1 person)" in d.text()
        await d.press("r")
        assert isinstance(d.app.screen, ReturnedScreen)
        assert "Kamla Devi" in d.text()
        assert "Mobile (9876543210)" in d.text()
        assert "The number belongs to many." in d.text()
        assert "Sunita Devi" not in d.text()

    kit = FakeKit()
    kit.put_person(adult_row("Kamla Devi"), State.RETURNED)
    kit.put_person(adult_row())
    drive(script, kit=kit)


def test_ctrl_l_locks_keeps_the_draft_and_clears_the_screen() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        await d.press("enter")
        await d.type("Kamla")
        await d.press("ctrl+l")
        assert isinstance(d.app.screen, UnlockScreen)
        assert len(d.app.screen_stack) == 2
        assert d.kit.is_locked
        assert "Kamla" not in d.text()
        await d.unlock()
        assert "Continue a draft: Kamla" in d.text()

    drive(script)


def test_locking_with_a_full_disk_keeps_the_form_instead() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        d.kit.fail_save = StoreFull()
        await d.press("ctrl+l")
        assert isinstance(d.app.screen, EnrollScreen)
        assert "The disk is full" in d.words()
        d.kit.fail_save = None

    drive(script)


def test_the_kit_locks_itself_when_nobody_is_there() -> None:
    clock = [1000.0]

    async def script(d: Driver) -> None:
        clock[0] += 60
        d.app._tick()
        assert "locks in 1:00" in d.text()
        await d.press("tab")
        d.app._tick()
        await d.rest()
        assert "locks in 2:00" in d.text()
        clock[0] += 121
        d.app._tick()
        await d.rest()
        assert isinstance(d.app.screen, UnlockScreen)
        assert d.kit.is_locked

    drive(script, idle_minutes=2, monotonic=lambda: clock[0])


def test_a_lock_from_elsewhere_leads_back_to_the_passphrase() -> None:
    async def script(d: Driver) -> None:
        d.kit.lock()
        await d.press("f")
        assert isinstance(d.app.screen, UnlockScreen)

    drive(script)


def test_ctrl_q_locks_and_leaves() -> None:
    async def script(d: Driver) -> None:
        await d.press("ctrl+q")
        await d.until(lambda: not d.app.is_running)

    assert drive(script).is_locked


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ((), "Press the letter in front"),
        (("n",), "One step after the other"),
        (("f",), "what sounds alike is found"),
        (("s",), "nothing is sent twice"),
    ],
)
def test_f1_explains_every_screen_and_goes_away_again(keys: tuple[str, ...], says: str) -> None:
    async def script(d: Driver) -> None:
        await d.press(*keys)
        page = d.app.screen
        await d.press("f1")
        assert isinstance(d.app.screen, HelpScreen)
        assert says in " ".join(d.text().replace("│", " ").split()), d.text()
        assert "F1 help" in d.words()
        await d.press("escape")
        assert d.app.screen is page

    drive(script)


def test_f1_explains_the_field_with_the_cursor_first() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        await d.press("f1")
        assert "sealed to the central server" in d.words()

    drive(script)


def test_the_palette_offers_the_kits_own_commands() -> None:
    async def script(d: Driver) -> None:
        commands = {command.title for command in d.app.get_system_commands(d.app.screen)}
        assert {"New enrollment", "Find a person", "Send now", "Lock", "Colours"} <= commands
        await d.press("ctrl+p")
        await d.until(lambda: "Find a person" in d.text())
        await d.press("escape")

    drive(script)


def test_locked_the_palette_offers_nothing_about_people() -> None:
    async def script(d: Driver) -> None:
        commands = {command.title for command in d.app.get_system_commands(d.app.screen)}
        assert commands == {"Colours", "Leave"}

    drive(script, unlocked=False)


def test_colours_can_be_changed_round_and_round() -> None:
    async def script(d: Driver) -> None:
        seen = []
        for _theme in range(3):
            seen.append(d.app.theme)
            d.app.change_colours()
        assert seen == ["dark", "light", "contrast"]
        assert d.app.theme == "dark"

    drive(script)


def test_a_draft_that_was_put_away_comes_back_with_z() -> None:
    async def script(d: Driver) -> None:
        await d.press("d")
        assert isinstance(d.app.screen, DraftsScreen)
        await d.press("x")
        assert "Put away: Kamla. Z brings it back." in d.text()
        assert len(d.kit.desk) == 1
        await d.press("z")
        assert "It is back: Kamla" in d.text()
        await d.press("enter")
        assert isinstance(d.app.screen, EnrollScreen)

    kit = FakeKit()
    kit.unlock(PASSPHRASE)
    for name in ("Ramesh", "Kamla"):
        kit.drafts.start({"name": name})
    kit.lock()
    assert len(drive(script, kit=kit).desk) == 2


def test_a_fault_of_the_program_shows_a_code_and_no_value(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def script(d: Driver) -> None:
        d.kit.fail_search = ValueError("Sunita Devi 9876543210")
        await d.press("f")

    kit = FakeKit()
    with pytest.raises(Exception, match="Sunita"):  # pilot hands the cause to the test
        drive(script, kit=kit)
    said = capsys.readouterr()
    assert "The data is safe" in " ".join(said.err.split())
    assert "crash-report.txt" in said.err
    assert "Sunita" not in said.err + said.out
    assert "Traceback" not in said.err
    assert isinstance(kit.crashes[0], ValueError)
    assert kit.is_locked


def test_sending_is_reached_from_home() -> None:
    async def script(d: Driver) -> None:
        await d.press("s")
        assert isinstance(d.app.screen, SyncScreen)
        await d.press("escape")
        assert isinstance(d.app.screen, HomeScreen)

    drive(script)
