"""Write the tables of exit codes into the pages, from the error classes themselves.

    python scripts/error_table.py            rewrite the tables
    python scripts/error_table.py --check    exit 1 when a page is not up to date

A table stands between ``<!-- errors: NAME -->`` and ``<!-- /errors -->``.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import enrollkit
import sync.server
from enrollkit.errors import KitError
from sync.errors import OperatorError
from sync.server.errors import ServerError

__all__ = ["PAGES", "collect_errors", "error_table", "with_tables"]

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = (ROOT / "README.md", ROOT / "docs" / "OPERATIONS.md")
_PLACE: Final = re.compile(r"(<!-- errors: (\w+) -->\n).*?(<!-- /errors -->)", re.DOTALL)
_ROOTS: Final = frozenset({OperatorError, KitError})
_EVERYWHERE: Final = "__main__"


def main() -> int:
    """Rewrite or check every page; give the exit code."""
    stale = [page for page in PAGES if with_tables(_read(page)) != _read(page)]
    for page in stale:
        print(f"{page.relative_to(ROOT)} is not up to date")
        if "--check" not in sys.argv:
            page.write_text(with_tables(_read(page)), encoding="utf-8", newline="\n")
    return 1 if stale and "--check" in sys.argv else 0


def with_tables(text: str) -> str:
    """Give a page's text with every table in it as it must be."""
    return _PLACE.sub(lambda found: f"{found[1]}\n{error_table(found[2])}\n{found[3]}", text)


def error_table(name: str) -> str:
    """Give one table: ``laptop`` for the kit and the road, ``server`` for the office."""
    is_server = {"laptop": False, "server": True}[name]
    rows = [
        f"| {error.exit_code} | `{error.code}` | {_words(error)} |"
        for error in collect_errors()
        if issubclass(error, ServerError) is is_server
    ]
    return "\n".join(["| exit code | code | what it says |", "|---|---|---|", *rows, ""])


def collect_errors() -> list[type[OperatorError]]:
    """Give every error that an operator can meet, by exit code; each code once."""
    for package in (enrollkit, sync):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith(_EVERYWHERE) and ".migrations" not in module.name:
                importlib.import_module(module.name)
    found = {(error.code, error.exit_code): error for error in _below(OperatorError)}
    kept = [error for error in found.values() if error not in _ROOTS]
    return sorted(kept, key=lambda error: (error.exit_code, _depth(error), error.code))


def _below(error: type[OperatorError]) -> Iterator[type[OperatorError]]:
    """Give a class's descendants, the more general one last so that it keeps its own code."""
    for child in error.__subclasses__():
        yield from _below(child)
        if child.__module__.startswith(("enrollkit.", "sync.")):
            yield child


def _depth(error: type[OperatorError]) -> int:
    return len(error.__mro__)


def _words(error: type[OperatorError]) -> str:
    text = " ".join((inspect.getdoc(error) or "").split())
    return re.sub(r"\{\w+\}", "…", text).replace("|", "\\|")


def _read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
