"""Finding the worker's work in what laptops brought, so that intake need not know of ABDM."""

from __future__ import annotations

import json
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select, update

from sync.server.abdm.jobs import DUE, SETTLED, JobKind
from sync.server.abdm.planning import WANTS_CODE
from sync.server.store import Store, insert_once
from sync.server.store.tables import abdm_jobs, enrollment_versions, enrollments, finishes, links

__all__ = ["gather"]

_GATHERED_AT_ONCE: Final = 500
_ATTENDED_MS: Final = 900_000
"""Somebody whose code was asked for so lately may be sitting there."""


def gather(store: Store, *, now: int, has_benefit: bool = False) -> int:
    """Make due what has come since, and give how many jobs that are.

    An enrollment that is accepted and was never asked for, or not in this version; the accepted
    links of a person who has an ABHA number. A settled link job becomes due again when a link of
    its person is ``ACCEPTED``: whoever settles one leaves none in that state. With a benefit,
    those too who are to be called for a code only because there was none.
    """
    total = _take_up_again(store, now) if has_benefit else 0
    while True:
        with store.read() as connection:
            found = [*_enrollments_to_do(connection), *_links_to_do(connection)]
        if not found:
            return total
        with store.write() as connection:
            for kind, row in found:
                _make_due(connection, kind, row, now)
        total += len(found)


def _enrollments_to_do(connection: Connection) -> list[tuple[JobKind, Row[Any]]]:
    is_new = or_(
        abdm_jobs.c.enrollment.is_(None),
        and_(abdm_jobs.c.state == SETTLED, abdm_jobs.c.version < enrollments.c.version),
    )
    return _people_to_do(connection, JobKind.ENROLL, enrollments.c.state == "ACCEPTED", is_new)


def _take_up_again(store: Store, now: int) -> int:
    """Make those due who need a code only for want of a benefit, but whom nobody just attends."""
    mine = (abdm_jobs.c.enrollment == enrollments.c.enrollment) & (
        abdm_jobs.c.kind == JobKind.ENROLL.value
    )
    attended = select(finishes.c.enrollment).where(finishes.c.changed_at > now - _ATTENDED_MS)
    query = (
        select(enrollments.c.enrollment)
        .join(abdm_jobs, mine)
        .where(
            enrollments.c.state == "NEEDS_PERSON",
            enrollments.c.abha_number.is_(None),
            abdm_jobs.c.state == SETTLED,
            abdm_jobs.c.code == WANTS_CODE,
            abdm_jobs.c.version == enrollments.c.version,
            enrollments.c.enrollment.not_in(attended),
        )
    )
    with store.read() as connection:
        if connection.execute(query.limit(1)).first() is None:
            return 0
    with store.write() as connection:
        locked = query.with_for_update(of=enrollments)
        found = list(connection.execute(locked).scalars())
        for enrollment in found:
            person = update(enrollments).where(enrollments.c.enrollment == enrollment)
            connection.execute(person.values(state="ACCEPTED"))
            job = update(abdm_jobs).where(
                abdm_jobs.c.enrollment == enrollment, abdm_jobs.c.kind == JobKind.ENROLL.value
            )
            due = {"state": DUE, "due_at": now, "attempts": 0, "code": "", "changed_at": now}
            connection.execute(job.values(due))
    return len(found)


def _links_to_do(connection: Connection) -> list[tuple[JobKind, Row[Any]]]:
    waiting = select(links.c.enrollment).where(links.c.state == "ACCEPTED")
    can_be = and_(
        enrollments.c.enrollment.in_(waiting),
        enrollments.c.state.in_(("ISSUED", "DUPLICATE")),
        enrollments.c.abha_number.is_not(None),
    )
    is_new = or_(abdm_jobs.c.enrollment.is_(None), abdm_jobs.c.state == SETTLED)
    return _people_to_do(connection, JobKind.LINK, can_be, is_new)


def _people_to_do(
    connection: Connection, kind: JobKind, *conditions: ColumnElement[bool]
) -> list[tuple[JobKind, Row[Any]]]:
    newest = (enrollment_versions.c.enrollment == enrollments.c.enrollment) & (
        enrollment_versions.c.version == enrollments.c.version
    )
    job = (abdm_jobs.c.enrollment == enrollments.c.enrollment) & (abdm_jobs.c.kind == kind.value)
    query: Select[Any] = (
        select(
            enrollments.c.enrollment,
            enrollments.c.version,
            enrollment_versions.c.received_at,
            enrollment_versions.c.body,
        )
        .join(enrollment_versions, newest)
        .outerjoin(abdm_jobs, job)
        .where(*conditions)
        .order_by(enrollment_versions.c.received_at, enrollments.c.enrollment)
        .limit(_GATHERED_AT_ONCE)
    )
    return [(kind, row) for row in connection.execute(query).all()]


def _make_due(connection: Connection, kind: JobKind, found: Row[Any], now: int) -> None:
    values = {
        "version": found.version,
        "state": DUE,
        "due_at": min(now, found.received_at * 1000),
        "attempts": 0,
        "district": json.loads(found.body)["address"]["district"],
        "code": "",
        "pointer": "",
        "changed_at": now,
        "claimed_by": None,
        "claimed_until": 0,
    }
    mine = {"enrollment": found.enrollment, "kind": kind.value}
    if not insert_once(connection, abdm_jobs, {**mine, **values, "created_at": now}):
        settled = [
            abdm_jobs.c.enrollment == found.enrollment,
            abdm_jobs.c.kind == kind.value,
            abdm_jobs.c.state == SETTLED,
        ]
        if kind is JobKind.ENROLL:
            # Another worker may have made it due and settled it since this one looked.
            settled.append(abdm_jobs.c.version < found.version)
        connection.execute(update(abdm_jobs).where(*settled).values(values))
