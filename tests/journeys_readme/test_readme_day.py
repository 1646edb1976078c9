"""The day that the README tells, typed command by command against a real server."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from locked_packages import ROOT
from server_process import free_port

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
NUMBER = r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]\b"
PROGRAMS = {"enrollkit": "enrollkit", "enrollkit-server": "sync.server"}
SET_UP = {"python3 scripts/demo.py", "python3 scripts/test.py"}
LEAVE = b"\x11"  # Ctrl+Q
ALTERNATE_SCREEN = b"\x1b[?1049h"
PASSPHRASE = "four words of practice"


def day() -> list[str]:
    """Every ``$`` line of the README in its order, but for set-up, which has tests of its own."""
    lines = [line for block in BLOCK.findall(README) for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines), "a block holds more than commands"
    return [line[2:] for line in lines if line[2:] not in SET_UP]


@dataclass(slots=True)
class Stage:
    """A folder in which the day happens, and what its commands said so far."""

    folder: Path
    port: int
    said: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if "ENROLLKIT" not in name}
        return kept | {
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "PYTHONUTF8": "1",
            "ENROLLKIT_HOME": str(self.folder / "laptop"),
            "ENROLLKIT_PASSPHRASE": PASSPHRASE,
        }

    def words(self, line: str) -> list[str]:
        """The command as this machine types it: its own port, code and number."""
        line = line.replace("8000", str(self.port)).replace("8700", "0")
        program, *arguments = shlex.split(line)
        source = "enrollkit init" if "device approve" in line else "enrollkit enroll"
        told = [
            self._number(source) if re.fullmatch(NUMBER, argument) else argument
            for argument in arguments
        ]
        return [sys.executable, "-m", PROGRAMS[program], *told]

    def _number(self, source: str) -> str:
        told = next(text for line, text in self.said.items() if line.startswith(source))
        found = re.findall(NUMBER, told)
        assert found, f"{source} gave no number: {told}"
        return str(found[-1])

    def run(self, line: str) -> str:
        done = subprocess.run(
            self.words(line),
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.returncode}\n{done.stdout}{done.stderr}"
        self.said[line] = done.stdout
        return done.stdout

    def find(self, begin: str) -> str:
        """What the first command said that begins so."""
        return next(text for line, text in self.said.items() if line.startswith(begin))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    (tmp_path / "consent-hi.txt").write_text("सहमति का आधिकारिक पाठ", encoding="utf-8")
    (tmp_path / "stick").mkdir()
    row = json.loads(ROW.findall(README)[0])
    text = json.dumps(row, ensure_ascii=False) + "\n"
    (tmp_path / "people.jsonl").write_text(text, encoding="utf-8")
    return Stage(tmp_path, free_port())


@pytest.mark.slow
def test_the_day_of_the_readme_happens_as_it_is_told(stage: Stage) -> None:
    with ExitStack() as running:
        for line in day():
            if line.startswith("enrollkit-server run "):
                running.enter_context(_serving(stage, line))
            elif line.startswith("enrollkit-server sandbox "):
                running.enter_context(_practising(stage, line))
            elif line == "enrollkit":
                _open_and_leave_the_app(stage)
            else:
                stage.run(line)
    _assert_everybody_arrived(stage)


def test_the_day_holds_every_part_of_the_work() -> None:
    told = " ".join(day())
    for command in (
        "enrollkit-server init", "consent set", "programme export", "device approve",
        "enrollkit init", "enrollkit doctor", "enrollkit enroll", "enrollkit search",
        "enrollkit show", "enrollkit link", "enrollkit card", "enrollkit verify",
        "enrollkit sync", "enrollkit status", "enrollkit-server status",
        "enrollkit-server export", "enrollkit export", "enrollkit-server receive",
        "enrollkit receive", "enrollkit status --statement", "enrollkit-server backup",
        "enrollkit-server sandbox", "enrollkit-server worker",
    ):  # fmt: skip
        assert command in told
    assert "enrollkit" in day()


def _assert_everybody_arrived(stage: Stage) -> None:
    standing = json.loads(stage.said["enrollkit status --json"])
    assert (standing["total"], standing["signed_for"], standing["waiting"]) == (1, 1, 0)
    assert "People: 1 (1 " in stage.find("enrollkit-server status")
    assert "Records: 1" in stage.find("enrollkit-server status")
    exported = (stage.folder / "people-at-the-office.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line)["name"] for line in exported.splitlines()] == ["Sunita Devi"]
    assert "The signature is right." in stage.find("enrollkit verify")
    assert "with an ABHA number" in stage.find("enrollkit-server status")
    for name in ("cards.pdf", "cards-with-numbers.pdf", "statement.pdf"):
        assert (stage.folder / name).read_bytes().startswith(b"%PDF")


@contextmanager
def _serving(stage: Stage, line: str) -> Iterator[None]:
    with subprocess.Popen(
        stage.words(line),
        cwd=stage.folder,
        env=stage.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == f"listening on http://127.0.0.1:{stage.port}\n"
            yield
        finally:
            server.terminate()


@contextmanager
def _practising(stage: Stage, line: str) -> Iterator[None]:
    """Run the practice ABDM and write into the settings what it says."""
    with subprocess.Popen(
        stage.words(line),
        cwd=stage.folder,
        env=stage.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as sandbox:
        assert sandbox.stdout is not None
        try:
            told = [""]
            while not told[-1].startswith("listening on "):
                told.append(sandbox.stdout.readline())
                assert told[-1], "it ended before it listened"
            table = [each for each in told if each.startswith("[abdm]") or " = " in each]
            with (stage.folder / "office" / "server.toml").open("a", encoding="utf-8") as settings:
                settings.write("".join(table))
            yield
        finally:
            sandbox.terminate()


def _open_and_leave_the_app(stage: Stage) -> None:
    """Type ``enrollkit`` in a terminal, wait for its screen, press Ctrl+Q."""
    if sys.platform == "win32":
        return  # no pseudo-terminal in Python's library; the app has its own tests there
    import pty  # noqa: PLC0415 - not on Windows

    leader, follower = pty.openpty()
    app = subprocess.Popen(
        stage.words("enrollkit"),
        cwd=stage.folder,
        env=stage.environment() | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    try:
        shown = _read_until(leader, b"passphrase")
        os.write(leader, LEAVE)
        shown += _read_until(leader, None)
        assert app.wait(timeout=60) == 0, shown.decode("utf-8", "replace")[-2000:]
    finally:
        if app.poll() is None:
            app.kill()
            app.wait()
        os.close(leader)
    assert ALTERNATE_SCREEN in shown, "the app must not write into the terminal's history"


def _read_until(leader: int, wanted: bytes | None) -> bytes:
    """Read what the terminal is told until ``wanted`` stands in it, or until its end."""
    shown = b""
    began = time.monotonic()
    while wanted is None or wanted not in shown:
        assert time.monotonic() - began < 60, shown[-2000:]
        if not select.select([leader], [], [], 1)[0]:
            continue
        try:
            piece = os.read(leader, 65536)
        except OSError:  # Linux says so when the other end is closed
            piece = b""
        if not piece:
            break
        shown += piece
    return shown
