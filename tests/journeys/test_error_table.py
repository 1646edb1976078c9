"""The table of errors, made from the classes: codes of their own, exit codes, whole sentences."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from pathlib import Path

import pytest

import enrollkit
import sync
from enrollkit.cli.main import CRASHED, INTERRUPTED, SOME_REFUSED, USAGE
from enrollkit.errors import KitError
from sync.errors import OperatorError, SyncError

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/OPERATIONS.md")
NOT_ERRORS = {0, SOME_REFUSED, USAGE, CRASHED, INTERRUPTED}


def every_error() -> list[type[OperatorError]]:
    """Give all error classes of both packages, wherever they are defined."""
    for package in (enrollkit, sync):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if ".migrations." not in module.name and not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found: list[type[OperatorError]] = []
    waiting = [OperatorError]
    while waiting:
        kinds = waiting.pop().__subclasses__()
        waiting += kinds
        found += [kind for kind in kinds if kind.__module__.startswith(("enrollkit", "sync"))]
    return sorted(set(found), key=lambda kind: (kind.exit_code, kind.code))


ERRORS = every_error()
LEAVES = [kind for kind in ERRORS if not kind.__subclasses__()]
each_error = pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__qualname__)


def sample(kind: type[OperatorError]) -> OperatorError:
    """Make an error with something for every word that it needs."""
    parameters = inspect.signature(kind.__init__).parameters.values()
    needed = [one for one in parameters if one.default is one.empty and one.name != "self"]
    plain = [one for one in needed if one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD}]
    named = [one for one in needed if one.kind is one.KEYWORD_ONLY]
    return kind(*["detail" for _ in plain], **{one.name: "detail" for one in named})


def test_both_packages_are_looked_through() -> None:
    assert {KitError, SyncError} < set(ERRORS)
    assert len(LEAVES) > 40


def test_no_two_errors_have_the_same_code() -> None:
    told = Counter(kind.code for kind in ERRORS)
    assert [code for code, times in told.items() if times > 1] == []


@each_error
def test_a_code_is_its_own_and_can_be_typed(kind: type[OperatorError]) -> None:
    assert "code" in vars(kind), "a code is stable, so it is written down and not inherited"
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)


@each_error
def test_an_exit_code_means_an_error_and_nothing_else(kind: type[OperatorError]) -> None:
    assert 1 <= kind.exit_code < 126
    if kind in LEAVES:
        assert kind.exit_code not in NOT_ERRORS


@each_error
def test_a_text_is_whole_sentences_without_gaps(kind: type[OperatorError]) -> None:
    text = sample(kind).text
    assert "{" not in text
    assert "}" not in text
    assert "__" not in text
    assert text[0].isupper()
    assert kind.__doc__ is not None, "the words are the class's own"
    assert len(text) < 400
    assert "\n" not in text


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__qualname__)
def test_an_exit_code_is_documented_beside_its_code(kind: type[OperatorError]) -> None:
    rows = [
        [cell.strip(" `") for cell in line.strip().strip("|").split("|")]
        for page in PAGES
        for line in (ROOT / page).read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    assert [row for row in rows if kind.code in row and str(kind.exit_code) in row], (
        f"{kind.code} ({kind.exit_code}) is in no table of {', '.join(PAGES)}"
    )
