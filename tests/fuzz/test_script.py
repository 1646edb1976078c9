"""The script that lets atheris loose on the same readers, for as long as one likes."""

from __future__ import annotations

import importlib.util
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fuzz_targets import TARGETS

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "fuzz.py"
HAS_ATHERIS = importlib.util.find_spec("atheris") is not None

Fuzz = Callable[..., int | str | None]


@pytest.fixture
def fuzz(monkeypatch: pytest.MonkeyPatch) -> Fuzz:
    """Run the script in this process; give the code or the words with which it ends."""

    def run(*arguments: str) -> int | str | None:
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
        monkeypatch.setattr(sys, "path", list(sys.path))
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        return end.value.code

    return run


def test_it_names_every_target(fuzz: Fuzz, capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz("--list") == 0
    assert capsys.readouterr().out.split() == list(TARGETS)


def test_it_knows_no_other_target(fuzz: Fuzz) -> None:
    assert fuzz("card", "no-such") == "no such target: no-such; see --list"


@pytest.mark.skipif(HAS_ATHERIS, reason="atheris is installed")
def test_without_atheris_it_says_so_and_does_not_pass(
    fuzz: Fuzz, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fuzz("cbor") == 77
    assert capsys.readouterr().out.startswith("skipped: atheris is not installed")


@pytest.mark.skipif(not HAS_ATHERIS, reason="atheris is no dependency; it is not installed")
def test_it_counts_what_it_tried() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--seconds", "1", "server-time"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    name, inputs, *_rest = done.stdout.splitlines()[1].split()
    assert name == "server-time"
    assert int(inputs) > 100
    assert done.stdout.endswith("1 targets, 0 with a finding\n")
