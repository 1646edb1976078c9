"""Makes the environment of this checkout, from plain Python, on any system.

A stamp inside ``.venv`` holds the digest of what it was made from, so a second run does nothing;
a mark beside it says that an install was under way, so a cut one is begun again from nothing.
Every script for newcomers starts with :func:`run_in_environment`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from _environment import Environment
from _install import install_with_pip, install_with_uv
from _watched import SetupFailed, say

ROOT = Path(__file__).resolve().parent.parent


def run_in_environment(work: Callable[[Environment], int], root: Path = ROOT) -> int:
    """Prepare the environment, do the work in it, and give its exit code.

    The one place where a failed set-up and Ctrl-C become words and an exit code.
    """
    try:
        environment = prepare(root)
        os.chdir(root)
        return work(environment)
    except SetupFailed as failure:
        print(f"\nThe set-up did not finish.\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to go on.", file=sys.stderr)
        return 130


def prepare(root: Path = ROOT) -> Environment:
    """Make the environment complete; at once when it is already."""
    environment = Environment(root=root)
    environment.work.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(environment.work / "lock"):
        wanted = environment.wanted()
        if environment.found() == wanted and environment.works():
            return environment
        began = time.monotonic()
        say("Setting up .venv (once; a few minutes on a slow line).")
        if not install_with_uv(environment):
            install_with_pip(environment, wanted)
        environment.stamp.write_text(json.dumps(wanted), encoding="utf-8")
        environment.mark.unlink(missing_ok=True)
        say(f"      ready after {time.monotonic() - began:.0f} s")
    return environment


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Let one set-up of this checkout run; a second one waits for it."""
    with path.open("a+b") as file:
        told = False
        while not _lock(file.fileno()):
            if not told:
                say("Another set-up of this folder is running; waiting for it.")
                told = True
            time.sleep(0.5)
        yield  # closing the file, or the end of the process, gives the lock back


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt = importlib.import_module("msvcrt")
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl = importlib.import_module("fcntl")
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
