"""Locking: when nobody is there, when somebody asks, and when the keys are gone already."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from enrollkit.errors import OperatorError
from enrollkit.tui.screens.page import Page

if TYPE_CHECKING:
    from enrollkit.tui.app import KitApp

__all__ = ["IdleClock", "Locking"]


class IdleClock:
    """Counts the seconds since the last key, on a clock that never runs backwards."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._touched_at = monotonic()

    def touch(self) -> None:
        """Somebody is there."""
        self._touched_at = self._monotonic()

    @property
    def seconds_left(self) -> int:
        """Seconds until the kit locks itself; negative when it should be locked."""
        return int(self._seconds - (self._monotonic() - self._touched_at))


class Locking:
    """Takes the app from any screen back to the passphrase."""

    def __init__(self, app: KitApp) -> None:
        self._app = app
        self._under_way = False

    def begin(self, *, must: bool) -> None:
        """Start locking once. Without ``must`` it gives way when the screen cannot be kept."""
        if not self._under_way and self._app.operator is not None:
            self._under_way = True
            self._app.begin(partial(self.lock, must=must), group="lock")

    async def lock(self, *, must: bool) -> None:
        """Let every page settle, forget the keys; then nothing of a person stays on a screen."""
        try:
            trouble = await self._settle_all()
            if trouble is not None and not must:
                self._app.tell(trouble)
                return
            await self._app.journey.lock()
            self._app.forget()
            while len(self._app.screen_stack) > 1:
                await self._app.pop_screen()
            await self._app.ask_passphrase()
            if trouble is not None and trouble.code != "vault-locked":
                self._app.tell(trouble)
        finally:
            self._under_way = False

    async def _settle_all(self) -> OperatorError | None:
        """Bring every page to disk; give the first thing that stood in the way."""
        troubles: list[OperatorError] = []
        for screen in list(self._app.screen_stack):
            if isinstance(screen, Page):
                try:
                    await screen.settle()
                except OperatorError as error:
                    troubles.append(error)
        return troubles[0] if troubles else None
