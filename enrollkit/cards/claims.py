"""What a card says about a person, and how MOSIP Claim 169 numbers it.

Numbers of the fields: MOSIP 169 QR Code Specification 1.2.0; of the token: RFC 8392 (CWT).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from enrollkit.domain.person import BirthDate, Gender

__all__ = [
    "PRACTICE",
    "PROVISIONAL",
    "VALID_SECONDS",
    "CardClaims",
    "NotACard",
    "language_code",
    "status_of",
]

PROVISIONAL: Final = "PROVISIONAL"
"""Legal status (field 22) of a card whose number is not an ABHA number."""

PRACTICE: Final = "PRACTICE"
"""Legal status of a card of a programme whose ABHA numbers are not real."""

VALID_SECONDS: Final = 5 * 365 * 86_400
"""Five years, after which a card should have been replaced."""

_ISSUER, _EXPIRES, _NOT_BEFORE, _ISSUED, _IDENTITY = 1, 4, 5, 6, 169
_NUMBER, _VERSION, _LANGUAGE, _NAME, _BORN, _GENDER = 1, 2, 3, 4, 8, 9
_NAME_NATIVE, _LANGUAGE_NATIVE, _STATUS = 19, 20, 22

_GENDERS: Final = {Gender.MALE: 1, Gender.FEMALE: 2, Gender.OTHER: 3}
_TEXT_MAX: Final = 500
_ISO_639_3: Final = {
    "as": "asm", "bn": "ben", "en": "eng", "gu": "guj", "hi": "hin", "kn": "kan", "ml": "mal",
    "mr": "mar", "or": "ori", "pa": "pan", "ta": "tam", "te": "tel", "ur": "urd",
}  # fmt: skip


class NotACard(ValueError):
    """A signed token that does not describe a person; the message names the field."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CardClaims:
    """The signed content of a card. What a foreign card does not say is ``None`` or empty.

    ``language_native`` is ISO 639-3. Times are seconds since 1970 UTC. ``status`` is
    :data:`PROVISIONAL` until the number is an ABHA number.
    """

    programme: str
    number: str
    name: str
    birth: BirthDate | None
    gender: Gender | None
    name_native: str | None = None
    language_native: str | None = None
    status: str | None = PROVISIONAL
    issued_at: int | None = None
    expires_at: int | None = None
    not_before: int | None = None

    def __repr__(self) -> str:
        return "CardClaims(<withheld>)"

    def token(self) -> dict[int, Any]:
        """Write the claims of a CWT; what is not known is absent."""
        identity = {
            _NUMBER: self.number,
            _VERSION: "1.0",
            _LANGUAGE: "eng",
            _NAME: self.name,
            _BORN: self.birth and _digits(self.birth),
            _GENDER: self.gender and _GENDERS[self.gender],
            _NAME_NATIVE: self.name_native,
            _LANGUAGE_NATIVE: self.language_native if self.name_native else None,
            _STATUS: self.status,
        }
        expires = self.expires_at
        if expires is None and self.issued_at is not None:
            expires = self.issued_at + VALID_SECONDS
        token = {
            _ISSUER: self.programme,
            _EXPIRES: expires,
            _NOT_BEFORE: self.not_before,
            _ISSUED: self.issued_at,
            _IDENTITY: _without_nulls(identity),
        }
        return _without_nulls(token)

    @classmethod
    def from_token(cls, token: object) -> CardClaims:
        """Read the claims of a CWT, ours or foreign. Raise :class:`NotACard` when it is none."""
        if not isinstance(token, Mapping) or not isinstance(token.get(_IDENTITY), Mapping):
            raise NotACard("no claim 169")
        identity = token[_IDENTITY]
        return cls(
            programme=_text(token, _ISSUER) or "",
            number=_text(identity, _NUMBER) or "",
            name=_text(identity, _NAME) or "",
            birth=_birth(_text(identity, _BORN)),
            gender={code: gender for gender, code in _GENDERS.items()}.get(
                _whole(identity, _GENDER) or 0
            ),
            name_native=_text(identity, _NAME_NATIVE),
            language_native=_text(identity, _LANGUAGE_NATIVE),
            status=_text(identity, _STATUS),
            issued_at=_whole(token, _ISSUED),
            expires_at=_whole(token, _EXPIRES),
            not_before=_whole(token, _NOT_BEFORE),
        )

    def fields(self) -> dict[str, str]:
        """Give what can be shown, by name, without what is not known."""
        known = {
            "programme": self.programme,
            "number": self.number,
            "name": self.name,
            "name_native": self.name_native,
            "born": self.birth and self.birth.text(),
            "gender": self.gender and self.gender.value,
            "status": self.status,
        }
        return {name: value for name, value in known.items() if value}


def status_of(*, provisional: bool, practice: bool) -> str | None:
    """Say what a card is not, for field 22; ``None`` for one with a real ABHA number."""
    words = [PRACTICE] * practice + [PROVISIONAL] * provisional
    return " ".join(words) or None


def language_code(language: str) -> str | None:
    """Turn ISO 639-1 as in :class:`enrollkit.domain.person.Person` into ISO 639-3."""
    return _ISO_639_3.get(language)


def _digits(birth: BirthDate) -> str:
    """Write ``YYYYMMDD``, or as much of its beginning as is known."""
    parts = [f"{birth.year:04d}"]
    parts += [f"{birth.month:02d}"] if birth.month else []
    parts += [f"{birth.day:02d}"] if birth.month and birth.day else []
    return "".join(parts)


def _birth(text: str | None) -> BirthDate | None:
    """Read ``YYYYMMDD`` or its beginning; some issuers write dashes."""
    shape = r"([0-9]{4})(?:-?(0[1-9]|1[0-2])(?:-?(0[1-9]|[12][0-9]|3[01]))?)?"
    match = re.fullmatch(shape, text or "")
    if match is None:
        return None
    year, month, day = (None if part is None else int(part) for part in match.groups())
    return BirthDate(year=year or 0, month=month, day=day)


def _text(fields: Mapping[Any, Any], key: int) -> str | None:
    """Give a text field; fault anything that is not printable text of a sane length."""
    value = fields.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _TEXT_MAX:
        raise NotACard(f"field {key} is no short text")
    return " ".join("".join(_visible(character) for character in value).split())


def _visible(character: str) -> str:
    """Let joiners through, which Indian scripts need; turn other invisible characters to spaces."""
    return character if character.isprintable() or character in "\u200c\u200d" else " "


def _whole(fields: Mapping[Any, Any], key: int) -> int | None:
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise NotACard(f"field {key} is no whole number")
    return value


def _without_nulls(fields: Mapping[int, Any]) -> dict[int, Any]:
    return {key: value for key, value in fields.items() if value is not None}
