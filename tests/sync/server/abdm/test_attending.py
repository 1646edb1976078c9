from __future__ import annotations

import io
import threading

from sync.server.attending import Attendant
from sync.server.errors import DatabaseBusy
from sync.server.logs import Log


class Steps:
    """Steps that are claimed once each; some cannot be done."""

    def __init__(self, *names: str) -> None:
        self.waiting = list(names)
        self.done: list[str] = []
        self.all_done = threading.Event()
        self.log = io.StringIO()
        self.attendant = Attendant(
            self.claim, self.advance, log=Log(self.log), width=2, rest_seconds=0
        )

    def claim(self, room: int) -> list[str]:
        if self.waiting and self.waiting[0] == "busy":
            self.waiting.pop(0)
            raise DatabaseBusy("locked")
        if self.waiting and self.waiting[0] == "odd row":
            self.waiting.pop(0)
            raise TypeError("a person's value")
        taken, self.waiting = self.waiting[:room], self.waiting[room:]
        return taken

    def advance(self, name: str) -> None:
        self.done.append(name)
        if name == "last":
            self.all_done.set()
        if name == "fault":
            raise ValueError("a person's value")
        if name == "locked":
            raise DatabaseBusy("locked")


def test_all_that_is_there_is_done() -> None:
    steps = Steps("a", "b", "c", "d", "e")
    steps.attendant.drain()
    assert sorted(steps.done) == ["a", "b", "c", "d", "e"]


def test_what_fails_ends_nothing_else_and_is_logged_without_values() -> None:
    steps = Steps("fault", "locked", "c")
    steps.attendant.drain()
    assert sorted(steps.done) == ["c", "fault", "locked"]
    assert '"crash"' in steps.log.getvalue()
    assert "a person's value" not in steps.log.getvalue()


def test_it_looks_until_it_is_told_to_end() -> None:
    steps = Steps("busy", "odd row", "a", "b", "last")
    thread = threading.Thread(target=steps.attendant.run)
    thread.start()
    assert steps.all_done.wait(timeout=10)
    steps.attendant.stop()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert sorted(steps.done) == ["a", "b", "last"]
    assert '"crash"' in steps.log.getvalue()
    assert "a person's value" not in steps.log.getvalue()
