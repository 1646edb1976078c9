"""Looking for a person's values in bytes, in every form in which they may lie there by mistake."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

__all__ = ["files_under", "find_marks", "forms_of_number", "forms_of_text", "numbers_in"]

_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le")


def forms_of_text(mark: str) -> dict[str, bytes]:
    """Give every form of a name or number that is searched for; the key says which it is."""
    found: dict[str, bytes] = {}
    spellings = {
        "as typed": mark,
        "decomposed": unicodedata.normalize("NFD", mark),
        "lower case": mark.lower(),
        "upper case": mark.upper(),
    }
    for name, spelling in spellings.items():
        for encoding in _ENCODINGS:
            found |= _bytes_forms(f"{name}, {encoding}", spelling.encode(encoding))
    found["json escapes"] = json.dumps(mark)[1:-1].encode()
    return found


def forms_of_number(mark: str) -> dict[str, bytes]:
    """Give the forms of a number of ten or twelve digits, its groups, integers and digests too."""
    found = forms_of_text(mark)
    for separator in " -":
        groups = separator.join(mark[place : place + 4] for place in range(0, len(mark), 4))
        found |= _bytes_forms(f"in fours with {separator!r}", groups.encode())
    value = int(mark)
    found["integer, eight bytes"] = value.to_bytes(8, "big")
    found["integer, eight bytes turned"] = value.to_bytes(8, "little")
    found["integer, as SQLite writes it"] = value.to_bytes(6, "big")
    found["two digits a byte"] = bytes.fromhex(mark)
    for name in ("md5", "sha1", "sha256", "blake2b"):
        digest = hashlib.new(name, mark.encode()).digest()
        found |= _bytes_forms(f"{name} digest", digest)
    return found


def find_marks(data: bytes, needles: Mapping[str, Mapping[str, bytes]]) -> list[str]:
    """Name what was found in the data; never the value itself."""
    return [
        f"{mark}: {form}"
        for mark, forms in needles.items()
        for form, needle in forms.items()
        if needle in data
    ]


def numbers_in(data: bytes) -> set[str]:
    """Give every run of twelve digits, as text of any width and in fours: quick, for much data."""
    found: set[str] = set()
    for width in (1, 2, 4):
        digit = rb"[0-9]" + rb"\x00" * (width - 1)
        gap = rb"(?:[ -]" + rb"\x00" * (width - 1) + rb")?"
        fours = rb"(?:" + digit + rb"){4}"
        for run in re.finditer(rb"(?=(" + fours + gap + fours + gap + fours + rb"))", data):
            found.add(re.sub(rb"[^0-9]", b"", run[1]).decode())
    return found


def files_under(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Give every file below the folders: its path and its bytes, its name being part of both."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield str(path), path.read_bytes() + b"\0" + path.name.encode()


def _bytes_forms(name: str, data: bytes) -> dict[str, bytes]:
    found = {
        name: data,
        f"{name}, hex": data.hex().encode(),
        f"{name}, HEX": data.hex().upper().encode(),
    }
    for shift in range(3):
        for alphabet, text in _base64_texts(data, shift):
            found[f"{name}, base64 {alphabet} at {shift}"] = text
    return found


def _base64_texts(data: bytes, shift: int) -> Iterable[tuple[str, bytes]]:
    """Give the base64 characters that depend on these bytes alone, if they begin at this place."""
    padded = bytes(shift) + data
    first = -(-shift * 8 // 6)
    last = len(padded) * 8 // 6
    for alphabet, encode in (("plain", base64.b64encode), ("url", base64.urlsafe_b64encode)):
        yield alphabet, encode(padded)[first:last]
