"""The script that lets atheris loose on the same readers, for as long as one likes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz_targets import TARGETS

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "fuzz.py"


def _fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_names_every_target() -> None:
    done = _fuzz("--list")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == list(TARGETS)


def test_it_knows_no_other_target() -> None:
    done = _fuzz("card", "no-such", "--list")
    assert done.returncode == 1
    assert done.stderr == "no such target: no-such; see --list\n"


def test_it_counts_what_it_tried() -> None:
    if importlib.util.find_spec("atheris") is None:
        assert _fuzz("cbor").returncode == 77
        pytest.skip("atheris is not installed; it is no dependency of the project")
    done = _fuzz("--seconds", "1", "server-time")
    assert done.returncode == 0, done.stdout
    name, inputs, *_rest = done.stdout.splitlines()[1].split()
    assert name == "server-time"
    assert int(inputs) > 100
    assert done.stdout.endswith("1 targets, 0 with a finding\n")
