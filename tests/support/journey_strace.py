"""Killing a process at one of its system calls that write, by strace's fault injection.

strace counts calls for each thread and each kind of call, and can be told to look at one file only.
A *point* therefore says whether only the main thread is watched or all, the kind, the file (or
none), and the number; the process dies when a watched thread is about to make its n-th such call:
nothing of that call happens.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

__all__ = ["WRITING", "Point", "points_of", "watched", "why_not"]

WRITING: Final = (
    "write", "pwrite64", "writev", "pwritev", "sendto", "sendmsg", "fsync", "fdatasync",
    "rename", "renameat", "renameat2", "truncate", "ftruncate", "unlink", "unlinkat",
)  # fmt: skip
"""Every call by which Python, SQLite and SQLCipher change a file or talk to somebody on Linux."""

_FRESH_SUFFIX: Final = ".part"
"""Files whose name is another one in each run; calls on them are counted among all."""

_LINE: Final = re.compile(r"(?P<thread>\d+) +(?P<name>\w+)\((?P<rest>.*)")
_OWN_CODE: Final = (
    "import ctypes,os,sys;ctypes.CDLL(None).prctl(0x59616D61,ctypes.c_ulong(-1),0,0,0);"
    "print('here',flush=True);sys.stdin.read();os.write(1,b'alive')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One call of a run: its thread, its kind, its number among those, and what it was made on.

    ``file`` is relative to the home; without one ``number`` counts the kind's calls on anything.
    """

    is_main: bool
    name: str
    number: int
    file: str | None = None

    def __str__(self) -> str:
        who = "main thread" if self.is_main else "any thread"
        return f"{self.name} {self.number} of the {who} on {self.file or 'anything'}"


@cache
def why_not() -> str:
    """Give the reason why nothing can be killed here by strace; empty when it can."""
    if sys.platform != "linux":
        return "strace is a tool for Linux"
    if shutil.which("strace") is None:
        return "strace is not installed"
    with subprocess.Popen(
        [sys.executable, "-c", _OWN_CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as victim:
        assert victim.stdout is not None
        victim.stdout.readline()
        try:
            point = Point(is_main=True, name="write", number=1)
            with watched(victim.pid, Path("/dev/null"), home=Path("/"), point=point):
                victim.communicate(timeout=30)
        except AssertionError as refused:
            victim.kill()
            return f"strace may not watch a process here: {refused}"
    return "" if victim.returncode < 0 else "strace watched a process but could not kill it"


@contextmanager
def watched(pid: int, log: Path, *, home: Path, point: Point | None = None) -> Iterator[None]:
    """Watch a process from now on, and kill it at a point of its home if one is given.

    ``AssertionError`` with strace's words when it may not. On leaving, the watching ends with the
    process, or strace lets go of it.
    """
    options = ["-o", str(log), "-y", "-e", "signal=none"]
    if point is None:
        options += ["-f", "-e", f"trace={','.join(WRITING)}"]
    else:
        options += ["-e", f"trace={point.name}"]
        options += ["-e", f"inject={point.name}:signal=KILL:when={point.number}"]
        options += [] if point.is_main else ["-f"]
        options += [] if point.file is None else ["-P", str(home / point.file)]
    with subprocess.Popen(
        ["strace", *options, "-p", str(pid)], stderr=subprocess.PIPE, text=True
    ) as strace:
        try:
            assert strace.stderr is not None
            said = ""
            while "attached" not in said:
                said = strace.stderr.readline()
                assert said, "it ended"
                assert "attach:" not in said, said.strip()
            yield
        finally:
            strace.terminate()
            strace.communicate(timeout=30)


def points_of(log: Path, *, home: Path, main_thread: int) -> tuple[list[Point], list[Point]]:
    """Give a point for each call of an undisturbed run, in order; and those that cannot be met.

    A call of another thread stands in the shadow of an earlier call that has the same kind, file
    and number: the process would die there.
    """
    points, shadowed, seen = [], [], set()
    counted: Counter[tuple[str, str, str | None]] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        thread, name, file = found["thread"], found["name"], _file(found["rest"], home)
        counted.update({(thread, name, None), (thread, name, file)})
        place = (name, counted[thread, name, file], file)
        is_main = int(thread) == main_thread
        point = Point(is_main=is_main, name=name, number=place[1], file=file)
        (points if is_main or place not in seen else shadowed).append(point)
        seen.add(place)
    return points, shadowed


def _file(rest: str, home: Path) -> str | None:
    """Find the file of the home that a call is about, in its arguments as strace writes them."""
    found = re.match(r'(?:\d+<([^>]*)>|(?:AT_FDCWD[^,]*, )?"([^"]*)")', rest)
    path = Path((found[1] or found[2] or "") if found else "")
    if path.suffix == _FRESH_SUFFIX or not path.is_relative_to(home):
        return None
    return str(path.relative_to(home))
