"""Runs a long, chatty command and shows one quiet line of progress; when it fails, its words are
kept in a log and turned into what a newcomer can do about it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_TAIL = 12  # lines shown of a failure that nobody foresaw; the log has all
_EVERY = 20  # without a terminal, one line of progress per so many packages

_DAMAGED = """\
A package arrived different from the one this project was tested with, so it was not installed.
Run the same command again; if it says so again, stop and tell the maintainers."""
_DISK = """\
The disk is full. Free about 1 GB and run the same command again."""
_NO_VENV = """\
This Python came without its venv part. On Debian or Ubuntu: sudo apt install python3-venv
Then run the same command again."""
_NO_NETWORK = """\
The package index could not be reached. Connect this computer to the internet once and run the
same command again; afterwards no network is needed. Behind a proxy, set HTTPS_PROXY; with a
mirror, set PIP_INDEX_URL. Nothing that was there before is lost."""
_NO_WHEEL = """\
A package has no ready-made file for this computer and this Python. Python 3.11, 3.12 and 3.13
on 64-bit Linux, macOS and Windows have them all."""
_UNKNOWN = "Run the same command again; if it fails again, the log tells more."

_ADVICE = {  # the first mark found in the output decides
    "DO NOT MATCH THE HASHES": _DAMAGED,
    "No space left on device": _DISK,
    "There is not enough space on the disk": _DISK,
    "ensurepip is not available": _NO_VENV,
    "No module named ensurepip": _NO_VENV,
    "No module named venv": _NO_VENV,
    "Failed to establish a new connection": _NO_NETWORK,
    "NewConnectionError": _NO_NETWORK,
    "ConnectTimeout": _NO_NETWORK,
    "Read timed out": _NO_NETWORK,
    "ProxyError": _NO_NETWORK,
    "SSLError": _NO_NETWORK,
    "name resolution": _NO_NETWORK,
    "Connection reset": _NO_NETWORK,
    "Connection refused": _NO_NETWORK,
    "Connection aborted": _NO_NETWORK,
    "No matching distribution found": _NO_WHEEL,
}


class SetupFailed(Exception):
    """The environment could not be made; the text says what happened and what to do."""


def say(text: str) -> None:
    """One line for the user, at once, even into a pipe."""
    print(text, flush=True)


def run_watched(
    command: Sequence[str | Path],
    *,
    environ: Mapping[str, str],
    log: Path,
    on_line: Callable[[str], None] = lambda _line: None,
) -> None:
    """Run to the end, handing each line of output to ``on_line``.

    Raises :class:`SetupFailed` with advice when the command cannot start or does not exit 0.
    """
    lines: list[str] = []
    try:
        with subprocess.Popen(
            [str(part) for part in command],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                lines.append(line.rstrip())
                on_line(line.strip())
    except OSError as error:
        raise SetupFailed(f"{command[0]} could not be started: {error}") from error
    if process.returncode:
        raise SetupFailed(_explain(lines, log))


class PackageCounter:
    """Counts the packages that pip names, on one line that is overwritten where that works."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._seen = 0
        self._on_terminal = sys.stdout.isatty()

    def __call__(self, line: str) -> None:
        """Take one line of pip's output."""
        if not line.startswith("Collecting "):
            return
        self._seen += 1
        name = line.split(maxsplit=2)[1].split("==", 1)[0]
        text = f"      {self._seen} of about {self._total}: {name}"
        if self._on_terminal:
            print(f"\r{text:<70}", end="", flush=True)
        elif self._seen % _EVERY == 0:
            say(text)

    def finish(self) -> None:
        """Leave the line clean for what comes next."""
        if self._on_terminal and self._seen:
            print("\r" + " " * 70 + "\r", end="", flush=True)


def _explain(lines: list[str], log: Path) -> str:
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = "\n".join(lines)
    advice = next((advice for mark, advice in _ADVICE.items() if mark in text), None)
    if advice is None:
        advice = "\n".join([*(f"  | {line}" for line in lines[-_TAIL:]), _UNKNOWN])
    return f"{advice}\n(The whole log: {log})"
