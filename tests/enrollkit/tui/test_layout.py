"""Every screen on 80x24: nothing cut off, help in reach, and no key press that breaks it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from enrollkit.domain.enrollment import State
from enrollkit.tui.screens.page import Page
from fake_finishing import FinishKit
from fake_kit import PASSPHRASE, FakeKit
from tui_drive import Driver, adult_row, drive

SCREENS = {
    "home": (),
    "consent": ("n",),
    "consent-answer": ("n", *["enter"] * 8, "t"),
    "document": ("n", *["enter"] * 8, "s", "enter"),
    "person": ("n", *["enter"] * 8, "s", "enter", "enter"),
    "find": ("f",),
    "person-page": ("f", "enter"),
    "record": ("f", "enter", "v"),
    "cards": ("f", "enter", "p"),
    "drafts": ("d",),
    "review": ("d", "enter"),
    "address": ("d", "enter", "escape"),
    "saved": ("d", "enter", "enter"),
    "returned": ("r",),
    "calls": ("k",),
    "finish": ("k", "o"),
    "finish-code": ("k", "o", "enter"),
    "send": ("s",),
}


def a_full_kit() -> FakeKit:
    """Give a kit in the middle of a day, with long names."""
    kit = FinishKit()
    kit.put_person(adult_row("Venkatanarasimharajuvaripeta Lakshmi Narayanamma"), State.ISSUED)
    kit.put_person(adult_row("Sunita Devi"), State.ACCEPTED)
    kit.put_person(adult_row("Kamla Devi"), State.RETURNED)
    kit.ask_for(kit.put_person(adult_row("Rukmini Bai")), "person:otp", call_at=kit.now + 9)
    kit.unlock(PASSPHRASE)
    for name in ("Ramesh Lal Yadav", "Asha Kumari"):
        mobile = "9876501234"
        draft = kit.drafts.start(adult_row(name, mobile=mobile, birth={"year": 1990}))
        kit.desk[draft.id] = replace(draft, step="review")
    kit.lock()
    return kit


def cut_off(d: Driver) -> list[str]:
    """Name every widget that reaches beyond the screen, or whose words do not fit in it."""
    screen = d.app.screen
    found = [
        f"{widget!r} {widget.region}"
        for widget in screen.walk_children(Widget)
        if widget.region and not screen.region.contains_region(widget.region)
    ]
    found += [
        f"{words!r} is too low"
        for words in screen.query(Static).results(Static)
        if words.display and words.region and words.region.height < words.virtual_size.height
    ]
    return found


@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize("ascii_only", [False, True], ids=["unicode", "ascii"])
def test_practice_stripes_every_screen_and_takes_no_room(name: str, ascii_only: bool) -> None:  # noqa: FBT001 - a parameter of the table
    async def script(d: Driver) -> None:
        for key in SCREENS[name]:
            await d.press(key)
        assert d.lines()[1].count("PRACTICE") >= 4
        assert not cut_off(d)

    kit = a_full_kit()
    kit.practice = True
    drive(script, kit=kit, ascii_only=ascii_only)


@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize("ascii_only", [False, True], ids=["unicode", "ascii"])
def test_the_screen_fits_and_offers_help(name: str, ascii_only: bool) -> None:  # noqa: FBT001 - a parameter of the table
    async def script(d: Driver) -> None:
        for key in SCREENS[name]:
            await d.press(key)
        assert isinstance(d.app.screen, Page)
        body = d.app.screen.query_one("#body", VerticalScroll)
        assert body.max_scroll_x == 0
        if name not in {"record", "find"}:
            assert body.max_scroll_y == 0, d.text()
        assert cut_off(d) == [], d.text()
        assert "F1 help" in d.footer()
        assert all(cell_len(line) <= 80 for line in d.lines())
        own = "".join(line for line in d.lines() if "स" not in line)
        if ascii_only and not name.startswith("consent"):
            assert own.replace("–", "-").isascii(), own

    drive(script, kit=a_full_kit(), ascii_only=ascii_only)


def test_the_first_screen_fits_too() -> None:
    async def script(d: Driver) -> None:
        assert cut_off(d) == []
        assert "F1 help" in d.footer()

    drive(script, unlocked=False)


def test_a_wide_terminal_shows_the_person_beside_the_form() -> None:
    async def script(d: Driver) -> None:
        await d.press("d", "enter", "escape", "escape")
        assert "Asha Kumari" in d.text()
        preview = d.app.screen.query_one("#preview")
        assert preview.region.width > 0
        assert cut_off(d) == [], d.text()

    drive(script, kit=a_full_kit(), size=(130, 30))


@pytest.mark.parametrize("size", [(60, 20), (40, 12), (200, 60)])
def test_other_sizes_do_not_break_anything(size: tuple[int, int]) -> None:
    async def script(d: Driver) -> None:
        await d.press("n", "enter", "escape", "f", "enter", "escape", "escape", "d", "enter")
        assert isinstance(d.app.screen, Page)

    drive(script, kit=a_full_kit(), size=size)


@pytest.mark.parametrize("seed", range(3))
def test_any_keys_in_any_order_break_nothing_and_lose_nobody(seed: int) -> None:
    dice = random.Random(seed)
    keys = [
        *"nfsdrckopvhlxzmt0123456789 /.?",
        *["enter"] * 8,
        *["escape"] * 2,
        *["tab", "shift+tab", "up", "down", "left", "right", "space", "backspace", "delete"],
        *[
            "f1",
            "f2",
            "f3",
            "f4",
            "home",
            "end",
            "pageup",
            "pagedown",
            "ctrl+a",
            "ctrl+u",
            "ctrl+c",
        ],
    ]

    async def script(d: Driver) -> None:
        for _burst in range(25):
            d.send(*dice.choices(keys, k=6))
            await d.rest()
            assert d.app.is_running
        assert isinstance(d.app.screen, Page) or d.app.screen.is_modal

    kit = drive(script, kit=a_full_kit())
    assert len(kit.people_here) >= 3
    assert kit.crashes == []


def test_hostile_text_in_a_draft_cannot_tear_the_screen() -> None:
    async def script(d: Driver) -> None:
        assert "\x1b" not in d.text()
        await d.press("d")
        assert "\x1b" not in d.text()
        assert "\u202e" not in d.text()
        assert "[bold]" in d.text()

    kit = FakeKit()
    kit.unlock(PASSPHRASE)
    kit.drafts.start({"name": "\x1b[2J\u202e[bold]\x00" + "A" * 500})
    kit.drafts.start({"name": "[red]", "birth": {"year": "x"}, "address": [], "consent": 7})
    kit.lock()
    drive(script, kit=kit)


@pytest.mark.parametrize("step", ["consent", "document", "person", "address", "review", "nonsense"])
def test_a_draft_of_any_shape_opens(step: str) -> None:
    async def script(d: Driver) -> None:
        await d.press("d", "enter")
        assert isinstance(d.app.screen, Page)
        await d.press("enter", "tab", "escape")

    kit = FakeKit()
    kit.unlock(PASSPHRASE)
    strange = {"name": 5, "birth": [], "address": "x", "consent": {"method": 3}, "guardian": "y"}
    draft = kit.drafts.start(strange)
    kit.desk[draft.id] = replace(draft, step=step)
    kit.lock()
    assert drive(script, kit=kit).crashes == []
