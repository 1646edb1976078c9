"""The one way pytest is started here, so that test.py, check.py and CI run the same thing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_CLOSING = re.compile(
    r"^=* ?.*\b(passed|failed|errors?|skipped|no tests ran)\b.* in \d+(\.\d+)?s\b"
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_DONE = re.compile(r"\b\d+ (passed|failed|xfailed)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRun:
    """How a run of pytest ended."""

    code: int
    closing: str

    @property
    def passed(self) -> bool:
        """True when nothing failed and at least one test was really run."""
        return self.code == 0 and _DONE.search(self.closing) is not None


def pytest_command(python: Path, arguments: Sequence[str]) -> list[str]:
    """Pytest on up to four processes; arguments given by the caller come last and win.

    One more than there are processors: many tests wait for programs that they have started.
    """
    processes = min(4, (os.cpu_count() or 1) + 1)
    spread = ["-n", str(processes), "--dist", "loadgroup"]
    return [str(python), "-m", "pytest", *spread, *arguments]


def run_and_read(command: Sequence[str]) -> TestRun:
    """Run pytest, showing every line as it comes and keeping its closing line."""
    closing = ""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            plain = _COLOUR.sub("", line).strip()
            closing = plain if _CLOSING.match(plain) else closing
    return TestRun(code=process.returncode, closing=closing)
