"""Keys that come while a form changes its step: kept back, and typed into the new step in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from textual import events

__all__ = ["TypeAhead"]

Deal = Callable[[events.Event], Awaitable[None]]


class TypeAhead:
    """Quick hands type the name behind the Enter; without this its first letters went nowhere.

    ``later`` calls something after the messages that wait; ``deal`` handles an event as usual.
    """

    def __init__(self, later: Callable[[Callable[[], Awaitable[None]]], bool], deal: Deal) -> None:
        self._later = later
        self._deal = deal
        self._holders = 0
        self._kept: list[events.Event] = []

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Keep keys back until this ends and the focus that was asked for meanwhile is there."""
        self._holders += 1
        try:
            yield
        finally:
            self._later(self._release)

    def keeps(self, event: events.Event) -> bool:
        """Keep a key or a paste back, if the form is between two steps."""
        if self._holders == 0 or event.is_forwarded:
            return False
        if not isinstance(event, events.Key | events.Paste):
            return False
        self._kept.append(event)
        return True

    async def _release(self) -> None:
        self._holders -= 1
        if self._holders == 0:
            kept, self._kept = self._kept, []
            for event in kept:
                await self._deal(event)
