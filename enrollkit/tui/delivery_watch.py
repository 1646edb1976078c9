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
    """The state of the session that runs, or of the one that ended last.

    ``allowed_bytes`` is what may travel in a day, up and down; ``None``: no bound.
    """

    def __init__(
        self,
        kit: Kit,
        now: Callable[[], datetime],
        on_move: Callable[[], object],
        *,
        allowed_bytes: int | None = None,
    ) -> None:
        self._kit = kit
        self._now = now
        self._on_move = on_move
        self.allowed_bytes = allowed_bytes
        self.running = False
        self.stopping = False
        self.started: datetime | None = None
        self.progress: Progress | None = None
        self.summary: Summary | None = None
        self.error: OperatorError | None = None
        self.lines: list[tuple[str, str]] = []
        """Clock time and words, newest first."""
        self.link = ""
        """What the last session went over, ``2G`` or the like."""
        self.records = 0
        """Record links that go along with the people."""
        self.returned = 0
        """People who need correction, counted when the session ended."""
        self.links_returned = 0
        """Records that came back, counted then too."""
        self.numbers = 0
        """People who got their ABHA number by the session."""
        self.used_before = 0
        """Bytes that this day's earlier sessions used."""

    @property
    def brief(self) -> str:
        """A few words for the top line while it runs."""
        if not self.running:
            return ""
        if self.progress is None or not self.progress.people_total:
            return _("sending")
        counts = (self.progress.people_signed, self.progress.people_total)
        return _("sending {done} of {total}").format(done=counts[0], total=counts[1])

    @property
    def used_bytes(self) -> int:
        """Give how many bytes travelled today, this session's among them."""
        counted = self.summary or self.progress
        return self.used_before + (counted.bytes_up + counted.bytes_down if counted else 0)

    async def run(self) -> None:
        """Run one session to its end; a second call while it runs does nothing."""
        if self.running:
            return
        self.running, self.stopping, self.started = True, False, self._now()
        self.progress = self.summary = self.error = None
        self.lines = []
        self._on_move()
        try:
            self.summary = await asyncio.to_thread(self._run)
            self.error = self.summary.error
        except OperatorError as error:
            self.error = error
        finally:
            self.running = self.stopping = False
            self._on_move()

    def stop(self) -> None:
        """End the session after the batch that is under way; what was signed stays signed."""
        if self.running:
            self.stopping = True
            self._on_move()

    def _run(self) -> Summary:
        """Run in a thread of its own; even asking for the session may touch the disk."""
        delivery = self._kit.delivery
        self.link = delivery.estimate().link
        before = self._kit.standing()
        self.records, self.numbers = before.links_waiting, 0
        self.used_before = delivery.bytes_used_today()
        left = None
        if self.allowed_bytes is not None:
            left = max(0, self.allowed_bytes - self.used_before)
        summary = delivery.run(self._note, limit_bytes=left, is_stopping=lambda: self.stopping)
        after = self._kit.standing()
        self.returned, self.links_returned = after.returned, after.links_returned
        self.numbers = max(0, after.issued - before.issued)
        return summary

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
