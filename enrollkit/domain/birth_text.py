"""Reading a date of birth the way people say and write it at a camp."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Final

from enrollkit.domain.person import BirthDate

__all__ = ["parse_birth", "say_birth"]

_LENGTH_MAX: Final = 40
_AGE_YEARS_MAX: Final = 130
_MONTH_NAMES: Final = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
_YEARS: Final = r"(?:y|yr|yrs|year|years|saal|sal|वर्ष|साल)"
_AGE_MONTHS: Final = r"(?:m|mo|month|months|mahine|माह|महीने)"


def parse_birth(typed: str, today: date) -> BirthDate | None:
    """Read ``14/3/87``, ``14 March 1987``, ``3/1987``, ``1987-03-14``, ``1987`` or ``39 years``.

    The day comes before the month, as in India. A year of two digits is the last such year that
    is not after ``today``. An age gives the year only (for a baby in months: year and month).
    Digits of any script count. Whether the day exists and lies in the past is for the rules to
    say; ``None`` means that the text is no date of birth at all.
    """
    text = _plain(typed)
    if not text or len(text) > _LENGTH_MAX:
        return None
    return _from_age(text, today) or _from_numbers(text, today) or _from_words(text, today)


def say_birth(birth: BirthDate) -> str:
    """Write a birth the long way, so that a swapped day and month is seen: ``14 March 1987``."""
    words = [str(birth.day)] if birth.day else []
    if birth.month and birth.month <= len(_MONTH_NAMES):
        words.append(_MONTH_NAMES[birth.month - 1])
    return " ".join([*words, str(birth.year)])


def _plain(typed: str) -> str:
    """Bring digits to ASCII, letters to lower case, blanks to one."""
    digits = "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in typed[: _LENGTH_MAX * 2]
    )
    return " ".join(digits.lower().replace(",", " ").split())


def _from_age(text: str, today: date) -> BirthDate | None:
    found = re.fullmatch(rf"([0-9]{{1,3}}) ?{_YEARS}\.?", text)
    if found and int(found[1]) <= _AGE_YEARS_MAX:
        return BirthDate(year=today.year - int(found[1]))
    found = re.fullmatch(rf"([0-9]{{1,2}}) ?{_AGE_MONTHS}\.?", text)
    if found:
        months = today.year * 12 + today.month - 1 - int(found[1])
        return BirthDate(year=months // 12, month=months % 12 + 1)
    return None


def _from_numbers(text: str, today: date) -> BirthDate | None:
    parts = re.sub(r" ?[/.\-] ?| ", "/", text)
    if found := re.fullmatch(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})", parts):
        return _birth(int(found[1]), int(found[2]), int(found[3]))
    if found := re.fullmatch(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{2}|[0-9]{4})", parts):
        return _birth(_year(found[3], today), int(found[2]), int(found[1]))
    if found := re.fullmatch(r"([0-9]{2})([0-9]{2})([0-9]{4})", parts):
        return _birth(int(found[3]), int(found[2]), int(found[1]))
    if found := re.fullmatch(r"([0-9]{1,2})/([0-9]{4})", parts):
        return _birth(int(found[2]), int(found[1]), None)
    if re.fullmatch(r"[0-9]{4}", parts):
        return _birth(int(parts), None, None)
    return None


def _from_words(text: str, today: date) -> BirthDate | None:
    shape = r"(?:([0-9]{1,2})(?:st|nd|rd|th)?[ /.\-]*)?([a-z]{3,9})[ /.\-]*([0-9]{2}|[0-9]{4})"
    found = re.fullmatch(shape, text)
    if found is None:
        return None
    month = _month(found[2])
    if month is None:
        return None
    return _birth(_year(found[3], today), month, int(found[1]) if found[1] else None)


def _month(word: str) -> int | None:
    """Give the month that a word names: its full name, or three letters of it or more."""
    for number, name in enumerate(_MONTH_NAMES, start=1):
        if name.lower().startswith(word):
            return number
    return None


def _year(digits: str, today: date) -> int:
    year = int(digits)
    if len(digits) != 2:  # noqa: PLR2004 - two digits leave the century open
        return year
    century = today.year // 100 * 100
    return century + year if century + year <= today.year else century - 100 + year


def _birth(year: int, month: int | None, day: int | None) -> BirthDate | None:
    """Leave out what cannot be a year at all; a month 13 or a day 31 of April is the rules'."""
    return BirthDate(year=year, month=month, day=day) if year > 0 else None
