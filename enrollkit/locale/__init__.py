"""Words for people: gettext catalogues and the one function that reads them.

English is the source language and needs no catalogue. A catalogue lies in
``enrollkit/locale/<language>/LC_MESSAGES/enrollkit.mo``; a missing one falls back to English, so
a new text is never a crash.
"""

from __future__ import annotations

import gettext
from pathlib import Path
from typing import Final

__all__ = ["_", "choose_language", "ngettext"]

_DOMAIN: Final = "enrollkit"
_FOLDER: Final = Path(__file__).parent
_chosen: list[gettext.NullTranslations] = [gettext.NullTranslations()]


def choose_language(language: str) -> None:
    """Use one language (ISO 639-1) for all words from now on; English where it has none."""
    _chosen[0] = gettext.translation(_DOMAIN, _FOLDER, languages=[language], fallback=True)


def _(text: str) -> str:
    """Give the text in the chosen language."""
    return _chosen[0].gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """Give the form that fits the count, in the chosen language."""
    return _chosen[0].ngettext(one, many, count)
