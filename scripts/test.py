"""All tests, from a bare machine: makes the environment when there is none, then runs pytest
with the arguments given here.
"""

import subprocess
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - a newcomer may start it with an older one
    sys.exit("enrollkit needs Python 3.11 or newer; this is Python " + sys.version.split()[0] + ".")

from _environment import Environment
from _setup import run_in_environment
from _tests import pytest_command


def test_all(environment: Environment) -> int:
    """Run pytest and give its exit code."""
    return subprocess.call(pytest_command(environment.python, sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(run_in_environment(test_all))
