"""Ctrl+C while something runs that must not be torn: the first asks, the second tears."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from enrollkit.cli.console import hint
from enrollkit.locale import _

__all__ = ["Stop", "stop_on_interrupt"]


class Stop:
    """Whether somebody asked to stop. Calling it gives the answer, and tells them once."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._told = False

    def __call__(self) -> bool:
        """Say whether to stop at the next good moment."""
        if self._asked.is_set() and not self._told:
            self._told = True
            hint(_("Stopping after this batch. Ctrl+C once more stops at once."))
        return self._asked.is_set()

    def note(self, _signal: int, _frame: FrameType | None) -> None:
        """Take the signal. Nothing is printed here: it may interrupt a line that is printed."""
        if self._asked.is_set():
            raise KeyboardInterrupt
        self._asked.set()


@contextmanager
def stop_on_interrupt() -> Iterator[Stop]:
    """Turn the first Ctrl+C, or the system's wish that we end, into a question to be asked.

    Only the main thread of a program hears signals; elsewhere nothing changes.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {kind: signal.signal(kind, stop.note) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
