"""What adding and removing do to the record links of a person: an observed-remove set.

A link is known by the operation that added it. Taking one away takes away that one only: a link
that another laptop added with the same reference, unseen by who removed, comes forward.
"""

from __future__ import annotations

import json
from typing import Any, Final

from sqlalchemy import Connection, Row, or_, select, update

from sync.server.arrival import Arrival, Decision
from sync.server.judging import ACCEPTED, DUPLICATE, NOT_YOURS, held
from sync.server.store import insert_once
from sync.server.store.tables import enrollments, links
from sync.server.versions import is_known_to

__all__ = ["add", "remove"]

_DIFFERS: Final = "link:differs"

_ACCEPTED_STATE: Final = "ACCEPTED"
_REMOVED_STATE: Final = "REMOVED"
_SHADOWED_STATE: Final = "SHADOWED"
"""Says the same as a link that came before it, and stands in only when that is taken away."""


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
    there = select(links).where(
        links.c.enrollment == body["enrollment"],
        or_(
            links.c.link == operation.record,
            (links.c.facility == body["facility"])
            & (links.c.reference == body["reference"])
            & links.c.state.not_in((_REMOVED_STATE, _SHADOWED_STATE)),
        ),
    )
    found = {one.link: one for one in connection.execute(there)}
    same = found.get(operation.record)
    if same is not None:
        return Decision(verdict=DUPLICATE if same.body == text else held(_DIFFERS))
    (other,) = found.values()
    if other.body != text:
        return Decision(verdict=held(_DIFFERS), waits_for=other.link)
    insert_once(connection, links, {**row, "state": _SHADOWED_STATE})
    return Decision(verdict=DUPLICATE)


def remove(connection: Connection, arrival: Arrival) -> Decision:
    """Take a link away; it stays on record as removed, and its reference becomes free.

    Only the laptop that added it can, or one that holds the person.
    """
    operation = arrival.operation
    mine = (
        links.c.enrollment == operation.body["enrollment"],
        links.c.link == operation.record,
    )
    there = connection.execute(select(links).where(*mine).with_for_update()).one_or_none()
    if there is None:
        return Decision(verdict=held("link:unknown"), waits_for=operation.record)
    if there.device != arrival.device and not is_known_to(
        connection, arrival.device, there.enrollment
    ):
        waits_for = None if arrival.in_order else operation.record
        return Decision(verdict=held(NOT_YOURS), waits_for=waits_for)
    if there.state == _REMOVED_STATE:
        return Decision(verdict=DUPLICATE)
    connection.execute(update(links).where(*mine).values(state=_REMOVED_STATE))
    if there.state != _SHADOWED_STATE:
        _bring_forward(connection, there)
    return Decision(verdict=ACCEPTED)


def _bring_forward(connection: Connection, removed: Row[Any]) -> None:
    """Let the first link that stood behind a removed one take its place."""
    behind = (
        select(links.c.link)
        .where(
            links.c.enrollment == removed.enrollment,
            links.c.facility == removed.facility,
            links.c.reference == removed.reference,
            links.c.state == _SHADOWED_STATE,
        )
        .order_by(links.c.received_at, links.c.link)
        .limit(1)
    )
    link = connection.execute(behind).scalar_one_or_none()
    mine = (links.c.enrollment == removed.enrollment, links.c.link == link)
    connection.execute(update(links).where(*mine).values(state=_ACCEPTED_STATE))
