"""The call-back list: whom ABDM wants to be there, why, and from when on to call them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, select

from schemas.numbers import provisional_number
from sync.protocol import FeedKind
from sync.server.store.tables import abdm_jobs, enrollment_versions, enrollments, feed

__all__ = ["CALL_WORDS", "INDIA", "ToCall", "call_lines", "people_to_call"]

INDIA: Final = timezone(timedelta(hours=5, minutes=30))
_NEEDS_PERSON: Final = "NEEDS_PERSON"
_ENROLL: Final = "enroll"
CALL_WORDS: Final = {
    "person:otp": "A one-time code goes to the mobile that Aadhaar knows; they read it out.",
    "person:parent": "A child without Aadhaar: a parent with an ABHA number must be there.",
    "person:document": "No Aadhaar number: they need another document, or an Aadhaar number.",
    "person:aadhaar-cancelled": "UIDAI cancelled or suspended their Aadhaar number; only they can "
    "ask for it back, at an Aadhaar centre.",
    "person:biometric": "UIDAI wants to see a finger, an eye or the face; they must be there.",
    "person:mobile": "A mobile is needed that they can look at.",
    "otp:late": "Their one-time code has run out; they read another one out.",
    "abdm:exists-unnamed": "They have an ABHA number already; they must say which.",
    "abdm:deactivated": "Their ABHA number is switched off; only they can switch it on again.",
    "abdm:token": "ABDM has logged them out; they read another one-time code out.",
}
"""Why somebody is called, by the code: what the planner and ABDM's known refusals give."""
_OTHER: Final = "ABDM wants the person to be there."
_ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ToCall:
    """Somebody to be called; moments are seconds since 1970 UTC, ``None`` if nobody said."""

    id: str
    provisional: str
    name: str
    mobile: str | None
    mobile_owner: str
    village: str
    camp: str | None
    code: str
    why: str
    since: int | None
    call_at: int | None

    def __repr__(self) -> str:
        return f"ToCall({self.id}, <withheld>)"


def people_to_call(connection: Connection, *, camp: str | None = None) -> Iterator[ToCall]:
    """Give who is to be called, camp by camp, those first who wait the longest."""
    call_at = _moments(connection)
    newest = (enrollment_versions.c.enrollment == enrollments.c.enrollment) & (
        enrollment_versions.c.version == enrollments.c.version
    )
    job = (abdm_jobs.c.enrollment == enrollments.c.enrollment) & (abdm_jobs.c.kind == _ENROLL)
    query: Select[Any] = (
        select(
            enrollments.c.enrollment,
            enrollment_versions.c.body,
            abdm_jobs.c.code,
            abdm_jobs.c.changed_at,
        )
        .join(enrollment_versions, newest)
        .outerjoin(abdm_jobs, job)
        .where(enrollments.c.state == _NEEDS_PERSON)
    )
    rows = connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    found = [_to_call(row, call_at.get(row.enrollment)) for row in rows]
    wanted = [each for each in found if camp is None or each.camp == camp]
    yield from sorted(wanted, key=lambda each: (each.camp or "", each.since or 0, each.id))


def call_lines(people: Iterable[ToCall]) -> Iterator[str]:
    """Give a list for people, in India's time."""
    camp: str | None = None
    is_first = True
    for each in people:
        if is_first or each.camp != camp:
            yield each.camp or "(no camp)"
        camp, is_first = each.camp, False
        mobile = each.mobile or "no mobile"
        owner = " (family)" if each.mobile and each.mobile_owner == "family" else ""
        since = "" if each.since is None else f", since {_day(each.since)}"
        later = "" if each.call_at is None else f" Not before {_minute(each.call_at)}."
        yield f"  {each.provisional}  {mobile}{owner}  {each.name}, {each.village}{since}"
        yield f"      {each.why}{later}  [{each.code}]"


def _moments(connection: Connection) -> dict[str, int]:
    """Give not before when somebody is to be called, as laptops were told; the newest counts."""
    query = (
        select(feed.c.record, feed.c.body)
        .where(feed.c.kind == FeedKind.NEEDS_PERSON.value)
        .order_by(feed.c.at)
    )
    found: dict[str, int] = {}
    for row in connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}):
        moment = json.loads(row.body).get("call_at")
        if isinstance(moment, int):
            found[row.record] = moment
        else:
            found.pop(row.record, None)
    return found


def _to_call(row: Row[Any], call_at: int | None) -> ToCall:
    body = json.loads(row.body)
    code = row.code or ""
    return ToCall(
        id=row.enrollment,
        provisional=provisional_number(row.enrollment),
        name=body["name"],
        mobile=body.get("mobile"),
        mobile_owner=body["mobile_owner"],
        village=body["address"]["village"],
        camp=body.get("camp"),
        code=code,
        why=CALL_WORDS.get(code, _OTHER),
        since=None if row.changed_at is None else row.changed_at // 1000,
        call_at=call_at,
    )


def _day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC).astimezone(INDIA):%d %b %Y}"


def _minute(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC).astimezone(INDIA):%d %b %Y %H:%M}"
