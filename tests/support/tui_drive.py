"""Driving the app in tests: one way to start it, to type, to wait, and to read the screen."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from textual import events
from textual.pilot import Pilot, WaitForScreenTimeout
from textual.widget import Widget

from enrollkit.tui.app import KitApp, make_app
from enrollkit.tui.screens.enroll import EnrollScreen
from enrollkit.tui.screens.home import HomeScreen
from enrollkit.tui.screens.page import Page
from fake_kit import PASSPHRASE, FakeKit

_CHARACTERS = {"space": " ", "slash": "/", "enter": "\r", "tab": "\t", "escape": "\x1b"}
_ROUNDS = 1000
_CALM_ROUNDS = 3


class Driver:
    """A running app under test."""

    def __init__(self, app: KitApp, pilot: Pilot[Any], kit: FakeKit) -> None:
        self.app, self.pilot, self.kit = app, pilot, kit

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, and let each be dealt with."""
        for key in keys:
            self.send(key)
            await self.rest()

    def send(self, *keys: str) -> None:
        """Send keys without waiting, as an impatient hand does."""
        for key in keys:
            self.app.post_message(events.Key(key, key if len(key) == 1 else _CHARACTERS.get(key)))

    async def type(self, text: str) -> None:
        """Put text in at once, as a scanner or a quick hand does."""
        assert self.app.focused is not None, "the cursor is nowhere"
        self.app.focused.post_message(events.Paste(text))
        await self.rest()

    async def rest(self) -> None:
        """Wait until every message is dealt with and no work of the kit is under way but sending.

        Textual's own waiting watches the processor's load, which is slow on a busy machine.
        """
        calm = 0
        for _round in range(_ROUNDS):
            if self.app._exception is not None or not self.app.is_running:
                return
            with suppress(WaitForScreenTimeout):
                await self.pilot._wait_for_screen(timeout=1.0)
            working = any(work.group != "delivery" for work in self.app.workers)
            calm = 0 if working or self._undrawn() else calm + 1
            if calm > _CALM_ROUNDS:
                return
            await asyncio.sleep(0.005)

    def _undrawn(self) -> bool:
        """Whether the screen has something to lay out or to draw yet."""
        screen = self.app.screen
        widgets = screen.walk_children(Widget, with_self=True)
        return bool(screen._dirty_widgets) or any(one._layout_required for one in widgets)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, for some seconds at most."""
        for _round in range(_ROUNDS):
            if holds():
                return
            await self.rest()
        raise AssertionError("it never held; the screen says:\n" + self.text())

    async def unlock(self) -> None:
        """Type the passphrase and arrive at home."""
        await self.type(PASSPHRASE)
        await self.press("enter")
        await self.until(lambda: isinstance(self.app.screen, HomeScreen))
        await self.rest()

    async def agree(self) -> None:
        """Go through the consent with a signature."""
        await self.until(lambda: isinstance(self.app.screen, EnrollScreen))
        await self.rest()
        for _page in range(30):
            if self.focused() == "Choice":
                break
            await self.press("enter")
        await self.press("s", "enter")

    async def adult(self, name: str = "Sunita Devi", born: str = "14/3/87") -> None:
        """Fill in document, person and address of a grown-up; ends at the review."""
        await self.press("enter")
        await self.person(name, born)
        await self.address()

    async def person(self, name: str, born: str) -> None:
        """Fill in the person step."""
        await self.type(name)
        await self.press("enter")
        await self.type(born)
        await self.press("enter", "f", "enter")
        await self.type("9876543210")
        await self.press(*["enter"] * 5)

    async def address(self) -> None:
        """Fill in the address step."""
        for line in ("House 4", "Nagla", "202001", "uttar p", "alig"):
            await self.type(line)
            await self.press("enter")

    def text(self) -> str:
        """Read what stands on the screen, line by line."""
        return "\n".join(self.lines())

    def words(self) -> str:
        """Read the screen as running text: line breaks and margins count as one blank."""
        return " ".join(self.text().split())

    def lines(self) -> list[str]:
        """Read the screen's lines."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    def footer(self) -> str:
        """Read the last line."""
        return self.lines()[-1]

    def focused(self) -> str:
        """Give the class of the widget with the cursor."""
        return type(self.app.focused).__name__

    @property
    def page(self) -> Page[Any]:
        """Give the page on top."""
        assert isinstance(self.app.screen, Page)
        return self.app.screen


def drive(
    script: Callable[[Driver], Awaitable[None]],
    *,
    kit: FakeKit | None = None,
    size: tuple[int, int] = (80, 24),
    unlocked: bool = True,
    **options: Any,
) -> FakeKit:
    """Run a script against the app, from the passphrase or from home; gives the kit back."""
    used = kit or FakeKit()

    async def main() -> None:
        options.setdefault("ascii_only", False)
        app = make_app(used, now=lambda: used.now, **options)  # type: ignore[arg-type]
        async with app.run_test(size=size) as pilot:
            used.ui_thread = threading.get_ident()
            driver = Driver(app, pilot, used)
            await driver.rest()
            if unlocked:
                await driver.unlock()
            await script(driver)
            await driver.rest()
        used.ui_thread = None

    asyncio.run(main())
    return used


def adult_row(name: str = "Sunita Devi", **changes: Any) -> dict[str, Any]:
    """Give the row of a grown-up that the rules accept."""
    return {
        "name": name,
        "name_native": "सुनीता देवी",
        "gender": "F",
        "birth": {"year": 1987, "month": 3, "day": 14},
        "mobile": "9876543210",
        "mobile_owner": "self",
        "address": {
            "line": "House 4",
            "village": "Nagla",
            "pincode": "202001",
            "state": 9,
            "district": 119,
        },
        "consent": {
            "version": "1.4",
            "language": "en",
            "method": "signature",
            "given_at": "2026-11-22T12:00:00+05:30",
        },
        "language": "hi",
        **changes,
    }
