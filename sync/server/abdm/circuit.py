"""How many may ask ABDM at the same time: none for a while after an outage, then one to try.

It begins with one as well. What is wrong with the office's own configuration is then found out by
one call and not by sixteen; eight refused sessions lock a client out.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from sync.server.abdm.jobs import Advance, Fate
from sync.server.abdm.waits import OUTAGE_SECONDS_MAX, back_off

__all__ = ["FAILURES_MAX", "Circuit"]

FAILURES_MAX: Final = 5
"""So many calls in a row without an answer that helps are no longer one person's bad luck."""


class Circuit:
    """For one thread. ``width`` is how many may ask when all is well; moments are in ms, of a
    clock that is never set back.
    """

    def __init__(self, width: int, dice: Callable[[], float] = random.random) -> None:
        self._width = width
        self._dice = dice
        self._in_a_row = 0
        self._pauses = 0
        self._is_proven = False
        self._until = 0

    def room(self, *, now: int, in_work: int) -> int:
        """Give how many more may ask now."""
        if now < self._until:
            return 0
        return max(0, (self._width if self._is_proven else 1) - in_work)

    def paused_until(self, now: int) -> int | None:
        """Give when somebody may ask again; ``None`` when that is now."""
        return self._until if now < self._until else None

    def note(self, advance: Advance, *, now: int) -> bool:
        """Learn from what became of a job; tell whether a pause begins."""
        if not advance.asked:
            return False
        if advance.fate is not Fate.OUTAGE:
            self._in_a_row, self._pauses = 0, 0
            self._is_proven = advance.fate is not Fate.HALTED
            return False
        self._in_a_row += 1
        seconds = float(advance.wait_seconds or 0)
        is_paused = now < self._until
        if not is_paused and (seconds or not self._is_proven or self._in_a_row >= FAILURES_MAX):
            seconds = max(seconds, back_off(self._pauses, self._dice))
            self._pauses += 1
            self._in_a_row, self._is_proven = 0, False
        if seconds:
            until = now + int(min(seconds, OUTAGE_SECONDS_MAX) * 1000)
            self._until = max(self._until, until)
        return not is_paused and now < self._until
