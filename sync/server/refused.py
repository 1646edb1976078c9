"""What ABDM refused and no laptop can mend, for the office to look at.

People whom ABDM sent back for a reason that no correction answers, and records that could not be
linked. What an operator can put right (a name, a mobile) is with the laptops and is not here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select

from schemas.numbers import provisional_number
from sync.protocol import FeedKind
from sync.server.calling import INDIA
from sync.server.store.tables import abdm_jobs, enrollment_versions, enrollments, feed, links

__all__ = [
    "REFUSED_WORDS",
    "Refused",
    "count_refused",
    "is_for_the_office",
    "refused_lines",
    "what_was_refused",
]

REFUSED_WORDS: Final = {
    "abdm:number": "ABDM does not take the ABHA number that it was asked about.",
    "abdm:child": "ABDM does not take this child so: too old, or too many under one parent.",
    "abdm:done": "ABDM says that this was done before, and gives no number.",
    "link:count": "ABDM counted other records than were sent.",
    "link:done": "ABDM says that this record is linked, but not for whom.",
    "link:facility": "ABDM does not know this facility's number.",
    "link:kyc": "ABDM has this person with other details. Compare them with the card.",
    "link:reference": "ABDM does not know the request that was answered.",
    "link:sequence": "ABDM expected another request before this one.",
    "link:token": "ABDM refused its own permission to link twice.",
    "link:unknown-abha": "ABDM does not know this ABHA number or address.",
}
"""Why, by the code, for what is not a person's to correct."""
_UNFORESEEN: Final = "abdm:unknown"
_UNKNOWN_WORDS: Final = "Why is not known. Ask NHA; see: enrollkit-server exchanges {number} --json"
_OTHER: Final = "ABDM refused it. See: enrollkit-server exchanges {number}"
_RETURNED: Final = "RETURNED"
_WITHDRAWN: Final = "WITHDRAWN"
_ENROLL: Final = "enroll"
_WITH_LAPTOPS: Final = frozenset({"", "aadhaar:missing"})
"""Said without ABDM, of what only the person's card can tell."""
_ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A person, or with ``link`` one record of theirs; ``since`` in seconds, ``None`` if no laptop
    was told. ``code`` is ``""`` where nobody wrote down why.
    """

    what: str
    id: str
    provisional: str
    camp: str | None
    link: str | None
    facility: str | None
    code: str
    why: str
    since: int | None


def is_for_the_office(code: str) -> bool:
    """Whether a reason for which a person came back is nothing that a correction answers."""
    return code not in _mendable()


def count_refused(connection: Connection) -> dict[str, int]:
    """Count ``people`` and ``records`` that wait for a look."""
    codes = (
        select(abdm_jobs.c.code, func.count())
        .join(enrollments, enrollments.c.enrollment == abdm_jobs.c.enrollment)
        .where(abdm_jobs.c.kind == _ENROLL, enrollments.c.state == _RETURNED)
        .group_by(abdm_jobs.c.code)
    )
    people = sum(count for code, count in connection.execute(codes) if is_for_the_office(code))
    records = _of_records(select(func.count()))
    return {"people": people, "records": connection.execute(records).scalar_one()}


def what_was_refused(connection: Connection, *, camp: str | None = None) -> Iterator[Refused]:
    """Give both, camp by camp, and in it what waits the longest first."""
    found = [*_people(connection), *_records(connection)]
    wanted = [each for each in found if camp is None or each.camp == camp]
    yield from sorted(
        wanted, key=lambda each: (each.camp or "", each.since or 0, each.id, each.link or "")
    )


def refused_lines(found: Iterable[Refused]) -> Iterator[str]:
    """Give them for people to read."""
    camp: str | None = None
    for number, each in enumerate(found):
        if not number or each.camp != camp:
            yield each.camp or "(no camp)"
        camp = each.camp
        facility = f" of {each.facility}" if each.facility else ""
        since = "" if each.since is None else f", since {_day(each.since)}"
        yield f"  {each.provisional}  {each.what}{facility}{since}  [{each.code or '?'}]"
        yield f"      {each.why}"


def _people(connection: Connection) -> Iterator[Refused]:
    job = (abdm_jobs.c.enrollment == enrollments.c.enrollment) & (abdm_jobs.c.kind == _ENROLL)
    query = (
        _with_body(abdm_jobs.c.code, abdm_jobs.c.changed_at)
        .join(abdm_jobs, job)
        .where(enrollments.c.state == _RETURNED)
    )
    for row in connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}):
        if is_for_the_office(row.code):
            yield _refused(row, "person", row.code, since=row.changed_at // 1000)


def _records(connection: Connection) -> Iterator[Refused]:
    told = _told(connection)
    query = _of_records(_with_body(links.c.link, links.c.facility), is_joined=True)
    for row in connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}):
        code, since = told.get(row.link, ("", None))
        yield _refused(row, "record", code, since=since, link=row.link, facility=row.facility)


def _with_body(*columns: Any) -> Select[Any]:
    newest = (enrollment_versions.c.enrollment == enrollments.c.enrollment) & (
        enrollment_versions.c.version == enrollments.c.version
    )
    chosen = select(enrollments.c.enrollment, enrollment_versions.c.body, *columns)
    return chosen.select_from(enrollments).join(enrollment_versions, newest)


def _of_records(query: Select[Any], *, is_joined: bool = False) -> Select[Any]:
    owner = links.c.enrollment == enrollments.c.enrollment
    joined = (
        query.join(links, owner) if is_joined else query.select_from(links.join(enrollments, owner))
    )
    return joined.where(links.c.state == _RETURNED, enrollments.c.state != _WITHDRAWN)


def _told(connection: Connection) -> dict[str, tuple[str, int]]:
    """Give why each record came back and when (seconds), as laptops were told; the newest counts.

    A record's state keeps no reason of its own.
    """
    query = (
        select(feed.c.record, feed.c.body, feed.c.at)
        .where(feed.c.kind == FeedKind.LINK_RETURNED.value)
        .order_by(feed.c.at)
    )
    rows = connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    return {row.record: (json.loads(row.body)["code"], row.at) for row in rows}


def _refused(
    row: Row[Any],
    what: str,
    code: str,
    *,
    since: int | None,
    link: str | None = None,
    facility: str | None = None,
) -> Refused:
    number = provisional_number(row.enrollment)
    return Refused(
        what=what,
        id=row.enrollment,
        provisional=number,
        camp=json.loads(row.body).get("camp"),
        link=link,
        facility=facility,
        code=code,
        why=_why(code, number),
        since=since,
    )


def _why(code: str, number: str) -> str:
    if not code or code.startswith(_UNFORESEEN):
        return _UNKNOWN_WORDS.format(number=number)
    return REFUSED_WORDS.get(code) or _OTHER.format(number=number)


@cache
def _mendable() -> frozenset[str]:
    """Give the reasons that point an operator at something to correct."""
    text = files("sync.server").joinpath("data/abdm_refusals.json").read_text(encoding="utf-8")
    content = json.loads(text)
    rows = [*content["rows"], *content["fields"]]
    return _WITH_LAPTOPS | {row["reason"] for row in rows if row["effect"] == "return"}


def _day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC).astimezone(INDIA):%d %b %Y}"
