"""The code that hospital desks scan: a JSON object that says who holds an ABHA number, unsigned.

Two spellings are about. ``CARD`` is that of NHA's own cards: ``hid``, ``district_name``,
``state_name``. ``APP`` is that of the ABHA app: ``phr``, ``dist name``, ``state name``. What is
printed takes the first, unless somebody asks for the other; what is read may be either. Nobody
signs this code: our signed one stands beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from enrollkit.domain.person import BirthDate, Gender

__all__ = ["BYTES_MAX", "AbhaFacts", "AbhaSpelling", "read_abha_code", "write_abha_code"]

BYTES_MAX: Final = 287
"""What a QR code of version 12 holds at level M (ISO/IEC 18004): both codes fit on one card."""

_TEXT_MAX: Final = 8192
_SHORT: Final = re.compile("[0-9]{1,4}")
_GIVEN_UP_IN_TURN: Final = ("address", "mobile", "district", "state")
"""Left out one after the other where the code would be too fine."""


class AbhaSpelling(StrEnum):
    """Which names the fields have."""

    CARD = "card"
    APP = "app"


_NAMES: Final[Mapping[AbhaSpelling, Mapping[str, str]]] = MappingProxyType(
    {
        AbhaSpelling.CARD: {"handle": "hid", "district": "district_name", "state": "state_name"},
        AbhaSpelling.APP: {"handle": "phr", "district": "dist name", "state": "state name"},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AbhaFacts:
    """What the code says. ``number`` has dashes, ``handle`` is the whole ABHA address.

    ``state_code`` and ``district_code`` are of the Local Government Directory.
    """

    number: str
    handle: str | None
    name: str
    gender: Gender | None
    birth: BirthDate | None
    state_code: int | None = None
    district_code: int | None = None
    state: str | None = None
    district: str | None = None
    address: str | None = None
    mobile: str | None = None

    def __repr__(self) -> str:
        return "AbhaFacts(<withheld>)"


def write_abha_code(facts: AbhaFacts, spelling: AbhaSpelling = AbhaSpelling.CARD) -> str:
    """Write the text of the code, ASCII, no longer than :data:`BYTES_MAX` wherever that can be.

    What is not known is absent. A long address is left out, then the mobile, then the names of
    district and state, whose codes stay.
    """
    known = _object(facts, spelling)
    names = _NAMES[spelling]
    for given_up in ("", *_GIVEN_UP_IN_TURN):
        known.pop(names.get(given_up, given_up), None)
        text = json.dumps(known, separators=(",", ":"))
        if len(text) <= BYTES_MAX:
            break
    return text


def read_abha_code(text: str) -> AbhaFacts | None:
    """Read a code in either spelling; ``None`` for anything that is none. Never raises."""
    if len(text) > _TEXT_MAX:
        return None
    try:
        value: Any = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("hidn"), str):
        return None
    found: dict[str, Any] = value
    return AbhaFacts(
        number=found["hidn"],
        handle=_text(found, "hid", "phr"),
        name=_text(found, "name") or "",
        gender=_gender(_text(found, "gender")),
        birth=_birth(_text(found, "dob")),
        state_code=_code(found, "statelgd"),
        district_code=_code(found, "distlgd"),
        state=_text(found, "state_name", "state name"),
        district=_text(found, "district_name", "dist name"),
        address=_text(found, "address"),
        mobile=_text(found, "mobile"),
    )


def _object(facts: AbhaFacts, spelling: AbhaSpelling) -> dict[str, str]:
    names = _NAMES[spelling]
    known = {
        "hidn": facts.number,
        names["handle"]: facts.handle,
        "name": facts.name,
        "gender": facts.gender and facts.gender.value,
        "statelgd": facts.state_code and str(facts.state_code),
        "distlgd": facts.district_code and str(facts.district_code),
        "dob": facts.birth and _day(facts.birth),
        names["district"]: facts.district,
        names["state"]: facts.state,
        "mobile": facts.mobile,
        "address": facts.address,
    }
    return {name: value for name, value in known.items() if value}


def _day(birth: BirthDate) -> str:
    """Write ``D/M/YYYY`` without zeros before it, or as much of its end as is known."""
    parts = [birth.day, birth.month, birth.year]
    return "/".join(str(part) for part in parts if part is not None)


def _birth(text: str | None) -> BirthDate | None:
    parts = (text or "").replace("-", "/").split("/")
    if not 1 <= len(parts) <= len("DMY") or not all(_SHORT.fullmatch(part) for part in parts):
        return None
    year, month, day = [int(part) for part in reversed(parts)] + [None] * (3 - len(parts))
    return None if year is None else BirthDate(year=year, month=month, day=day)


def _gender(text: str | None) -> Gender | None:
    return next((gender for gender in Gender if gender.value == text), None)


def _code(value: Mapping[str, Any], name: str) -> int | None:
    """Give a code that may be a number, or a number in quotes."""
    found = value.get(name)
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    return int(found) if isinstance(found, str) and _SHORT.fullmatch(found) else None


def _text(value: Mapping[str, Any], *names: str) -> str | None:
    """Give the first of the names that holds a text."""
    return next((value[name] for name in names if isinstance(value.get(name), str)), None)
