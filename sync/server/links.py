"""What adding and removing do to the record links of a person."""

from __future__ import annotations

import json
from typing import Final

from sqlalchemy import Connection, or_, select, update

from sync.server.arrival import Arrival, Decision
from sync.server.judging import ACCEPTED, DUPLICATE, held
from sync.server.store import insert_once
from sync.server.store.tables import enrollments, links

__all__ = ["add", "remove"]

_ACCEPTED_STATE: Final = "ACCEPTED"
_REMOVED_STATE: Final = "REMOVED"


def add(connection: Connection, arrival: Arrival) -> Decision:
    """Link a record, once; a person's reference at one facility is one link."""
    operation, body = arrival.operation, arrival.operation.body
    person = select(enrollments.c.enrollment).where(enrollments.c.enrollment == body["enrollment"])
    if connection.execute(person).one_or_none() is None:
        return Decision(verdict=held("enrollment:unknown"), waits_for=body["enrollment"])
    text = json.dumps(dict(body), ensure_ascii=False, sort_keys=True)
    row = {
        "enrollment": body["enrollment"],
        "link": operation.record,
        "facility": body["facility"],
        "reference": body["reference"],
        "state": _ACCEPTED_STATE,
        "device": arrival.device,
        "received_at": arrival.at,
        "body": text,
    }
    if insert_once(connection, links, row):
        return Decision(verdict=ACCEPTED)
    there = select(links.c.body).where(
        links.c.enrollment == body["enrollment"],
        or_(
            links.c.link == operation.record,
            (links.c.facility == body["facility"]) & (links.c.reference == body["reference"]),
        ),
    )
    same = text in connection.execute(there).scalars().all()
    return Decision(verdict=DUPLICATE if same else held("link:differs"))


def remove(connection: Connection, arrival: Arrival) -> Decision:
    """Take a link away; it stays on record as removed, and its reference becomes free."""
    operation = arrival.operation
    mine = (
        links.c.enrollment == operation.body["enrollment"],
        links.c.link == operation.record,
    )
    state = connection.execute(select(links.c.state).where(*mine)).scalar_one_or_none()
    if state is None:
        return Decision(verdict=held("link:unknown"), waits_for=operation.record)
    if state == _REMOVED_STATE:
        return Decision(verdict=DUPLICATE)
    connection.execute(update(links).where(*mine).values(state=_REMOVED_STATE))
    return Decision(verdict=ACCEPTED)
