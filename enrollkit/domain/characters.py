"""Characters that must not reach a card, a terminal or a gateway, each with its own code.

Nothing is removed in silence: a hidden character in a name is refused, for nobody can tell what
was meant (Unicode TR 36, on direction overrides; Trojan Source, 2021).
"""

from __future__ import annotations

import unicodedata
from typing import Final

__all__ = ["foreign_to_name", "hidden_codes", "shown", "tidy_spaces"]

_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINERS: Final = frozenset("\u200c\u200d")
_NAME_SIGNS: Final = frozenset(" .'-")
# Latin, Latin-1, Latin Extended-A and -B: what a typed European or Goan name can hold.
_LATIN_LAST: Final = "\u024f"


def hidden_codes(text: str, *, joiners: bool = False) -> list[str]:
    """Give the codes of what is wrong with the characters of a text, each once.

    ``control-character``, ``bidi-override``, ``hidden-character`` or ``emoji``. With ``joiners`` a
    zero-width joiner or non-joiner is allowed after a letter or vowel sign: scripts of India and
    Urdu need it.
    """
    found: dict[str, None] = {}
    before = " "
    for character in text:
        if not (joiners and character in _JOINERS and _is_lettering(before)):
            code = _code_of(character)
            if code:
                found[code] = None
        before = character
    return list(found)


def foreign_to_name(text: str) -> list[str]:
    """Give the codes of visible characters that a name in Latin letters does not have.

    ``digits``, ``not-latin`` (a letter of another script) or ``sign``.
    """
    found: dict[str, None] = {}
    for character in text:
        if character in _NAME_SIGNS or _code_of(character):
            continue
        category = unicodedata.category(character)
        if category.startswith("N"):
            found["digits"] = None
        elif category.startswith(("L", "M")):
            if not (category.startswith("L") and character <= _LATIN_LAST):
                found["not-latin"] = None
        else:
            found["sign"] = None
    return list(found)


def tidy_spaces(text: str) -> str:
    """Put NFC, single plain spaces, none outside. Tabs and line ends are left to be refused."""
    plain = "".join(
        " " if unicodedata.category(character) == "Zs" else character
        for character in unicodedata.normalize("NFC", text)
    )
    return " ".join(part for part in plain.split(" ") if part)


def shown(text: str) -> str:
    """Make any text fit to be drawn: a dot for what moves the cursor or turns the writing round.

    Drafts hold whatever was pasted, and a stranger's card whatever was written into it; one escape
    character could tear the screen, or make a terminal lie.
    """
    return "".join(
        "·" if _code_of(character) in {"bidi-override", "control-character"} else character
        for character in text
    )


def _code_of(character: str) -> str | None:
    if character in _BIDI:
        return "bidi-override"
    category = unicodedata.category(character)
    if category in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return "control-character"
    if category == "Cf" or character == "\u034f" or "\ufe00" <= character <= "\ufe0f":
        return "hidden-character"
    if (category == "So" and character > "\u218f") or "\U0001f3fb" <= character <= "\U0001f3ff":
        return "emoji"
    return None


def _is_lettering(character: str) -> bool:
    return unicodedata.category(character).startswith(("L", "M"))
