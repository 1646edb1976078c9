"""What the operator reads when the program ended by a fault of its own; nobody's data is in it."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable
from pathlib import Path

from enrollkit.locale import _

__all__ = ["CrashReporter", "crash_code", "say_crash"]

CrashReporter = Callable[[BaseException], Path]
"""Writes where an error happened, without values, and gives the file."""


def crash_code(error: BaseException) -> str:
    """Give a short code of the place and kind of an error: the same fault, the same code."""
    places = [type(error).__qualname__]
    frames = traceback.extract_tb(error.__traceback__)
    places += [f"{Path(frame.filename).name}:{frame.name}" for frame in frames]
    return hashlib.sha256("\n".join(places).encode()).hexdigest()[:6].upper()


def say_crash(code: str, file: Path | None) -> str:
    """Say what happened, that the data is safe, and what to do."""
    words = _(
        "enrollkit stopped because of a fault of its own, code {code}.\n"
        "The data is safe: everything saved is still there, and the form you were filling in is "
        "kept as a draft.\nThe kit is locked. Start it again; if it happens again, tell the "
        "office the code."
    ).format(code=code)
    if file is None:
        return words
    return words + "\n" + _("What the office needs is in {file}").format(file=file)
