"""What of a scanned text may be shown or kept: never a whole Aadhaar or ABHA number.

Only the last four digits of a long number survive, however the number is spelt: with blanks,
dashes, invisible characters, or in Devanagari digits.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["SHOWN_MAX", "mask_aadhaar", "mask_numbers", "showable"]

SHOWN_MAX: Final = 200
"""Characters of a scanned text that are ever shown."""

_KEPT = 4
# Nine digits and more, with up to three signs that are no letters between two of them. Eight is a
# date; ten is a mobile number, twelve Aadhaar, fourteen ABHA.
_LONG_NUMBER: Final = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,3}[0-9]){8,}")
# Twelve digits and more as an Aadhaar number is written. A house number such as 1-8-702/33/20/5 has
# many digits too, and must reach the form as it is.
_AADHAAR: Final = re.compile(r"[0-9](?:[ -]?[0-9]){11,}")
_CUT_NUMBER: Final = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,3}[0-9])*[^0-9A-Za-z]{0,3}\Z")


def mask_numbers(text: str) -> str:
    """Hide all but the last four digits of every number of nine digits or more."""
    return _LONG_NUMBER.sub(lambda match: _hidden(match[0]), _plain(text))


def mask_aadhaar(text: str) -> str:
    """Hide all but the last four digits of what could be an Aadhaar number, and nothing else."""
    return _AADHAAR.sub(lambda match: _hidden(match[0]), _plain(text))


def showable(text: str) -> str:
    """Reduce any scanned text to one short line that may be shown: printable, masked, cut.

    Blanks become one before numbers are looked for: a number spread wide would close up after it.
    Of a number that the cut goes through nothing is shown, for its last four digits are not known.
    """
    read = text[: 4 * SHOWN_MAX]
    line = " ".join(_plain(read).split())
    if len(read) < len(text):
        line = _CUT_NUMBER.sub(lambda match: re.sub("[0-9]", "X", match[0]), line)
    line = mask_numbers(line)
    if len(line) > SHOWN_MAX or len(read) < len(text):
        line = line[:SHOWN_MAX].rstrip() + "…"
    return line


def _hidden(number: str) -> str:
    """Keep the spelling and the last four digits."""
    keep_from = len(_digits(number)) - _KEPT
    seen = 0
    out = []
    for character in number:
        if character.isdigit():
            seen += 1
            out.append(character if seen > keep_from else "X")
        else:
            out.append(character)
    return "".join(out)


def _plain(text: str) -> str:
    """Drop invisible characters and write every digit as an ASCII digit."""
    return "".join(_plain_character(character) for character in text)


def _plain_character(character: str) -> str:
    category = unicodedata.category(character)
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    if category == "Cf":
        return ""
    return " " if category.startswith(("C", "Z")) else character


def _digits(text: str) -> str:
    return re.sub("[^0-9]", "", _plain(text))
