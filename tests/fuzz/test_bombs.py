"""A few bytes that ask for gigabytes get an answer, not the memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fuzz_bombs
from fuzz_bombs import ALLOWANCE_BYTES, BOMBS

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the limit on a process's memory is read and set as on Linux"
)


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests" / "support")))
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_no_input_takes_more_memory_than_readers_may_take() -> None:
    done = _python(str(Path(fuzz_bombs.__file__)))
    assert done.returncode == 0, done.stderr
    ends = json.loads(done.stdout)
    assert set(ends) == set(BOMBS)
    assert "MemoryError" not in ends.values(), ends
    assert ends["much in a page of news"] == "too-large"
    assert ends["an array of 2^32 things"] == "envelope-invalid"
    assert ends["a line without end"] == "read"


def test_the_limit_holds() -> None:
    """Were it not set, every bomb would seem harmless."""
    code = f"import fuzz_bombs; fuzz_bombs._limit(); bytes({ALLOWANCE_BYTES * 5 // 4})"
    done = _python("-c", code)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "MemoryError"
