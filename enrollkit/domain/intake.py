"""Tidying an intake row before it is checked: what a clerk means, in the one form that is stored.

Nothing is guessed and nothing is hidden. Every change is told as a note with its pointer; what has
the wrong type, and every unknown key, is left for the schema to name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final

from enrollkit.domain.characters import tidy_spaces
from enrollkit.domain.problem import Problem, Severity
from enrollkit.locale import _

__all__ = ["normalise"]

# A longer text is not tidied: the schema refuses it, and tidying would only cost time.
_TEXT_MAX: Final = 10_000

_GENDERS: Final[Mapping[str, str]] = {
    "m": "M", "male": "M", "man": "M", "boy": "M", "पुरुष": "M",
    "f": "F", "female": "F", "woman": "F", "girl": "F", "महिला": "F", "स्त्री": "F",
    "o": "O", "other": "O", "others": "O", "t": "O", "transgender": "O", "अन्य": "O",
}  # fmt: skip
_OWNERS: Final[Mapping[str, str]] = {"own": "self", "nobody": "none"}
_RELATIONS: Final[Mapping[str, str]] = {"husband": "spouse", "wife": "spouse"}
_METHODS: Final[Mapping[str, str]] = {"thumb": "thumbprint", "verbal": "verbal-witnessed"}


def normalise(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Give the row as it is to be checked and stored, and a note for each field that changed.

    Pure; the row handed in stays as it is. Never raises, whatever JSON the row holds. A missing
    value (``null``, blank text where text may be missing, a guardian with nothing filled in) is
    left out without a note.
    """
    notes: list[Problem] = []
    tidied = _tidy(row, "", _FIELDS, notes)
    for key, fields in _GROUPS.items():
        group = tidied.get(key)
        if isinstance(group, Mapping):
            tidied[key] = _tidy(group, f"/{key}", fields, notes)
    if isinstance(tidied.get("guardian"), Mapping) and not any(tidied["guardian"].values()):
        del tidied["guardian"]
    return tidied, sorted(notes, key=lambda note: note.pointer)


def _tidy(
    group: Mapping[str, Any], path: str, fields: Mapping[str, _Field], notes: list[Problem]
) -> dict[str, Any]:
    tidied: dict[str, Any] = {}
    for key, value in group.items():
        field = fields.get(key)
        if field is None:
            tidied[key] = value
            continue
        new = field.tidy(value)
        if new is None:
            continue
        tidied[key] = new
        if isinstance(value, str) and new and new != value:
            notes.append(_note(f"{path}/{key}"))
    return tidied


def _note(pointer: str) -> Problem:
    return Problem(
        pointer=pointer,
        code="normalised",
        text=_("Written in the usual form. Look whether it is right."),
        severity=Severity.NOTE,
    )


class _Field:
    """How one field is tidied, and whether blank means missing."""

    def __init__(self, spell: Callable[[str], str], *, may_be_missing: bool = False) -> None:
        self._spell = spell
        self._may_be_missing = may_be_missing

    def tidy(self, value: Any) -> Any:
        """Give the stored form; ``None`` when nothing was given."""
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if not isinstance(value, str) or len(value) > _TEXT_MAX:
            return value
        spelt = self._spell(value)
        return None if self._may_be_missing and not spelt else spelt


def _word(known: Mapping[str, str]) -> Callable[[str], str]:
    def spell(text: str) -> str:
        trimmed = tidy_spaces(text)
        plain = re.sub(r"[ _]", "-", trimmed.casefold())
        return known.get(plain, plain if trimmed.isascii() else trimmed)

    return spell


def _gender(text: str) -> str:
    plain = tidy_spaces(text)
    return _GENDERS.get(plain.casefold().rstrip("."), plain)


def _name(text: str) -> str:
    """As text, with the plain apostrophe and hyphen."""
    return tidy_spaces(text).translate({0x2018: "'", 0x2019: "'", 0x2010: "-", 0x2011: "-"})


def _digits(text: str) -> str:
    """Digits of any script as 0–9, without spaces, dashes and points; other text only trimmed."""
    latin = "".join(
        str(unicodedata.decimal(character, character)) for character in tidy_spaces(text)
    )
    bare = re.sub(r"[ .\-\u2010-\u2015]", "", latin)
    return bare if re.fullmatch(r"\+?[0-9]+", bare) else tidy_spaces(text)


def _mobile(text: str) -> str:
    """Without country code and trunk zero: +91, 0091, 91 before ten digits, 0 before ten."""
    bare = _digits(re.sub(r"[()]", "", text))
    number = re.fullmatch(r"(?:\+91|0091|91|0)?0?([6-9][0-9]{9})", bare)
    return number.group(1) if number else bare


def _handle(text: str) -> str:
    return re.sub(r"(@(abdm|sbx))+$", "", tidy_spaces(text), flags=re.IGNORECASE)


_LANGUAGE: Final = _Field(_word({}))
_FIELDS: Final[Mapping[str, _Field]] = {
    "name": _Field(_name),
    "name_native": _Field(tidy_spaces, may_be_missing=True),
    "gender": _Field(_gender),
    "birth": _Field(tidy_spaces),
    "mobile": _Field(_mobile, may_be_missing=True),
    "mobile_owner": _Field(_word(_OWNERS)),
    "address": _Field(tidy_spaces),
    "guardian": _Field(tidy_spaces, may_be_missing=True),
    "aadhaar": _Field(_digits, may_be_missing=True),
    "consent": _Field(tidy_spaces),
    "abha_address_choice": _Field(_handle, may_be_missing=True),
    "language": _LANGUAGE,
    "household": _Field(tidy_spaces, may_be_missing=True),
    "camp": _Field(tidy_spaces, may_be_missing=True),
}
_GROUPS: Final[Mapping[str, Mapping[str, _Field]]] = {
    "birth": {
        "year": _Field(tidy_spaces),
        "month": _Field(tidy_spaces, may_be_missing=True),
        "day": _Field(tidy_spaces, may_be_missing=True),
    },
    "address": {
        "line": _Field(tidy_spaces),
        "village": _Field(tidy_spaces),
        "pincode": _Field(_digits),
        "state": _Field(tidy_spaces),
        "district": _Field(tidy_spaces),
    },
    "guardian": {"name": _Field(_name), "relation": _Field(_word(_RELATIONS))},
    "consent": {
        "version": _Field(tidy_spaces),
        "language": _LANGUAGE,
        "method": _Field(_word(_METHODS)),
        "given_at": _Field(tidy_spaces),
        "witness": _Field(_name, may_be_missing=True),
    },
}
