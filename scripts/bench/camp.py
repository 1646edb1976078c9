"""A camp to measure: a real server behind TLS, a real laptop full of people, ready to call.

Made once; each case runs on a copy, so that each begins with a fresh install and nothing sent.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.authority import make_chain
from bench.link import Link
from bench.recount import Recount, recount

__all__ = ["Camp", "Sent", "SetupBroken", "make_camp"]

TLS_PORT: Final = 8443
_PLAIN_PORT: Final = 8000
_HERE: Final = Path(__file__).resolve().parent
_ROOT: Final = _HERE.parents[1]
_SERVER: Final = (sys.executable, "-m", "sync.server")
_KIT: Final = (sys.executable, "-m", "enrollkit")


class SetupBroken(Exception):
    """What is to be measured could not be made ready; the text has the command's own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one ``enrollkit sync`` did, seen by the program, by the proxy and by the link."""

    summary: dict[str, Any]
    exit_code: int
    wall_seconds: float
    """From the start of the process to its end."""
    wire_up: int
    wire_down: int
    """IP packets given to the link, headers and repetitions included."""
    lines: tuple[dict[str, Any], ...]
    """The proxy's count of each connection."""
    again: Recount

    @property
    def after_handshakes(self) -> int:
        """TLS bytes both ways beside the handshakes."""
        return sum(line["up"] + line["down"] for line in self.lines)


@dataclass(slots=True, kw_only=True)
class Camp:
    """Two homes, a certificate, and the ways to run a session between them."""

    folder: Path
    link: Link
    passphrase: str = field(repr=False)

    def copy(self, name: str) -> Camp:
        """Give a camp with homes of its own, as this one's are now."""
        folder = self.folder.parent / name
        shutil.copytree(self.folder, folder)
        return Camp(folder=folder, link=self.link, passphrase=self.passphrase)

    def sync(self) -> Sent:
        """Run ``enrollkit sync --json`` once, with the link's circle beginning as it starts."""
        records = self.folder / f"records{time.monotonic_ns()}"
        records.mkdir()
        with self._server(), self._terminator(records, _PLAIN_PORT):
            self.link.begin()
            began = time.monotonic()
            done = subprocess.run(
                [*self.link.near, *_KIT, "sync", "--json"],
                check=False,
                capture_output=True,
                text=True,
                cwd=_ROOT,
                env=self.environment(),
            )
            wall = time.monotonic() - began
            up, down = self.link.traffic("up"), self.link.traffic("down")
        if not done.stdout:
            raise SetupBroken(done.stderr)
        lines = json.loads((records / "lines.json").read_text(encoding="utf-8"))
        streams = [(records / f"{line['number']}.up").read_bytes() for line in lines]
        return Sent(
            summary=json.loads(done.stdout),
            exit_code=done.returncode,
            wall_seconds=wall,
            wire_up=up.bytes,
            wire_down=down.bytes,
            lines=tuple(lines),
            again=recount(streams),
        )

    def server_status(self) -> dict[str, Any]:
        """Ask the server's own command how many people it holds."""
        status: dict[str, Any] = json.loads(self._run(_SERVER, "status", "--json", *self._home()))
        return status

    def plain(self, rows: Path) -> tuple[float, int]:
        """Send rows one document a request, the plain way; give seconds and how many."""
        records = self.folder / "plain"
        records.mkdir()
        receiver = [sys.executable, str(_HERE / "plain.py"), "serve", str(_PLAIN_PORT)]
        sender = [sys.executable, str(_HERE / "plain.py"), "send"]
        with self._process(receiver), self._terminator(records, _PLAIN_PORT):
            host, port = self.link.reach(TLS_PORT)
            self.link.begin()
            done = subprocess.run(
                [*self.link.near, *sender, f"https://{host}:{port}/submission", str(rows)],
                check=True,
                capture_output=True,
                text=True,
                env=self.environment(),
            )
        seconds, count = done.stdout.split()
        return float(seconds), int(count)

    def environment(self) -> dict[str, str]:
        """Give what the laptop's commands need; the root of ours stands for the system's."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ENROLLKIT_")}
        return kept | {
            "ENROLLKIT_HOME": str(self.folder / "laptop"),
            "ENROLLKIT_PASSPHRASE": self.passphrase,
            "SSL_CERT_FILE": str(self.folder / "root.pem"),
            "PYTHONUNBUFFERED": "1",
        }

    def _home(self) -> tuple[str, str]:
        return "--home", str(self.folder / "server")

    def _run(self, program: Sequence[str], *arguments: str) -> str:
        done = subprocess.run(
            [*program, *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=_ROOT,
            env=self.environment(),
        )
        if done.returncode:
            raise SetupBroken(f"{arguments[0]}: {done.stderr.strip()} {done.stdout[-500:]}")
        return done.stdout

    @contextmanager
    def _server(self) -> Iterator[None]:
        command = [*_SERVER, "run", *self._home(), "--port", str(_PLAIN_PORT)]
        with self._process(command):
            yield

    @contextmanager
    def _terminator(self, records: Path, target: int) -> Iterator[None]:
        command = [sys.executable, str(_HERE / "terminator.py"), self.link.far_host]
        command += [str(TLS_PORT), str(target), str(self.folder / "chain.pem"), str(records)]
        with self._process(command):
            yield

    @contextmanager
    def _process(self, command: Sequence[str]) -> Iterator[None]:
        """Run a server on the far side, from the line that says it is ready to SIGTERM."""
        with (self.folder / "stderr.log").open("a") as log:
            process = subprocess.Popen(
                [*self.link.far, *command],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=_ROOT,
                env=self.environment(),
            )
        with process:
            assert process.stdout is not None  # noqa: S101 - asked for above
            try:
                if not process.stdout.readline():
                    raise SetupBroken((self.folder / "stderr.log").read_text())
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=60)


def make_camp(folder: Path, link: Link, rows: Path) -> Camp:
    """Set up office and laptop, approve the laptop before its first contact, enroll the rows."""
    folder.mkdir()
    host, port = link.reach(TLS_PORT)
    make_chain(folder, (host,))
    camp = Camp(folder=folder, link=link, passphrase=f"bench {folder.name} {os.getpid()}")
    home = camp._home()  # noqa: SLF001 - made here
    run = camp._run  # noqa: SLF001 - made here
    programme = folder / "programme.ekp"
    run(_SERVER, "init", *home, "--name", "Bench", "--url", f"https://{host}:{port}")
    run(_SERVER, "programme", "export", *home, "-o", str(programme))
    made = run(_KIT, "init", "--programme", str(programme), "--operator", "Asha", "--json")
    run(_SERVER, "device", "approve", json.loads(made)["approval_code"], *home)
    answers = run(_KIT, "enroll", str(rows), "--json").splitlines()
    refused = [row for row in map(json.loads, answers) if not row["ok"]]
    if refused:
        raise SetupBroken(f"rows not enrolled: {refused[:3]}")
    return camp
