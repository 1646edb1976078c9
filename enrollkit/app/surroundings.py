"""What a row is checked against besides itself: the people of this laptop, the programme, today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enrollkit.app.desk import Desk
from enrollkit.domain.enrollment import Enrollment, State
from enrollkit.domain.matching import Likeness
from enrollkit.domain.rules import Context
from enrollkit.store.database import Tx
from enrollkit.store.drafts import Draft, SealedNumber
from enrollkit.store.enrollments import find_by_match_key, mobile_count, state_of

__all__ = ["Number", "likeness", "number_in", "surroundings", "typed_number"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Number:
    """An Aadhaar number on its way: typed now, or sealed already in a draft."""

    last4: str
    typed: str | None = None
    sealed: SealedNumber | None = None

    def __repr__(self) -> str:
        return "Number(<withheld>)"


def number_in(draft: Draft) -> Number | None:
    """Give a draft's sealed number, if it has one."""
    return Number(last4=draft.number.last4, sealed=draft.number) if draft.number else None


def typed_number(row: Mapping[str, Any]) -> Number | None:
    """Give the number that stands in a row, if it is text at all."""
    typed = row.get("aadhaar")
    return Number(last4=typed[-4:], typed=typed) if isinstance(typed, str) else None


def likeness(enrollment: Enrollment) -> Likeness:
    """Give what tells a person from another."""
    return Likeness.of(
        enrollment.person, ident=enrollment.id, aadhaar_last4=enrollment.aadhaar_last4
    )


def surroundings(tx: Tx, desk: Desk, record: str | None, number: Number | None) -> Context:
    """Give the context of one check; ``record`` is the row's own, which is nobody else."""
    holder = _holder(tx, desk, record, number)
    return Context(
        today=desk.today(),
        consents=_languages_by_version(desk),
        places=desk.places,
        count_mobile=lambda mobile: mobile_count(tx, mobile, excluding=record),
        find_alike=lambda key: [
            likeness(stored.enrollment) for stored in find_by_match_key(tx, key, excluding=record)
        ],
        aadhaar_last4=number.last4 if number else None,
        aadhaar_holder=holder,
    )


def _holder(tx: Tx, desk: Desk, record: str | None, number: Number | None) -> str | None:
    """Give whom the number was taken for before, in this session, if that person was saved."""
    taken: tuple[str, ...] = ()
    if number and number.typed:
        taken = desk.capture.records_with(number.typed)
    elif number and record:
        taken = desk.capture.records_like(record)
    gone = {None, State.WITHDRAWN}
    others = (other for other in taken if other != record and state_of(tx, other) not in gone)
    return next(others, None)


def _languages_by_version(desk: Desk) -> dict[str, frozenset[str]]:
    versions: dict[str, frozenset[str]] = {}
    for wording in desk.programme.consents:
        known = versions.get(wording.version, frozenset())
        versions[wording.version] = known | {wording.language}
    return versions
