"""Files of rows, read line by line: JSON Lines, or CSV with dotted headings.

A file comes from outside: it may be huge, cut short, or not text at all. A line that cannot be
read is a value with its reason, and the lines after it are read all the same.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from enrollkit.domain.problem import Problem
from enrollkit.errors import FileHoldsNoRows, FileUnreadable
from enrollkit.locale import _

__all__ = ["FileRow", "read_rows"]

LINE_BYTES_MAX: Final = 64 * 1024
"""A person with everything filled in takes about 1 KiB."""

_DEPTH_MAX: Final = 32
"""A person nests three deep; what nests without end cannot even be written down again."""

_DIGITS_MAX: Final = 18
"""No year and no place has as many."""

_NO_ROWS: Final = (
    b"\x89PNG", b"\xff\xd8", b"%PDF", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xff\xfe", b"\xfe\xff",
)  # fmt: skip
"""How pictures, PDF, new and old spreadsheets and UTF-16 begin: one sentence for the file, not
one for each of its lines."""
_HEAD_BYTES: Final = 8

_NUMBERS: Final = frozenset({
    "birth.year", "birth.month", "birth.day", "address.state", "address.district",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FileRow:
    """One line: its number from 1, and either its value or the problem with it."""

    number: int
    value: dict[str, Any] | None
    problem: Problem | None = None

    def __repr__(self) -> str:
        return f"FileRow({self.number}, <withheld>)"


def read_rows(path: Path) -> Iterator[FileRow]:
    """Give every line of a ``.jsonl`` or ``.csv`` file; blank lines are passed over.

    ``FileUnreadable`` when the file cannot be opened, ``FileHoldsNoRows`` when it is a picture, a
    spreadsheet or another thing that has no lines.
    """
    try:
        with path.open("rb") as file:
            if file.read(_HEAD_BYTES).startswith(_NO_ROWS):
                raise FileHoldsNoRows
            file.seek(0)
            yield from _csv_rows(file) if path.suffix.lower() == ".csv" else _json_rows(file)
    except OSError as error:
        raise FileUnreadable(type(error).__name__) from error


def _json_rows(file: BinaryIO) -> Iterator[FileRow]:
    for number, line in _lines(file):
        if line is None:
            yield _failed(number, *_too_long())
            continue
        if not line.strip():
            continue
        text, problem = _text(line)
        yield _json_row(number, text) if problem is None else _failed(number, *problem)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Give numbered lines; a line past the limit is skipped to its end and given as ``None``."""
    number = 0
    while line := file.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(line) <= LINE_BYTES_MAX:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(LINE_BYTES_MAX)
        yield number, None


def _too_long() -> tuple[str, str]:
    return "line-too-long", _("This line is too long to be one person.")


def _text(line: bytes) -> tuple[str, tuple[str, str] | None]:
    try:
        return line.decode("utf-8-sig"), None
    except UnicodeDecodeError:
        return "", ("not-utf-8", _("This line is not text in UTF-8. Save the file as UTF-8."))


def _json_row(number: int, text: str) -> FileRow:
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or "Unterminated" in error.msg or _is_open(text):
            words = _("This line was cut short. Copy the file again.")
            return _failed(number, "truncated-line", words)
        return _failed(number, "not-json", _("This line is not JSON."))
    except (ValueError, RecursionError):
        return _failed(number, "not-json", _("This line is not JSON."))
    if _is_deeper(value, _DEPTH_MAX):
        return _failed(number, "too-deep", _("This line is nested too deeply to be one person."))
    if not isinstance(value, dict):
        return _failed(number, "not-an-object", _("This line is not one person."))
    return FileRow(number=number, value=value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice: which of the two was meant?"""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice")
    return value


def _refuse(_constant: str) -> Any:
    raise ValueError("NaN and Infinity are not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value


def _is_deeper(value: Any, depth: int) -> bool:
    """Whether lists and objects stand in one another more than ``depth`` times."""
    level = [value]
    for _floor in range(depth + 1):
        groups = [group for group in level if isinstance(group, dict | list)]
        level = [
            inner
            for group in groups
            for inner in (group.values() if isinstance(group, dict) else group)
        ]
        if not groups:
            return False
    return True


def _is_open(text: str) -> bool:
    """Whether a line starts an object and never closes it: the mark of a copy that was cut."""
    stripped = text.strip()
    return stripped.startswith("{") and not stripped.endswith("}")


def _csv_rows(file: BinaryIO) -> Iterator[FileRow]:
    """Read CSV whose headings are the fields' paths, such as ``birth.year``; empty is unknown."""
    headings: list[str] | None = None
    delimiter = ","
    for number, line in _lines(file):
        text, problem = ("", _too_long()) if line is None else _text(line)
        if problem is not None:
            yield _failed(number, *problem)
            continue
        if headings is None and text.count(";") > text.count(","):
            delimiter = ";"  # as spreadsheets write it where the comma is the decimal sign
        try:
            cells = next(csv.reader([text], delimiter=delimiter), [])
        except csv.Error:
            yield _failed(number, "not-csv", _("This line is not CSV. Save the file again."))
            continue
        if not cells:
            continue
        if headings is None:
            headings = [cell.strip() for cell in cells]
            continue
        if len(cells) != len(headings):
            yield _failed(number, "wrong-columns", _("This line has other columns than the first."))
            continue
        try:
            yield FileRow(number=number, value=_nested(headings, cells))
        except (TypeError, AttributeError):
            # A heading such as `birth` beside `birth.year`: a value and a group at once.
            yield _failed(number, "wrong-columns", _("One heading is the beginning of another."))


def _nested(headings: list[str], cells: list[str]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for heading, cell in zip(headings, cells, strict=True):
        if not cell.strip():
            continue
        group = value
        *parents, last = heading.split(".", _DEPTH_MAX)
        for parent in parents:
            group = group.setdefault(parent, {})
        digits = cell.strip()
        number = heading in _NUMBERS and digits.isascii() and digits.isdigit()
        # Python refuses to read endless digits as a number; the check of the row refuses them too.
        group[last] = int(digits) if number and len(digits) <= _DIGITS_MAX else cell
    return value


def _failed(number: int, code: str, text: str) -> FileRow:
    return FileRow(number=number, value=None, problem=Problem(pointer="", code=code, text=text))
