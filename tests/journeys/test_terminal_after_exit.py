"""What a terminal still shows when the app has ended: the other screen takes every name along."""

from __future__ import annotations

import os
import select
import signal
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest

from journey_camp import PASSPHRASE, Laptop, open_office, write_rows
from journey_marked_day import ALL_FORMS, NAMES, marked
from journey_search import find_marks, forms_of_text

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

ROOT = Path(__file__).resolve().parents[2]
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
CTRL_Q = b"\x11"
PATIENCE_SECONDS = 60


class Terminal:
    """A terminal of 80x24 with the app in it; all that was ever written to it is kept."""

    def __init__(self, laptop: Laptop) -> None:
        self.written = b""
        self._pid, self._end = pty.fork()
        if self._pid == 0:
            environment = laptop.environment(TERM="xterm-256color")
            del environment["ENROLLKIT_PASSPHRASE"]
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, "-m", "enrollkit"], environment)  # noqa: S606 - our own program
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def type(self, keys: bytes) -> None:
        os.write(self._end, keys)

    def wait_for(self, text: str) -> None:
        """Read until the text has been written, counted from now."""
        start = len(self.written)
        for piece in self._pieces():
            self.written += piece
            if text.encode() in self.written[start:]:
                return
        self._give_up(f"never saw {text!r}")

    def wait_for_end(self) -> int:
        """Read until the app has ended; give its exit code."""
        until = time.monotonic() + PATIENCE_SECONDS
        for piece in self._pieces():
            self.written += piece
        if time.monotonic() > until:
            self._give_up("it does not end")
        return self._bury()

    def _give_up(self, why: str) -> NoReturn:
        os.kill(self._pid, signal.SIGKILL)
        self._bury()
        raise AssertionError(why)

    def _bury(self) -> int:
        _, status = os.waitpid(self._pid, 0)
        os.close(self._end)
        return os.waitstatus_to_exitcode(status)

    def _pieces(self) -> Iterator[bytes]:
        until = time.monotonic() + PATIENCE_SECONDS
        with suppress(OSError):  # the end of a pseudo-terminal
            while select.select([self._end], [], [], max(0.0, until - time.monotonic()))[0]:
                piece = os.read(self._end, 65536)
                if not piece:
                    return
                yield piece


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_nobody_is_left_on_the_terminal_or_in_its_scrollback(tmp_path: Path) -> None:
    with open_office(tmp_path / "office", running=False) as office:
        laptop = office.laptop(tmp_path / "laptop")
    file = write_rows(tmp_path / "people.jsonl", [marked(place) for place in range(3)])
    assert laptop.run("enroll", file).code == 0
    terminal = Terminal(laptop)
    terminal.wait_for("Your passphrase")
    terminal.type(PASSPHRASE.encode() + b"\r")
    terminal.wait_for("New enrollment")
    terminal.type(b"f")
    terminal.wait_for(NAMES[0][0])
    terminal.type(CTRL_Q)
    assert terminal.wait_for_end() == 0
    before, entered, shown = terminal.written.partition(ENTER)
    shown, left, after = shown.rpartition(LEAVE)
    assert (entered, left) == (ENTER, LEAVE)
    assert LEAVE not in shown
    assert NAMES[0][0].encode() in shown
    assert find_marks(before + after, ALL_FORMS) == []
    assert find_marks(terminal.written, {"passphrase": forms_of_text(PASSPHRASE)}) == []
