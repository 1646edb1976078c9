"""Everything a change must pass: format, lint, types, import contracts, tests. Goes on after a
failure, ends with a table, and exits non-zero when anything failed or no test was run.
"""

import subprocess
import sys
import time

if sys.version_info < (3, 11):  # noqa: UP036 - a newcomer may start it with an older one
    sys.exit("enrollkit needs Python 3.11 or newer; this is Python " + sys.version.split()[0] + ".")

from _environment import Environment
from _setup import run_in_environment
from _tests import pytest_command, run_and_read
from _watched import say


def check(environment: Environment) -> int:
    """Run every check, print the table, and last pytest's own closing line."""
    python = str(environment.python)
    rows = [
        _checked("format", [python, "-m", "ruff", "format", "--check", "."]),
        _checked("lint", [python, "-m", "ruff", "check", "."]),
        _checked("types", [python, "-m", "mypy"]),
        _checked("types of scripts", [python, "-m", "mypy", "scripts"]),
        _checked("import contracts", [str(environment.scripts / "lint-imports")]),
    ]
    began = time.monotonic()
    say("\n=== tests")
    tests = run_and_read(pytest_command(environment.python, sys.argv[1:]))
    rows.append(("tests", tests.passed, time.monotonic() - began))
    say("\n" + "\n".join(_line(*row) for row in rows) + "\n")
    say(tests.closing or "pytest did not come to its end")
    return 0 if all(passed for _name, passed, _seconds in rows) else 1


def _checked(name: str, command: list[str]) -> tuple[str, bool, float]:
    say("\n=== " + name)
    began = time.monotonic()
    code = subprocess.call(command, stdin=subprocess.DEVNULL)
    return name, code == 0, time.monotonic() - began


def _line(name: str, passed: bool, seconds: float) -> str:  # noqa: FBT001 - one cell of a row
    return f"{name:<18}{'passed' if passed else 'FAILED':<8}{seconds:6.1f} s"


if __name__ == "__main__":
    sys.exit(run_in_environment(check))
