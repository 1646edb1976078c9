"""A programme on this machine for whole journeys: an office with its server, and its laptops.

Commands run in this process, through the functions that the installed commands call; a process of
its own is used where one must be killed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from enrollkit.app.kit import Kit
from enrollkit.app.outgoing import outbox_of
from enrollkit.app.system import System
from enrollkit.cli.main import main
from enrollkit.vault.kdf import KdfParameters
from journey_relay import Relay
from server_process import ServerProcess
from sync.server.cli import cli as server_commands

__all__ = [
    "CHEAP",
    "PASSPHRASE",
    "Laptop",
    "Office",
    "Outcome",
    "agree",
    "open_office",
    "write_rows",
]

CHEAP = KdfParameters(memory_kib=8, iterations=1, lanes=1)
PASSPHRASE = "marigold tractor seven rivers"
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Every line of stdout, read as JSON."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def object(self) -> dict[str, Any]:
        """The one line of stdout, read as JSON."""
        (row,) = self.rows
        return row


@dataclass(slots=True, kw_only=True)
class Laptop:
    """A data folder that was set up for a programme."""

    home: Path
    device: str
    approval_code: str
    passphrase: str = field(default=PASSPHRASE, repr=False)

    @classmethod
    def make(cls, home: Path, programme: bytes, *, operator: str = "Asha") -> Laptop:
        """Set it up with a key derivation that takes no time."""
        with contextlib.closing(Kit.at(home)) as kit:
            made = kit.initialise(programme, operator=operator, passphrase=PASSPHRASE, kdf=CHEAP)
        return cls(home=home, device=made.device, approval_code=made.approval_code)

    def run(self, *arguments: str | Path) -> Outcome:
        """Run an ``enrollkit`` command. Rests between tries take no time."""
        return run_kit(self.home, *arguments, passphrase=self.passphrase)

    def start(self, *arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
        """Start an ``enrollkit`` command as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "enrollkit", *map(str, arguments)],
            cwd=_ROOT,
            **{
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                "env": self.environment(),
                **options,
            },
        )

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, **_variables(self.home, self.passphrase), **more}

    @contextlib.contextmanager
    def unlocked(self) -> Iterator[Kit]:
        with contextlib.closing(Kit.at(self.home)) as kit:
            kit.unlock(self.passphrase)
            yield kit

    def status(self) -> dict[str, Any]:
        return self.run("status", "--json").object

    def ids(self) -> list[str]:
        """Everybody's record id, in the order of saving."""
        with self.unlocked() as kit:
            return self.ask(kit, "SELECT id FROM enrollments ORDER BY n")

    def link_ids(self) -> list[str]:
        with self.unlocked() as kit:
            return self.ask(kit, "SELECT id FROM links")

    @staticmethod
    def ask(kit: Kit, sql: str) -> list[Any]:
        """Give the first column of a question to the laptop's database."""
        return kit._open().database.read(lambda tx: [row[0] for row in tx.execute(sql).fetchall()])

    @staticmethod
    def freeze(kit: Kit) -> int:
        """Seal what waits into batches, as a sync without a network does."""
        return outbox_of(kit._open()).freeze()


@dataclass(slots=True, kw_only=True)
class Office:
    """A server's home, its process, and the road that leads to it."""

    home: Path
    relay: Relay
    server: ServerProcess

    def run(self, *arguments: str | Path) -> Outcome:
        """Run an ``enrollkit-server`` command on this home."""
        return run_server(*arguments, "--home", self.home)

    def programme(self) -> bytes:
        path = self.home / "programme.ekp"
        self.run("programme", "export", "-o", path)
        return path.read_bytes()

    def laptop(self, home: Path, *, approved: bool = True) -> Laptop:
        laptop = Laptop.make(home, self.programme())
        if approved:
            self.run("device", "approve", laptop.approval_code)
        return laptop

    def status(self) -> dict[str, Any]:
        return self.run("status", "--json").object

    def export(self, *options: str) -> list[dict[str, Any]]:
        path = self.home / "export.jsonl"
        self.run("export", "-o", path, *options)
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def start(self) -> None:
        """Start the server at any free port; the relay leads there."""
        self.server.port = 0
        self.server.start()
        self.relay.target = self.server.port

    def kill(self) -> None:
        self.server.kill()


@contextlib.contextmanager
def open_office(home: Path, *, name: str = "Practice", running: bool = True) -> Iterator[Office]:
    """Make an office; laptops find its server through its relay."""
    with Relay() as relay:
        made = run_server("init", "--name", name, "--url", relay.url, "--home", home)
        assert made.code == 0, made.err
        server = ServerProcess(home=home, port=0)
        office = Office(home=home, relay=relay, server=server)
        if running:
            office.start()
        try:
            yield office
        finally:
            office.kill()


def run_kit(home: Path, *arguments: str | Path, passphrase: str = PASSPHRASE) -> Outcome:
    """Run an ``enrollkit`` command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, _variables(home, passphrase)),
        mock.patch.object(System, "sleep", return_value=None),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = main([str(argument) for argument in arguments])
    return Outcome(code, out.getvalue(), err.getvalue())


def run_server(*arguments: str | Path) -> Outcome:
    """Run an ``enrollkit-server`` command in this process; its errors are raised."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        server_commands([str(argument) for argument in arguments], standalone_mode=False)
    return Outcome(0, out.getvalue(), err.getvalue())


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as JSON Lines."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def agree(office: Office, laptop: Laptop, known: Mapping[str, Mapping[str, Any]]) -> None:
    """Both ends hold exactly the known people (record id -> row), each once, each signed for."""
    here, there = laptop.status(), office.status()
    assert here["total"] == here["signed_for"] == here["by_state"]["ACCEPTED"] == len(known)
    assert (here["waiting"], here["links_waiting"], here["returned"]) == (0, 0, 0)
    assert there["enrollments"] == there["by_state"]["ACCEPTED"] == len(known)
    exported = office.export()
    assert sorted(row["id"] for row in exported) == sorted(known) == sorted(laptop.ids())
    for row in exported:
        assert row["name"] == known[row["id"]]["name"]
    links = [row["id"] for row in office.export("--links")]
    assert sorted(links) == sorted(laptop.link_ids())
    assert there["links"] == here["links"] == len(links)


def _variables(home: Path, passphrase: str) -> dict[str, str]:
    return {"ENROLLKIT_HOME": str(home), "ENROLLKIT_PASSPHRASE": passphrase}
