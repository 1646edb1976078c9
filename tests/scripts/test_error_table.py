"""The tables of exit codes in the pages are those of the code."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from locked_packages import ROOT

OLD = "<!-- errors: server -->\nto be replaced\n<!-- /errors -->"


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    path = ROOT / "scripts" / "error_table.py"
    spec = importlib.util.spec_from_file_location("error_table_script", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_show_the_errors_as_they_are(tables: ModuleType) -> None:
    for page in tables.PAGES:
        text = page.read_text(encoding="utf-8")
        assert "<!-- errors: " in text
        assert tables.with_tables(text) == text, f"run: python scripts/error_table.py ({page.name})"


def test_an_old_table_is_replaced_and_nothing_else(tables: ModuleType) -> None:
    text = f"before\n{OLD}\nafter\n"
    new = tables.with_tables(text)
    assert new.startswith("before\n<!-- errors: server -->\n")
    assert new.endswith("<!-- /errors -->\nafter\n")
    assert "to be replaced" not in new
    assert "| 83 | `keys-locked` |" in new
    assert tables.with_tables(new) == new


def test_every_error_is_in_one_table_with_an_exit_code_of_its_own_side(tables: ModuleType) -> None:
    laptop, server = tables.error_table("laptop"), tables.error_table("server")
    for error in tables.collect_errors():
        row = f"| {error.exit_code} | `{error.code}` |"
        assert (row in laptop) != (row in server), error.code
        # 99 is a fault of the program; from 126 on the shell speaks.
        assert 10 <= error.exit_code < 126
        assert error.exit_code != 99
        assert (error.exit_code >= 80) == (row in server)


def test_one_code_never_has_two_exit_codes_on_one_side(tables: ModuleType) -> None:
    for name in ("laptop", "server"):
        rows = [line.split("|") for line in tables.error_table(name).splitlines()[2:] if line]
        codes = [row[2] for row in rows]
        assert len(codes) == len(set(codes)), name


def test_checking_tells_of_a_page_that_is_old_and_leaves_it(
    tables: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text(OLD, encoding="utf-8")
    monkeypatch.setattr(tables, "PAGES", (page,))
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["error_table.py", "--check"])
    assert tables.main() == 1
    assert page.read_text(encoding="utf-8") == OLD
    monkeypatch.setattr(sys, "argv", ["error_table.py"])
    assert tables.main() == 0
    assert page.read_text(encoding="utf-8") == tables.with_tables(OLD)
