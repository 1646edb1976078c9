"""What the scripts say to an old Python, to CI, and at the end of a check."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tiny_project import SCRIPTS

ROOT = SCRIPTS.parent
ENTRIES = ("demo.py", "test.py", "check.py")
Script = Callable[[str], ModuleType]

FAKE_PYTHON = """\
#!/bin/sh
case "$*" in
    *pytest*) echo "$FAKE_CLOSING"; exit "$FAKE_CODE";;
    *"ruff check"*) exit "$FAKE_LINT";;
esac
"""


@pytest.mark.parametrize("name", ENTRIES)
def test_an_older_python_can_read_the_script_and_is_told_what_is_needed(name: str) -> None:
    source = (SCRIPTS / name).read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    code = (
        "import runpy, sys; sys.version_info = (3, 8, 18); sys.version = '3.8.18 (old)';"
        "runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    command = [sys.executable, "-I", "-c", code, str(SCRIPTS / name)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "enrollkit needs Python 3.11 or newer; this is Python 3.8.18.\n"


@pytest.mark.parametrize(
    ("code", "closing", "passed"),
    [
        (0, "==== 3 passed in 0.52s ====", True),
        (0, "==== 3 passed, 1 skipped, 2 warnings in 61.20s (0:01:01) ====", True),
        (0, "==== 4 skipped in 0.52s ====", False),
        (5, "==== no tests ran in 0.01s ====", False),
        (5, "==== 7 deselected in 0.01s ====", False),
        (1, "==== 1 failed, 3 passed in 0.52s ====", False),
        (1, "==== 3 passed, 1 error in 0.52s ====", False),
        (0, "", False),
    ],
)
def test_a_run_counts_as_passed_only_when_a_test_was_run_and_none_failed(
    script: Script, code: int, closing: str, *, passed: bool
) -> None:
    assert script("_tests").TestRun(code=code, closing=closing).passed is passed


def test_the_closing_line_is_found_among_others_and_without_its_colours(script: Script) -> None:
    lines = [
        "SKIPPED [1] tests/x.py:3: 1 failed in 3 tries",
        "\x1b[32m== 2 passed in 0.1s ==\x1b[0m",
    ]
    code = f"print({lines[0]!r}); print({lines[1]!r}); print('tests/y.py passed')"
    run = script("_tests").run_and_read([sys.executable, "-c", code])
    assert run.closing == "== 2 passed in 0.1s =="
    assert run.passed


@pytest.fixture
def run_check(
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Callable[[dict[str, str]], tuple[int, list[str]]]:
    """Run a check whose commands do what the settings say; give its code and what it showed."""

    def run(settings: dict[str, str]) -> tuple[int, list[str]]:
        environment = script("_environment").Environment(root=tmp_path)
        environment.scripts.mkdir(parents=True)
        for path in (environment.python, environment.scripts / "lint-imports"):
            path.write_text(FAKE_PYTHON, encoding="utf-8")
            path.chmod(0o755)
        monkeypatch.setattr(sys, "argv", ["check.py"])
        for name, text in settings.items():
            monkeypatch.setenv(name, text)
        code = script("check").check(environment)
        return code, capfd.readouterr().out.splitlines()

    return run


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")
@pytest.mark.parametrize(
    ("codes", "closing", "code"),
    [
        (("0", "0"), "== 2 passed in 0.10s ==", 0),
        (("1", "0"), "== 2 passed in 0.10s ==", 1),
        (("0", "1"), "== 1 failed in 0.10s ==", 1),
        (("0", "5"), "== no tests ran in 0.01s ==", 1),
    ],
)
def test_a_check_goes_on_to_the_end_and_says_last_how_the_tests_closed(
    run_check: Callable[[dict[str, str]], tuple[int, list[str]]],
    codes: tuple[str, str],
    closing: str,
    code: int,
) -> None:
    lint, tests = codes
    found, shown = run_check({"FAKE_LINT": lint, "FAKE_CODE": tests, "FAKE_CLOSING": closing})
    assert found == code
    assert shown[-1] == closing
    table = {line[:18].strip(): line[18:26].strip() for line in shown[-8:-2]}
    assert table == {
        "format": "passed",
        "lint": "passed" if lint == "0" else "FAILED",
        "types": "passed",
        "types of scripts": "passed",
        "import contracts": "passed",
        "tests": "passed" if tests == "0" else "FAILED",
    }


def test_an_unforeseen_failure_shows_its_last_words_and_keeps_all_of_them(
    script: Script, tmp_path: Path
) -> None:
    watched = script("_watched")
    log = tmp_path / "setup.log"
    command = [sys.executable, "-c", "print('\\n'.join(map(str, range(40)))); raise SystemExit(3)"]
    with pytest.raises(watched.SetupFailed, match=r"\| 39\n") as caught:
        watched.run_watched(command, environ=dict(os.environ), log=log)
    assert "| 5\n" not in str(caught.value)
    assert log.read_text(encoding="utf-8").splitlines()[:2] == ["0", "1"]


@pytest.mark.skipif(os.name == "nt", reason="CI runs on Linux")
def test_ci_says_what_is_missing_on_a_machine_without_a_new_enough_python(tmp_path: Path) -> None:
    bash, dirname = shutil.which("bash"), shutil.which("dirname")
    assert bash
    assert dirname
    (tmp_path / "dirname").symlink_to(dirname)
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    done = subprocess.run(
        [bash, str(run)], env={"PATH": str(tmp_path)}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == "No Python 3.11 or newer on PATH.\n"
