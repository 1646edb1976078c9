"""Crash reports: where the program stood, never what it held.

A traceback's last line and its source lines may carry a person's value; so a report names the
class of the error, and for each frame file, line and function: nothing else.
"""

from __future__ import annotations

import platform
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from enrollkit.app.home import Home
from enrollkit.errors import OperatorError

__all__ = ["write_crash_report"]


def write_crash_report(home: Home, error: BaseException) -> Path:
    """Write the report into the data folder and give its path."""
    now = datetime.now(tz=UTC)
    home.crashes.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = home.crashes / f"crash-{now:%Y%m%dT%H%M%S%f}.txt"
    path.write_text("\n".join([f"{now:%Y-%m-%dT%H:%M:%SZ}", *_system(), *_chain(error), ""]))
    path.chmod(0o600)
    return path


def _system() -> list[str]:
    return [f"Python {platform.python_version()} on {platform.system()} {platform.release()}"]


def _chain(error: BaseException) -> list[str]:
    lines: list[str] = []
    current: BaseException | None = error
    while current is not None:
        kind = type(current)
        code = f" {current.code}" if isinstance(current, OperatorError) else ""
        lines.append(f"{kind.__module__}.{kind.__qualname__}{code}")
        lines += [
            f"  {_shorten(frame.filename)}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(current.__traceback__)
        ]
        current = current.__cause__ or current.__context__
    return lines


def _shorten(filename: str) -> str:
    """Cut a path to what follows an import root: a user's name may stand in front of it."""
    for root in sorted(sys.path, key=len, reverse=True):
        if root and filename.startswith(root):
            return filename[len(root) :].lstrip("/\\")
    return Path(filename).name
