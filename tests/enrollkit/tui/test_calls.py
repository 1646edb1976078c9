"""Whom to call: counted at home, listed with reason and time, opened with one key."""

from __future__ import annotations

from enrollkit.domain.enrollment import State
from enrollkit.tui.screens.calls import CallsScreen
from enrollkit.tui.screens.correct import CorrectScreen
from enrollkit.tui.screens.person import PersonScreen
from fake_kit import FakeKit
from tui_drive import Driver, adult_row, drive


def needed() -> FakeKit:
    """Give a kit with somebody to call now and somebody to call tomorrow."""
    kit = FakeKit()
    kit.ask_for(kit.put_person(adult_row("Rukmini Bai")), "person:otp")
    tomorrow = kit.now + 86_400
    kit.ask_for(kit.put_person(adult_row("Meena Kumari")), "person:parent", call_at=tomorrow)
    return kit


def test_home_counts_them_and_one_key_lists_them_with_reason_and_time() -> None:
    async def script(d: Driver) -> None:
        assert "K  Call the person (2)" in d.text()
        await d.press("k")
        assert isinstance(d.app.screen, CallsScreen)
        assert "2 to call, 1 of them later" in d.text()
        rukmini = next(line for line in d.lines() if "Rukmini Bai" in line)
        assert "98765 43210" in rukmini
        assert "since 21 Nov" in rukmini
        assert "A one-time code goes to the person's mobile. Call them." in d.text()
        meena = next(line for line in d.lines() if "Meena Kumari" in line)
        assert "from 23 Nov, 12:10" in meena
        assert all(len(line) <= 80 for line in d.lines())

    drive(script, kit=needed())


def test_enter_opens_the_person_who_is_under_the_cursor() -> None:
    async def script(d: Driver) -> None:
        await d.press("k", "down", "enter")
        assert isinstance(d.app.screen, PersonScreen)
        assert "Meena Kumari" in d.text()
        assert "! call the person" in d.text()
        assert "A child without Aadhaar: call the parent who has an ABHA number." in d.text()
        assert "Do not call before 23 Nov, 12:10" in d.text()

    drive(script, kit=needed())


def test_who_was_helped_is_gone_from_the_list_when_one_comes_back() -> None:
    async def script(d: Driver) -> None:
        await d.press("k", "enter")
        for ident in d.kit.states:
            d.kit.states[ident] = State.ISSUED
        await d.press("escape")
        assert "Nobody has to be called." in d.text()
        await d.press("escape")
        assert "Call the person (" not in d.text()

    drive(script, kit=needed())


def test_with_nobody_to_call_home_does_not_speak_of_it() -> None:
    async def script(d: Driver) -> None:
        assert "Call the person" not in d.text()
        await d.press("k")
        assert not isinstance(d.app.screen, CallsScreen)

    drive(script)


def test_who_has_no_aadhaar_number_is_given_one_from_the_list() -> None:
    async def script(d: Driver) -> None:
        await d.press("k")
        assert "A add the Aadhaar number" not in d.footer()
        await d.press("down")
        assert "A add the Aadhaar number" in d.footer()
        assert "O finish" not in d.footer()
        await d.press("a")
        assert isinstance(d.app.screen, CorrectScreen)
        assert "There is no Aadhaar number." in d.text()
        await d.type("234567890124")
        await d.press("f2", "enter")
        assert isinstance(d.app.screen, CallsScreen)
        assert "1 to call" in d.text()

    kit = FakeKit()
    kit.ask_for(kit.put_person(adult_row("Rukmini Bai")), "person:otp")
    ident = kit.put_person(adult_row("Meena Kumari"))
    kit.ask_for(ident, "person:document", "/aadhaar")
    drive(script, kit=kit)
    assert kit.states[ident] is State.SUBMITTED
    assert kit.sealed_numbers == ["234567890124"]
