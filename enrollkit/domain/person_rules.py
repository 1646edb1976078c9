"""Rules about the person: the letters of the name, a birth that can be, a guardian, a mobile.

Each rule takes raw JSON that may be wrong in any way and yields problems; what the schema already
blames is passed over.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from enrollkit.domain.characters import foreign_to_name, hidden_codes
from enrollkit.domain.person import BirthDate, MobileOwner, Relation
from enrollkit.domain.problem import Problem, Severity
from enrollkit.domain.shape_problems import label, value_at
from enrollkit.locale import _, ngettext
from schemas.formats import is_mobile

__all__ = [
    "ADULT_YEARS",
    "PEOPLE_PER_MOBILE_MAX",
    "birth_problems",
    "guardian_problems",
    "mobile_problems",
    "name_problems",
    "possible_birth",
    "text_problems",
]

PEOPLE_PER_MOBILE_MAX: Final = 6
"""ABDM-1124: a mobile number carries at most six ABHA numbers."""

ADULT_YEARS: Final = 18
_AGE_LOOKED_AT: Final = 120
_YEAR_MIN: Final = 1900
_YEAR_MAX: Final = 2100
_MONTHS: Final = 12
_DAYS: Final = 31
# A longer text is refused for its length; looking at more of it would only cost time.
_TEXT_LOOKED_AT: Final = 10_000
_FREE_TEXTS: Final = (
    "/address/line", "/address/village", "/guardian/name", "/consent/witness",
    "/household", "/camp",
)  # fmt: skip

_CHARACTER_WORDS: Final[Mapping[str, Callable[[], str]]] = {
    "control-character": lambda: _("{field}: there is an invisible character. Type it again."),
    "bidi-override": lambda: _("{field}: hidden marks turn the letters round. Type it again."),
    "hidden-character": lambda: _("{field}: there is an invisible character. Type it again."),
    "emoji": lambda: _("{field}: leave out pictures and symbols."),
    "digits": lambda: _("{field}: a name has no digits."),
    "not-latin": lambda: _("{field}: use English letters here; own script has its own field."),
    "sign": lambda: _("{field}: use letters, spaces and . ' - only."),
}


def name_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """The name in Latin letters, spaces, point, apostrophe and hyphen (as Aadhaar holds names)."""
    name = row.get("name")
    if not isinstance(name, str):
        return
    text = name[:_TEXT_LOOKED_AT]
    if not text.strip():
        yield Problem(pointer="/name", code="name-empty", text=_("Name: please fill this in."))
        return
    codes = hidden_codes(text) + foreign_to_name(text)
    if not codes and not any(character.isalpha() for character in text):
        codes = ["sign"]
    for code in codes:
        yield _character_problem("/name", code, prefix="name-")


def text_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """No invisible characters, direction marks or pictures in any text that people will read."""
    for pointer in _FREE_TEXTS:
        text = value_at(row, pointer)
        if isinstance(text, str):
            for code in hidden_codes(text[:_TEXT_LOOKED_AT]):
                yield _character_problem(pointer, code)
    native = row.get("name_native")
    if isinstance(native, str):
        for code in hidden_codes(native[:_TEXT_LOOKED_AT], joiners=True):
            yield _character_problem("/name_native", code)


def birth_problems(row: Mapping[str, Any], today: date) -> Iterator[Problem]:
    """A date that exists and is not to come. The year alone, or year and month, are enough."""
    birth = row.get("birth")
    if not isinstance(birth, Mapping):
        return
    year, month, day = _parts(birth)
    if birth.get("day") is not None and birth.get("month") is None:
        yield Problem(
            pointer="/birth/month",
            code="birth-day-without-month",
            text=_("Month of birth: give the month too, or the year alone."),
        )
    # Without a year, 29 February may be right.
    if month and day and day > monthrange(year or 2000, month)[1]:
        yield Problem(
            pointer="/birth/day",
            code="birth-no-such-day",
            text=_("Day of birth: that month has no such day."),
        )
    if year and (year, month or 1, day or 1) > (today.year, today.month, today.day):
        yield Problem(
            pointer="/birth/year",
            code="birth-in-future",
            text=_("Date of birth: that day has not come yet."),
        )
    if year and today.year - year > _AGE_LOOKED_AT:
        yield Problem(
            pointer="/birth/year",
            code="birth-long-ago",
            text=_("Year of birth: older than 120 years. Look whether it is right."),
            severity=Severity.REVIEW,
        )


def possible_birth(row: Mapping[str, Any], today: date) -> BirthDate | None:
    """Give the birth as written when it is whole and can be; ``None`` otherwise."""
    birth = row.get("birth")
    if not isinstance(birth, Mapping) or any(
        problem.severity is Severity.REFUSE for problem in birth_problems(row, today)
    ):
        return None
    year, month, day = _parts(birth)
    given = (birth.get("month"), birth.get("day"))
    if year is None or given != (month, day):
        return None
    return BirthDate(year=year, month=month, day=day)


def guardian_problems(row: Mapping[str, Any], today: date) -> Iterator[Problem]:
    """Whoever is, or by a partial date may be, under 18 comes with a parent or legal guardian.

    A husband or wife does not answer for somebody under 18; where only the year makes that
    possible, a person has to look.
    """
    birth = possible_birth(row, today)
    if birth is None or birth.age_at(today) >= ADULT_YEARS:
        return
    first = birth.first_possible_day()
    eldest = today.year - first.year - ((today.month, today.day) < (first.month, first.day))
    certain = eldest < ADULT_YEARS
    if row.get("guardian") is None:
        yield Problem(
            pointer="/guardian",
            code="minor-without-guardian",
            text=_("Guardian: under 18. Who is with this person?")
            if certain
            else _("Guardian: may be under 18. Give a guardian, or the full date of birth."),
        )
    elif value_at(row, "/guardian/relation") == Relation.SPOUSE:
        yield Problem(
            pointer="/guardian/relation",
            code="minor-with-spouse",
            text=_("Guardian: for somebody under 18 name father, mother or legal guardian."),
            severity=Severity.REFUSE if certain else Severity.REVIEW,
        )


def mobile_problems(
    row: Mapping[str, Any], count_others: Callable[[str], int]
) -> Iterator[Problem]:
    """A number exactly when somebody owns it, and at most six people on one number."""
    mobile, owner = row.get("mobile"), row.get("mobile_owner")
    if owner == MobileOwner.NONE and mobile is not None:
        yield Problem(
            pointer="/mobile_owner",
            code="mobile-owner-none",
            text=_("Whose mobile: there is a number. Say whether it is own or family's."),
        )
    # A tuple, not a set: the owner may be a list, which no set can look up.
    if owner in (MobileOwner.SELF, MobileOwner.FAMILY) and mobile is None:
        yield Problem(
            pointer="/mobile",
            code="mobile-missing",
            text=_("Mobile: give the number, or say that there is none."),
        )
    if not isinstance(mobile, str) or not is_mobile(mobile):
        return
    if count_others(mobile) >= PEOPLE_PER_MOBILE_MAX:
        yield Problem(
            pointer="/mobile",
            code="mobile-seventh-person",
            text=ngettext(
                "Mobile: {count} person here uses it already, and no more can.",
                "Mobile: {count} people here use it already, and no more can. Ask for another.",
                PEOPLE_PER_MOBILE_MAX,
            ).format(count=PEOPLE_PER_MOBILE_MAX),
        )


def _character_problem(pointer: str, code: str, *, prefix: str = "") -> Problem:
    text = _CHARACTER_WORDS[code]().format(field=label(pointer))
    return Problem(pointer=pointer, code=prefix + code, text=text)


def _parts(birth: Mapping[str, Any]) -> tuple[int | None, int | None, int | None]:
    """Give year, month and day, each ``None`` where it is missing or cannot be one."""
    return (
        _whole(birth.get("year"), _YEAR_MIN, _YEAR_MAX),
        _whole(birth.get("month"), 1, _MONTHS),
        _whole(birth.get("day"), 1, _DAYS),
    )


def _whole(value: Any, least: int, most: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if least <= value <= most and value == int(value) else None
