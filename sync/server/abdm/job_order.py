"""Which jobs are free to be taken, and whose turn it is: each district's, oldest first."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, func, or_, select, tuple_

from sync.server.abdm.waits import CLOCKS_APART_MS, REFUSAL_SECONDS_MAX, SLACK_MS
from sync.server.store.tables import abdm_jobs

__all__ = ["DUE", "in_turn", "is_due", "is_wanted"]

DUE: Final = "due"


def in_turn(free: ColumnElement[bool], limit: int, after: int) -> Any:
    """Select the keys of free jobs: every district's oldest, then every district's second."""
    place = func.row_number().over(
        partition_by=abdm_jobs.c.district,
        order_by=(abdm_jobs.c.due_at, abdm_jobs.c.created_at, abdm_jobs.c.enrollment),
    )
    columns = (abdm_jobs.c.enrollment, abdm_jobs.c.kind, abdm_jobs.c.district)
    ranked = select(*columns, place.label("place")).where(free).subquery()
    turn = case((ranked.c.district > after, 0), else_=1)
    order = (ranked.c.place, turn, ranked.c.district)
    return select(ranked.c.enrollment, ranked.c.kind).order_by(*order).limit(limit)


def is_due(now: int, lease_ms: int) -> ColumnElement[bool]:
    """Tell which are due and nobody's. A moment further ahead than any wait or lease is long was
    written before the clock was set back: it counts as past.
    """
    farthest = now + REFUSAL_SECONDS_MAX * 1000 + SLACK_MS
    due_at, until = abdm_jobs.c.due_at, abdm_jobs.c.claimed_until
    return and_(
        abdm_jobs.c.state == DUE,
        or_(due_at <= now, due_at > farthest),
        or_(until <= now, until > now + lease_ms + CLOCKS_APART_MS),
    )


def is_wanted(kinds: Iterable[str], besides: Collection[tuple[str, str]]) -> ColumnElement[bool]:
    """Tell which are of these kinds, and not among those that are left out."""
    kind = abdm_jobs.c.kind.in_(list(kinds))
    if not besides:
        return kind
    return and_(kind, tuple_(abdm_jobs.c.enrollment, abdm_jobs.c.kind).not_in(list(besides)))
