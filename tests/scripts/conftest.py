"""Lets the tests of this folder import the scripts, which lie outside every package."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from tiny_project import SCRIPTS


@pytest.fixture
def script() -> Iterator[Callable[[str], ModuleType]]:
    """Import a module of scripts/ by its name; afterwards nothing of it is left."""
    before = set(sys.modules)
    sys.path.insert(0, str(SCRIPTS))
    yield importlib.import_module
    sys.path.remove(str(SCRIPTS))
    for name in {*sys.modules} - before:
        if name.partition(".")[0] in {"bench", *(path.stem for path in SCRIPTS.glob("*.py"))}:
            sys.modules.pop(name)
