"""What may be written down of an exchange: its shape, its codes, nobody's values.

Everything is withheld unless its name is on the list: a new field of ABDM's is a person's until
somebody has looked at it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = ["MESSAGE_LENGTH_MAX", "code_of", "keeps_words", "name_of", "redacted", "scrubbed"]

MESSAGE_LENGTH_MAX: Final = 300
_CODE_LENGTH_MAX: Final = 40
_DEPTH_MAX: Final = 8
_ITEMS_MAX: Final = 40
_HIDDEN_LENGTH_MIN: Final = 3
_LONG: Final = r"[0-9](?:[\W_]{0,3}[0-9]){7,}"
"""Eight digits and more with blanks, dashes and the like between them: a telephone, an Aadhaar."""
_DIGITS: Final = re.compile(
    rf"\b(?:ABDM|HIS|HTTP|UIDAI)-[0-9]{{3,5}}\b(?![ -]?[0-9])|{_LONG}|[0-9]{{4,}}"
)
"""Those, four digits in a row or more, and codes of ABDM's own, which are nobody's number."""
_IDENTIFYING: Final = re.compile(_LONG)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INTEGER_MAX: Final = 999_999
"""Counts, seconds and LGD codes are smaller, and every number of a person's is larger."""

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

_BLAMED: Final = frozenset({
    "BENEFIT-NAME", "BENEFIT_NAME", "Benefit-Name", "TIMESTAMP", "Timestamp", "aadhaar",
    "aadhaarNumber", "benefitName", "consent", "consentCode", "consentVersion", "district",
    "districtCode", "gender", "loginId", "mobile", "otp", "otpValue", "pinCode", "pincode", "state",
    "stateCode", "timeStamp", "timestamp",
})  # fmt: skip
"""Fields under which an error has words about them. Under a name, a birth or an address it might
have the person's own, and under a token or a transaction what opens a door."""


def scrubbed(text: str, hidden: Iterable[str] = ()) -> str:
    """Give ABDM's words without anybody's: no number of a person's, none of the values given."""
    text = _without(_plain(text[: 4 * MESSAGE_LENGTH_MAX]), hidden)
    return _DIGITS.sub(_counted, text)[:MESSAGE_LENGTH_MAX]


def code_of(text: object, hidden: Iterable[str] = ()) -> str:
    """Give a code as it may be stored: without its trailing ``": "``, short, of harmless signs."""
    said = str(text)[: 4 * MESSAGE_LENGTH_MAX] if isinstance(text, str | int) else ""
    found = _without(_plain(said), hidden).rstrip(":").strip()
    return re.sub(r"[^A-Za-z0-9._-]", "_", _IDENTIFYING.sub("withheld", found))[:_CODE_LENGTH_MAX]


def keeps_words(name: str) -> bool:
    """Whether what an error says under the name of this field are words about it."""
    return name.rpartition(".")[2] in _BLAMED


def name_of(key: str, hidden: Iterable[str] = ()) -> str:
    """Give the name of a field, unless a person's value stands in its place."""
    is_name = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,59}", key) and not _DIGITS.search(key)
    is_value = key.casefold() in {value.casefold() for value in hidden}
    return key if is_name and not is_value else "<name>"


def redacted(
    value: Any, *, hidden: Iterable[str] = (), is_error: bool = False
) -> Mapping[str, Any]:
    """Give the shape of a JSON body. In an error some fields have ABDM's words about them."""
    found = _redacted(value, "", tuple(hidden), is_error=is_error, depth=0)
    return found if isinstance(found, Mapping) else {"body": found}


def _redacted(value: Any, name: str, hidden: tuple[str, ...], *, is_error: bool, depth: int) -> Any:
    if depth > _DEPTH_MAX:
        return "<deeper>"
    match value:
        case dict():
            return {
                name_of(key, hidden): _redacted(
                    each, key, hidden, is_error=is_error, depth=depth + 1
                )
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
            return code_of(value, hidden)
        case str() if name in _REFERENCES:
            return _reference(value, hidden)
        case str() if name in _KEPT or name in _SAID or (is_error and keeps_words(name)):
            return scrubbed(value, hidden)
        case int() if name in _KEPT and abs(value) <= _INTEGER_MAX:
            return value
        case str():
            return f"<{len(value)} letters>" if value else ""
    return "<number>"


def _reference(text: str, hidden: tuple[str, ...]) -> str:
    plain = _plain(text[:MESSAGE_LENGTH_MAX])
    if _UUID.fullmatch(plain):
        return plain
    return scrubbed(plain, hidden) if _IDENTIFYING.search(plain) else _without(plain, hidden)


def _without(text: str, hidden: Iterable[str]) -> str:
    known = {_plain(value) for value in hidden}
    for value in sorted(known, key=len, reverse=True):
        if len(value) >= _HIDDEN_LENGTH_MIN:
            text = re.sub(re.escape(value), "<withheld>", text, flags=re.IGNORECASE)
    return text


def _plain(text: str) -> str:
    """Write a text as one line that can be stored, with every script's digits as 0 to 9.

    JSON may bring half a character, which no database takes.
    """
    letters = (_plain_letter(letter) for letter in unicodedata.normalize("NFKC", text))
    return " ".join("".join(letters).split())


def _plain_letter(letter: str) -> str:
    digit = unicodedata.digit(letter, None)
    if digit is not None:
        return str(digit)
    if unicodedata.category(letter) == "Cf":
        return ""  # a sign that nobody sees must not part a number
    return letter if letter.isprintable() else " "


def _counted(found: re.Match[str]) -> str:
    if not found[0][0].isdigit():
        return found[0]
    return f"<{sum(sign.isdigit() for sign in found[0])} digits>"
