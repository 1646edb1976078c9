"""A real server process for the demo, started and stopped like any other program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from enrollkit.errors import ConfigError

__all__ = ["ServerFailed", "ServerMissing", "ServerProgram"]

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
    """``enrollkit-server`` with its home folder; every call is a process of its own.

    ``settings`` are environment variables for all of them.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings: dict[str, str] = {}

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
            env=_environment(self.settings),
        )
        if done.returncode != 0:
            sys.stderr.write(done.stderr)
            raise ServerFailed(f"{arguments[0]}: exit code {done.returncode}")
        return done.stdout

    @contextmanager
    def serving(self, log: Path) -> Iterator[int]:
        """Serve laptops until the block ends; give the port. The log goes to a file."""
        command = ["run", "--home", str(self.home), "--host", "127.0.0.1", "--port", "0"]
        with _running(command, log, self.settings) as process:
            yield int(_after(process, _LISTENING).rpartition(":")[2])

    @contextmanager
    def working(self, log: Path) -> Iterator[None]:
        """Let the worker that talks to ABDM run until the block ends."""
        with _running(["worker", "--home", str(self.home)], log, self.settings):
            yield

    @contextmanager
    def practice_abdm(self, log: Path, *, callback: str) -> Iterator[None]:
        """Run the practice ABDM and let this server call it; ``callback`` is where it answers."""
        command = ["sandbox", "--port", "0", "--callback", callback]
        with _running(command, log, self.settings) as process:
            for name in ("gateway_url", "abha_url", "client_id", "client_secret", "benefit"):
                value = _after(process, f"{name} = ").strip('"')
                self.settings[f"ENROLLKIT_ABDM_{name.upper()}"] = value
            yield


@contextmanager
def _running(
    command: Sequence[str], log: Path, settings: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    with log.open("wb") as lines:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*_program(), *command],
            stdout=subprocess.PIPE,
            stderr=lines,
            text=True,
            encoding="utf-8",
            env=_environment(settings),
        )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=20)


def _after(process: subprocess.Popen[str], beginning: str) -> str:
    """Give the rest of the next line that begins so."""
    assert process.stdout is not None  # noqa: S101 - asked for above
    for line in process.stdout:
        if line.startswith(beginning):
            return line.removeprefix(beginning).strip()
    raise ServerFailed("it ended before it was ready")


def _program() -> list[str]:
    if find_spec("fastapi") is None:
        raise ServerMissing
    return [sys.executable, "-m", "sync.server"]


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, **settings, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
