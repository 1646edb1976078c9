"""A real server process for tests: made, started on a free port, killed, started again."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = [
    "ServerProcess",
    "environment_without_settings",
    "free_port",
    "run_server_command",
    "running_server",
]

_COMMAND = (sys.executable, "-c", "from sync.server.cli import main; main()")
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True, kw_only=True)
class ServerProcess:
    """A server that may be stopped, killed and started again at the same address."""

    home: Path
    port: int
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_path(self) -> Path:
        return self.home / "stderr.log"

    def start(self) -> None:
        """Start it and wait until it says that it listens."""
        assert self.process is None, "it runs already"
        with self.log_path.open("a") as log:
            self.process = subprocess.Popen(
                [*_COMMAND, "run", "--home", str(self.home), "--port", str(self.port)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=_ROOT,
                env=environment_without_settings(),
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\n", line)
        if found is None:
            self.kill()
            raise AssertionError(f"server said {line!r}; {self.log_path.read_text()}")
        self.port = int(found[1])

    def kill(self) -> None:
        """Take the power away (SIGKILL)."""
        self._end("kill")

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and give its exit code."""
        return self._end("terminate")

    def _end(self, how: str) -> int:
        if self.process is None:
            return 0
        getattr(self.process, how)()
        code = self.process.wait(timeout=60)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return code

    def command(self, *arguments: str) -> str:
        """Run an ``enrollkit-server`` command on this home and give what it printed."""
        done = run_server_command([*arguments, "--home", str(self.home)])
        assert done.returncode == 0, done.stderr
        return done.stdout


def run_server_command(
    arguments: Sequence[str], *, passphrase: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run an ``enrollkit-server`` command in a process of its own."""
    extra = {"ENROLLKIT_SERVER_PASSPHRASE": passphrase} if passphrase else {}
    return subprocess.run(
        [*_COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=_ROOT,
        env={**environment_without_settings(), **extra},
    )


@contextmanager
def running_server(
    home: Path, *, name: str = "Practice Programme", port: int | None = None
) -> Iterator[ServerProcess]:
    """Make a server in ``home`` unless there is one, run it, and end it afterwards.

    The address in its programme is the one it listens at.
    """
    server = ServerProcess(home=home, port=port or free_port())
    if not (home / "keys.json").exists():
        made = run_server_command(
            ["init", "--home", str(home), "--name", name, "--url", server.url]
        )
        assert made.returncode == 0, made.stderr
    server.start()
    try:
        yield server
    finally:
        server.kill()


def free_port() -> int:
    """Give a port that nobody listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def environment_without_settings() -> dict[str, str]:
    """Give this process's environment without anything that is meant for enrollkit."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ENROLLKIT_")}
    return {**kept, "PYTHONPATH": str(_ROOT), "PYTHONUNBUFFERED": "1"}
