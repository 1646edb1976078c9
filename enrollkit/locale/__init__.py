"""Words for people: gettext catalogues, read in the language of the laptop (LANGUAGE, LANG).

English is the source language and needs no catalogue. A catalogue lies in
``enrollkit/locale/<language>/LC_MESSAGES/enrollkit.mo``; a missing one falls back to English, so
a new text is never a crash.
"""

from __future__ import annotations

import gettext
from pathlib import Path
from typing import Final

__all__ = ["_", "ngettext"]

_words: Final = gettext.translation("enrollkit", Path(__file__).parent, fallback=True)


def _(text: str) -> str:
    """Give the text in the laptop's language."""
    return _words.gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """Give the form that fits the count, in the laptop's language."""
    return _words.ngettext(one, many, count)
