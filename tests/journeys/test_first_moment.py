"""An old laptop must not load what a command does not need: that is where its seconds go."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SLOW = ("textual", "fpdf", "fontTools", "uharfbuzz", "fastapi", "sqlalchemy", "qrcode")


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("enrollkit.cli.main", (*SLOW, "sqlite_utils", "httpx", "cryptography", "PIL")),
        ("enrollkit.app.kit", SLOW),
    ],
)
def test_importing_loads_nothing_that_only_some_commands_need(
    module: str, unwanted: tuple[str, ...]
) -> None:
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert set(done.stdout.split()) & set(unwanted) == set()
