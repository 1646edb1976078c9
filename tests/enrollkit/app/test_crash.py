"""A crash report says where, never what."""

from __future__ import annotations

from pathlib import Path

from enrollkit.app.crash import write_crash_report
from enrollkit.app.home import Home


def test_a_report_holds_places_and_no_values(tmp_path: Path) -> None:
    secret = "Marked Person 999910101010"

    def fail(name: str) -> None:
        try:
            {}[name]
        except KeyError as error:
            raise ValueError(f"no {name}") from error

    try:
        fail(secret)
    except ValueError as error:
        path = write_crash_report(Home(tmp_path / "home"), error)
    text = path.read_text()
    assert "builtins.ValueError" in text
    assert "builtins.KeyError" in text
    assert "test_crash.py" in text
    assert "Marked" not in text
    assert "9999" not in text
    assert path.stat().st_mode & 0o077 == 0
