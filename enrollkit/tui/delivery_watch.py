"""Sending, as the app keeps it in sight: one session at a time, which outlives the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from enrollkit.errors import OperatorError
from enrollkit.locale import _

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit
    from enrollkit.app.results import Progress, Summary

__all__ = ["DeliveryWatch"]

_LINES_MAX = 6


class DeliveryWatch:
    """The state of the session that runs, or of the one that ended last."""

    def __init__(
        self, kit: Kit, now: Callable[[], datetime], on_move: Callable[[], object]
    ) -> None:
        self._kit = kit
        self._now = now
        self._on_move = on_move
        self.running = False
        self.started: datetime | None = None
        self.progress: Progress | None = None
        self.summary: Summary | None = None
        self.error: OperatorError | None = None
        self.lines: list[tuple[str, str]] = []
        """Clock time and words, newest first."""

    @property
    def brief(self) -> str:
        """A few words for the top line while it runs."""
        if not self.running:
            return ""
        if self.progress is None or not self.progress.people_total:
            return _("sending")
        counts = (self.progress.people_signed, self.progress.people_total)
        return _("sending {done} of {total}").format(done=counts[0], total=counts[1])

    async def run(self) -> None:
        """Run one session to its end; a second call while it runs does nothing."""
        if self.running:
            return
        self.running, self.started = True, self._now()
        self.progress = self.summary = self.error = None
        self.lines = []
        self._on_move()
        try:
            self.summary = await asyncio.to_thread(self._run)
            self.error = self.summary.error
        except OperatorError as error:
            self.error = error
        finally:
            self.running = False
            self._on_move()

    def _run(self) -> Summary:
        """Run in a thread of its own; even asking for the session may touch the disk."""
        return self._kit.delivery.run(self._note)

    def forget(self) -> None:
        """Drop what was shown: another operator may come."""
        if not self.running:
            self.progress = self.summary = self.error = None
            self.lines = []

    def _note(self, progress: Progress) -> None:
        """Take progress in the session's own thread; the screen hears of it by a message."""
        self.progress = progress
        if progress.text and (not self.lines or self.lines[0][1] != progress.text):
            line = (self._now().strftime("%H:%M"), progress.text)
            self.lines = [line, *self.lines][:_LINES_MAX]
        self._on_move()
