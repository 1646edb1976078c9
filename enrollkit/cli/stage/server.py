"""A real server process for the demo, started and stopped like any other program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from enrollkit.errors import ConfigError

__all__ = ["ServerFailed", "ServerMissing", "ServerProgram", "running"]

_LISTENING: Final = "listening on "


class ServerMissing(ConfigError):
    """The server part is not installed, so the demo cannot show it. Install the extra `server`:
    pip install "abha-enrollkit[server]"
    """

    code = "server-missing"
    exit_code = 55


class ServerFailed(ConfigError):
    """The server program of the demo stopped with an error. Its own words stand above, or in
    server.log of the demo's folder.
    """

    code = "server-failed"
    exit_code = 58


class ServerProgram:
    """``enrollkit-server`` with its home folder; every call is a process of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def call(self, *arguments: str) -> Any:
        """Run one command with ``--json`` and give what it printed."""
        printed = self.call_plain(*arguments, "--json")
        return json.loads(printed) if printed.strip() else None

    def call_plain(self, *arguments: str) -> str:
        """Run one command and give its output as it is."""
        done = subprocess.run(  # noqa: S603 - our own program, with our own arguments
            [*_program(), *arguments, "--home", str(self.home)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            env=_environment(),
        )
        if done.returncode != 0:
            sys.stderr.write(done.stderr)
            raise ServerFailed(f"{arguments[0]}: exit code {done.returncode}")
        return done.stdout


@contextmanager
def running(home: Path, log: Path) -> Iterator[int]:
    """Serve until the block ends; give the port. What the server logs goes to ``log``."""
    with log.open("wb") as lines:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*_program(), "run", "--home", str(home), "--host", "127.0.0.1", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=lines,
            text=True,
            encoding="utf-8",
            env=_environment(),
        )
        try:
            yield _port(process)
        finally:
            process.terminate()
            process.communicate(timeout=20)


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None  # noqa: S101 - asked for above
    for line in process.stdout:
        if line.startswith(_LISTENING):
            return int(line.strip().rpartition(":")[2])
    raise ServerFailed("the server ended before it listened")


def _program() -> list[str]:
    if find_spec("fastapi") is None:
        raise ServerMissing
    return [sys.executable, "-m", "sync.server"]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
