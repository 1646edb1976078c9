"""What an intake row must be before it is saved: every problem at once, as values.

Written form first (schema ``intake-1``), then what no schema can say: a day that exists, a minor's
guardian, a consent whose wording the programme knows, a district of its state, a mobile number that
is not used up, a person who may be here already. Nothing here raises, whatever the row holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any, Final, Protocol

from enrollkit.domain.consent import ConsentMethod
from enrollkit.domain.matching import Likeness, match_key, same_person
from enrollkit.domain.person import Gender
from enrollkit.domain.person_rules import (
    birth_problems,
    guardian_problems,
    mobile_problems,
    name_problems,
    possible_birth,
    text_problems,
)
from enrollkit.domain.problem import Problem, Severity
from enrollkit.domain.shape_problems import shape_problems, value_at
from enrollkit.locale import _
from schemas import load
from schemas.formats import is_aadhaar, is_timestamp

__all__ = ["Context", "PlaceNames", "check", "stands_in_the_way"]

_SHAPE: Final = "intake-1"
_CODE_MAX: Final = 9999

CONSENT_FROM: Final = date(2020, 8, 15)
"""The mission began that day; before it there was nothing to agree to."""
CONSENT_AHEAD_MAX: Final = timedelta(days=366)
"""A laptop's clock may lag; more than a year is a slip of the pen."""


class PlaceNames(Protocol):
    """What the rules ask of a list of places: LGD codes in, names out, ``None`` if not listed."""

    def state_of(self, district: int) -> int | None:
        """Give the state that a district lies in."""

    def state_name(self, code: int) -> str | None:
        """Give a state's name."""

    def district_name(self, code: int) -> str | None:
        """Give a district's name."""


def _count_nobody(_mobile: str) -> int:
    return 0


def _find_nobody(_key: str) -> Iterable[Likeness]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a row is checked against besides itself.

    ``today`` is the later of the laptop's date and the programme's day of issue, so that a clock
    that says 2019 makes nobody unborn. ``consents`` gives for each wording version its languages.
    ``count_mobile`` answers how many *other* people on this laptop carry a number;
    ``find_alike`` gives the *others* filed under a :func:`~enrollkit.domain.matching.match_key`.
    ``aadhaar_last4`` is for a row whose number is sealed already; ``aadhaar_seen`` says that the
    number was taken for somebody else in this session, ``aadhaar_holder`` for whom, if known.
    """

    today: date
    consents: Mapping[str, frozenset[str]]
    places: PlaceNames
    count_mobile: Callable[[str], int] = _count_nobody
    find_alike: Callable[[str], Iterable[Likeness]] = _find_nobody
    aadhaar_last4: str | None = None
    aadhaar_holder: str | None = None


def check(row: Any, context: Context) -> list[Problem]:
    """Give all problems of a row that has been through ``normalise``, in the order of the form.

    An empty list, or one of notes only, means that the row can be saved as it is. A problem of
    the severity ``review`` needs a person to look; ``refuse`` needs the field to be put right.
    """
    found = shape_problems(_SHAPE, row)
    if isinstance(row, Mapping):
        found += chain(
            name_problems(row),
            text_problems(row),
            birth_problems(row, context.today),
            mobile_problems(row, context.count_mobile),
            guardian_problems(row, context.today),
            _consent_problems(row, context),
            _address_problems(row, context.places),
        )
        found += _duplicates(row, context, found)
    first = {(problem.pointer, problem.code): problem for problem in reversed(found)}
    return sorted(first.values(), key=_place_on_form)


def stands_in_the_way(problems: Iterable[Problem], looked_at: frozenset[str] = frozenset()) -> bool:
    """Whether the row cannot be saved now: something refused, or to be reviewed and not yet.

    ``looked_at`` holds the codes of problems that a person has looked at and accepted.
    """
    return any(
        problem.severity is Severity.REFUSE
        or (problem.severity is Severity.REVIEW and problem.code not in looked_at)
        for problem in problems
    )


def _consent_problems(row: Mapping[str, Any], context: Context) -> Iterator[Problem]:
    consent = row.get("consent")
    if not isinstance(consent, Mapping):
        return
    version, language = consent.get("version"), consent.get("language")
    if isinstance(version, str) and version not in context.consents:
        yield Problem(
            pointer="/consent/version",
            code="consent-version-unknown",
            text=_(
                "Consent wording: this programme does not know that version. Read the current one."
            ),
        )
    elif isinstance(version, str) and language not in (*context.consents[version], None):
        yield Problem(
            pointer="/consent/language",
            code="consent-language-missing",
            text=_("Consent: the wording is not installed in that language."),
            severity=Severity.NOTE,
        )
    yield from _witness_problems(consent)
    yield from _consent_time_problems(consent, context.today)


def _witness_problems(consent: Mapping[str, Any]) -> Iterator[Problem]:
    """A thumbprint or a spoken yes needs somebody who saw or heard it; a signature does not."""
    witnessed = {ConsentMethod.THUMBPRINT.value, ConsentMethod.VERBAL_WITNESSED.value}
    method, witness = consent.get("method"), consent.get("witness")
    blank = witness is None or (isinstance(witness, str) and not witness.strip())
    if isinstance(method, str) and method in witnessed and blank:
        yield Problem(
            pointer="/consent/witness",
            code="consent-witness-missing",
            text=_("Witness: without a signature, somebody must have seen it. Give the name."),
        )


def _consent_time_problems(consent: Mapping[str, Any], today: date) -> Iterator[Problem]:
    given = consent.get("given_at")
    if not isinstance(given, str) or not is_timestamp(given):
        return
    day = datetime.fromisoformat(given).date()
    if not CONSENT_FROM <= day <= today + CONSENT_AHEAD_MAX:
        yield Problem(
            pointer="/consent/given_at",
            code="consent-impossible-time",
            text=_("Time of consent: nobody can have agreed then. Write the day of the camp."),
        )
    elif day - today > timedelta(days=1):
        yield Problem(
            pointer="/consent/given_at",
            code="consent-in-future",
            text=_("Time of consent: that day has not come yet. Is the laptop's clock right?"),
            severity=Severity.NOTE,
        )


def _address_problems(row: Mapping[str, Any], places: PlaceNames) -> Iterator[Problem]:
    state = _code(value_at(row, "/address/state"))
    district = _code(value_at(row, "/address/district"))
    if state is None:
        return
    said = places.state_name(state)
    if said is None:
        yield Problem(
            pointer="/address/state",
            code="state-unknown",
            text=_("State: no state has that code. Choose it from the list."),
        )
        return
    if district is None:
        return
    true_state = places.state_of(district)
    if true_state != state:
        yield Problem(
            pointer="/address/district",
            code="district-not-in-state",
            text=_("District: no district has that code. Choose it from the list.")
            if true_state is None
            else _("{district} lies in {true_state}, but the state says {state}.").format(
                district=places.district_name(district),
                true_state=places.state_name(true_state),
                state=said,
            ),
        )


def _duplicates(
    row: Mapping[str, Any], context: Context, found: list[Problem]
) -> Iterator[Problem]:
    """Whoever is here already: by Aadhaar number where one is known, else by name."""
    if context.aadhaar_holder is not None:
        yield _same_number(context.aadhaar_holder)
    one = _likeness(row, context, found)
    if one is None:
        return
    for other in context.find_alike(match_key(one)):
        if other.id == context.aadhaar_holder or not same_person(one, other):
            continue
        # After a lock the numbers are forgotten, but their last digits are still on record.
        if one.aadhaar_last4 is not None and one.aadhaar_last4 == other.aadhaar_last4:
            yield _same_number(other.id)
        else:
            yield Problem(
                pointer="/name",
                code="duplicate-person",
                text=_("Perhaps this person is here already. Look at that record first."),
                severity=Severity.REVIEW,
                related=other.id,
            )
        return


def _same_number(holder: str | None) -> Problem:
    return Problem(
        pointer="/aadhaar",
        code="duplicate-aadhaar",
        text=_("Somebody with this Aadhaar number is here already. Look at that record first."),
        severity=Severity.REVIEW,
        related=holder,
    )


def _likeness(row: Mapping[str, Any], context: Context, found: list[Problem]) -> Likeness | None:
    """Give what is compared, once the fields it is made of are right."""
    refused = {
        problem.pointer.removeprefix("/").partition("/")[0]
        for problem in found
        if problem.severity is Severity.REFUSE
    }
    birth = possible_birth(row, context.today)
    # A row refused as a whole, at the empty pointer, tells nothing of its fields.
    if birth is None or refused & {"", "name", "gender", "birth", "address"}:
        return None
    mobile, aadhaar = row.get("mobile"), row.get("aadhaar")
    known = isinstance(aadhaar, str) and is_aadhaar(aadhaar)
    return Likeness(
        id="",
        name=row["name"],
        gender=Gender(row["gender"]),
        birth=birth,
        district=int(row["address"]["district"]),
        village=row["address"]["village"],
        mobile=mobile if isinstance(mobile, str) else None,
        aadhaar_last4=aadhaar[-4:] if known and aadhaar else context.aadhaar_last4,
    )


def _code(value: Any) -> int | None:
    """Give a whole number; JSON's 88.0 is one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value <= _CODE_MAX and value == int(value) else None


def _place_on_form(problem: Problem) -> tuple[int, str, str]:
    """Sort by the order of the fields in the schema; fields it does not know come last."""
    fields = [*load(_SHAPE)["properties"]]
    head = problem.pointer.split("/")[1] if problem.pointer else ""
    return (
        fields.index(head) if head in fields else len(fields) if head else -1,
        problem.pointer,
        problem.code,
    )
