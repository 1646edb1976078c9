"""What may be written down of an exchange: its shape, its codes, nobody's values.

Everything is withheld unless its name is on the list: a new field of ABDM's is a person's until
somebody has looked at it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = ["MESSAGE_LENGTH_MAX", "code_of", "redacted", "scrubbed"]

MESSAGE_LENGTH_MAX: Final = 300
_CODE_LENGTH_MAX: Final = 40
_DEPTH_MAX: Final = 8
_ITEMS_MAX: Final = 40
_HIDDEN_LENGTH_MIN: Final = 3
_DIGITS: Final = re.compile(r"\b(?:ABDM|HIS|HTTP|UIDAI)-\d{3,5}\b|\d{4,}", re.ASCII)
"""Four digits in a row or more, and codes of ABDM's own, which are nobody's number."""
_IDENTIFYING: Final = re.compile(r"\d{8}", re.ASCII)

_KEPT: Final = frozenset({
    "abhaStatus", "abhaType", "abhatype", "attribute", "authMethods", "authResult", "careContexts",
    "consent", "consentCode", "consentVersion", "count", "districtCode", "encryptionAlgorithm",
    "enrolmentState", "expiresIn", "expires_in", "grantType", "hiType", "hiTypes", "loginHint",
    "otpSystem", "preferred", "refreshExpiresIn", "scope", "stateCode", "status", "timestamp",
    "tokenType", "type", "version",
})  # fmt: skip
"""Names whose values say nothing about a person: LGD codes, kinds, states, references."""

_REFERENCES: Final = frozenset({"referenceNumber", "requestId"})
"""Ours, and made of digits as often as not."""

_CODES: Final = frozenset({"code"})

_SAID: Final = frozenset({"description", "details", "error", "errors", "message"})
"""Names whose values are words of ABDM's: kept, scrubbed."""


def scrubbed(text: str, hidden: Iterable[str] = ()) -> str:
    """Give ABDM's words without anybody's: no four digits in a row, none of the values given."""
    text = " ".join(text[: 4 * MESSAGE_LENGTH_MAX].split())
    known = [value for value in hidden if len(value) >= _HIDDEN_LENGTH_MIN]
    for value in sorted(known, key=len, reverse=True):
        text = re.sub(re.escape(value), "<withheld>", text, flags=re.IGNORECASE)
    text = _DIGITS.sub(_counted, text)
    return _printable(text)[:MESSAGE_LENGTH_MAX]


def code_of(text: object) -> str:
    """Give a code as it may be stored: without its trailing ``": "``, short, of harmless signs."""
    found = str(text).strip().rstrip(":").strip() if isinstance(text, str | int) else ""
    return re.sub(r"[^A-Za-z0-9._-]", "_", found)[:_CODE_LENGTH_MAX]


def redacted(
    value: Any, *, hidden: Iterable[str] = (), is_error: bool = False
) -> Mapping[str, Any]:
    """Give the shape of a JSON body. In an error unknown texts are ABDM's words about a field."""
    found = _redacted(value, "", tuple(hidden), is_error=is_error, depth=0)
    return found if isinstance(found, Mapping) else {"body": found}


def _redacted(value: Any, name: str, hidden: tuple[str, ...], *, is_error: bool, depth: int) -> Any:
    if depth > _DEPTH_MAX:
        return "<deeper>"
    match value:
        case dict():
            return {
                _name(key): _redacted(each, key, hidden, is_error=is_error, depth=depth + 1)
                for key, each in list(value.items())[:_ITEMS_MAX]
            }
        case list():
            return [
                _redacted(each, name, hidden, is_error=is_error, depth=depth + 1)
                for each in value[:_ITEMS_MAX]
            ]
        case bool() | None:
            return value
        case str() | int() if name in _CODES:
            return scrubbed(str(value)) if _IDENTIFYING.search(str(value)) else code_of(value)
        case str() if name in _REFERENCES and not _IDENTIFYING.search(value):
            return _printable(value)[:MESSAGE_LENGTH_MAX]
        case str() if name in _KEPT or name in _SAID or is_error:
            return scrubbed(value, hidden)
        case int() if name in _KEPT:
            return value
        case str():
            return f"<{len(value)} letters>" if value else ""
    return "<number>"


def _printable(text: str) -> str:
    """Leave out what cannot be shown: JSON may bring half a character, which nothing can store."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _counted(found: re.Match[str]) -> str:
    return f"<{len(found[0])} digits>" if found[0][0].isdigit() else found[0]


def _name(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,59}", key) else "<name>"
