"""The languages of the camp by the names their speakers read, Latin name first (rule 8)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["LANGUAGES", "language_name"]

LANGUAGES: Final[Mapping[str, str]] = MappingProxyType({
    "hi": "Hindi", "en": "English", "mr": "Marathi", "bn": "Bengali", "ta": "Tamil",
    "te": "Telugu", "kn": "Kannada", "gu": "Gujarati", "or": "Odia", "pa": "Punjabi",
    "ml": "Malayalam", "as": "Assamese", "ur": "Urdu",
})  # fmt: skip
"""ISO 639-1 codes that ``enrollment-1`` allows, the commonest first."""


def language_name(code: str) -> str:
    """Give a language's English name; the code itself when it has none here."""
    return LANGUAGES.get(code, code)
