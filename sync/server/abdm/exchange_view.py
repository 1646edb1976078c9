"""What was asked of ABDM about one person, for whoever looks for the reason of something.

Steps, moments, endings and codes; nothing of the person's, and nothing that ABDM said in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from schemas.numbers import provisional_number, record_prefix
from sync.server.calling import INDIA
from sync.server.errors import PersonUnknown
from sync.server.store.tables import abdm_exchanges, enrollments

__all__ = ["Asked", "Exchange", "exchange_lines", "read_exchanges"]

_RECORD_DIGITS: Final = 32
_OPEN: Final = "open"
"""Of a request that has no ending: it is in work, or the power failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request about a person; moments are milliseconds since 1970 UTC.

    ``ending`` is one of :class:`~sync.server.abdm.calls.EndKind`, or ``open`` for a request that
    has none. ``status`` is HTTP's. ``callback_code`` is ``""`` where a callback said that all is
    well, and ``None`` where none came.
    """

    number: int
    kind: str
    step: str
    version: int
    request_id: str
    begun_at: int
    ended_at: int | None
    ending: str
    status: int | None
    code: str
    called_back_at: int | None
    callback_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A person, by their numbers, with all that was asked about them, the oldest first."""

    id: str
    provisional: str
    exchanges: Sequence[Exchange]


def read_exchanges(connection: Connection, typed: str) -> list[Asked]:
    """Find whom a record id or a provisional number names; ``PersonUnknown`` if nobody.

    A provisional number holds half of a record id: should two people share one, both are given.
    """
    query = select(enrollments.c.enrollment).where(_names(typed)).order_by(enrollments.c.enrollment)
    found = list(connection.execute(query).scalars())
    if not found:
        raise PersonUnknown
    return [_asked(connection, record) for record in found]


def exchange_lines(people: Sequence[Asked]) -> Iterator[str]:
    """Give them for people to read, in India's time."""
    for each in people:
        yield f"{each.provisional}  {each.id}"
        for one in each.exchanges:
            status = "" if one.status is None else f"  {one.status}"
            code = f"  {one.code}" if one.code else ""
            begun = _moment(one.begun_at)
            yield f"  {one.number:>3}  {begun}  {one.step:<19}  {one.ending}{status}{code}"
            if one.called_back_at is not None:
                yield f"       {_moment(one.called_back_at)}  callback  {one.callback_code or 'ok'}"
        if not each.exchanges:
            yield "  Nothing was asked of ABDM about this person."


def _names(typed: str) -> Any:
    plain = typed.strip().lower()
    if re.fullmatch(r"[0-9a-f]{32}", plain, re.ASCII):
        return enrollments.c.enrollment == plain
    prefix = record_prefix(typed)
    if prefix is None:
        raise PersonUnknown
    missing = _RECORD_DIGITS - len(prefix)
    return enrollments.c.enrollment.between(prefix + "0" * missing, prefix + "f" * missing)


def _asked(connection: Connection, record: str) -> Asked:
    mine = select(abdm_exchanges).where(abdm_exchanges.c.enrollment == record)
    rows = connection.execute(mine.order_by(abdm_exchanges.c.number))
    return Asked(
        id=record,
        provisional=provisional_number(record),
        exchanges=[_exchange(row) for row in rows],
    )


def _exchange(row: Row[Any]) -> Exchange:
    return Exchange(
        number=row.number,
        kind=row.kind,
        step=row.step,
        version=row.version,
        request_id=row.request_id,
        begun_at=row.begun_at,
        ended_at=row.ended_at,
        ending=row.ending or _OPEN,
        status=row.status,
        code=row.code or "",
        called_back_at=row.called_back_at,
        callback_code=None if row.called_back_at is None else row.callback_code or "",
    )


def _moment(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC).astimezone(INDIA)
    return f"{moment:%d %b %Y %H:%M:%S}"
