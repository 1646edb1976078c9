"""The worker's list of things to do: shared fairly between districts, each done by one at a time.

A job is one person's enrollment, or one person's record links. It is *due* until nothing more is to
be done for the version that it is about, then *settled*; a newer version makes it due again. A
worker keeps a job to itself by a lease; a dead one's jobs are taken over when that has run out.
Moments in the worker's tables are milliseconds since 1970 UTC.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    select,
    tuple_,
    update,
)

from sync.server.abdm.job_order import DUE, in_turn, is_due, is_wanted
from sync.server.abdm.waits import OUTAGE_SECONDS_MAX, REFUSAL_SECONDS_MAX, back_off
from sync.server.store import Store
from sync.server.store.tables import abdm_jobs

__all__ = [
    "DUE",
    "SETTLED",
    "Advance",
    "Claim",
    "ClaimLost",
    "Fate",
    "JobKind",
    "claim_jobs",
    "code_of_job",
    "keep_claim",
    "note_code",
    "postpone",
    "release_claims",
    "settle",
    "wake",
]

SETTLED: Final = "settled"
_MARK: Final = "#"
"""Between a worker's name and the mark of one time that it took jobs."""


class JobKind(StrEnum):
    """What is to be done for a person."""

    ENROLL = "enroll"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job that one worker has to itself until the lease ends, which each request renews.

    ``version`` is what the job was last about; ``attempts`` counts tries that were to be repeated;
    ``code`` says why it stands as it stands. ``holder`` is the worker with a mark of its own for
    each time that it takes jobs, so that it does not take one that it lost for one that it has.
    """

    enrollment: str
    kind: JobKind
    version: int
    attempts: int
    code: str
    district: int
    holder: str
    lease_ms: int


class ClaimLost(Exception):
    """Another worker has the job now, or the person changed: the request must not leave."""


class Fate(StrEnum):
    """What became of a job in one go."""

    SETTLED = "settled"
    """There is nothing more to do for this version."""
    WAITS = "waits"
    """It is due again later, for a reason of its own."""
    OUTAGE = "outage"
    """It is due again later, because ABDM does not work or wants fewer calls."""
    HALTED = "halted"
    """The office's configuration is refused: every other call would be, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """What became of a job, for the worker as a whole: an outage pauses it, a halt stops it.

    ``wait_seconds`` is what ABDM said of how long to wait. Where it was not ``asked`` at all, the
    fate says nothing about it.
    """

    fate: Fate
    code: str = ""
    wait_seconds: int | None = None
    asked: bool = True


def claim_jobs(
    store: Store,
    worker: str,
    now: int,
    limit: int,
    *,
    lease_ms: int,
    kinds: Sequence[JobKind] = tuple(JobKind),
    after: int = -1,
    besides: Collection[tuple[str, JobKind]] = (),
) -> list[Claim]:
    """Take up to ``limit`` due jobs for a worker, one of each district in turn, oldest first.

    ``after`` is the district that was served last: the turn goes on behind it, so that a district
    with many people delays no other by more than one of its own. ``besides`` are jobs that are
    not to be taken, because the worker is still at them after their lease has run out.
    """
    with store.read() as connection:
        left_out = [(enrollment, kind.value) for enrollment, kind in besides]
        these_kinds = is_wanted([kind.value for kind in kinds], left_out)
        free = and_(is_due(now, lease_ms), these_kinds)
        wanted = [tuple(row) for row in connection.execute(in_turn(free, limit, after))]
    if not wanted:
        return []
    holder = f"{worker}{_MARK}{secrets.token_hex(4)}"
    these = tuple_(abdm_jobs.c.enrollment, abdm_jobs.c.kind).in_(wanted)
    with store.write() as connection:
        due = select(abdm_jobs).where(these, is_due(now, lease_ms))
        locked = connection.execute(due.with_for_update(skip_locked=True))
        rows = {(row.enrollment, row.kind): row for row in locked}
        taken = [rows[key] for key in wanted if key in rows]
        for row in taken:
            mine = (abdm_jobs.c.enrollment == row.enrollment, abdm_jobs.c.kind == row.kind)
            kept = {"claimed_by": holder, "claimed_until": now + lease_ms}
            connection.execute(update(abdm_jobs).where(*mine).values(kept))
    return [_claim(row, holder, lease_ms) for row in taken]


def keep_claim(connection: Connection, claim: Claim, *, now: int) -> None:
    """Renew the lease, in the transaction that writes a request down; ``ClaimLost`` if it ended."""
    held = (*_held(claim), abdm_jobs.c.claimed_until > now)
    renewed = update(abdm_jobs).where(*held).values(claimed_until=now + claim.lease_ms)
    if connection.execute(renewed.returning(abdm_jobs.c.enrollment)).first() is None:
        raise ClaimLost(claim.enrollment)


def settle(
    connection: Connection,
    claim: Claim,
    *,
    now: int,
    version: int,
    code: str = "",
    pointer: str = "",
) -> None:
    """Write down that nothing more is to be done for a version, and why it stands as it stands.

    A job that another worker has taken over meanwhile is left to it: it finds nothing to do.
    """
    values = {"state": SETTLED, "version": version, "attempts": 0, "code": code, "pointer": pointer}
    _free(connection, _held(claim), now, values)


def postpone(
    connection: Connection,
    claim: Claim,
    *,
    now: int,
    code: str | None,
    seconds: float | None = None,
    seconds_max: float = OUTAGE_SECONDS_MAX,
    version: int | None = None,
    counts: bool = True,
) -> int:
    """Leave a job for later, and give the moment when it is due again.

    Without ``seconds`` after a back-off that grows to ``seconds_max`` with each attempt that
    ``counts``, and in no case after more than a day; without a ``code`` with the one that it has.
    A job that another worker has taken over meanwhile is left as it is.
    """
    wait = back_off(claim.attempts, seconds_max=seconds_max) if seconds is None else seconds
    due_at = now + int(min(wait, REFUSAL_SECONDS_MAX) * 1000)
    values: dict[str, Any] = {
        "state": DUE,
        "due_at": due_at,
        "version": version or claim.version,
        "attempts": claim.attempts + counts,
    }
    if code is not None:
        values["code"] = code
    _free(connection, _held(claim), now, values)
    return due_at


def note_code(connection: Connection, claim: Claim, code: str) -> None:
    """Write down what is known of a job that is not done; it is read when it is claimed again."""
    connection.execute(update(abdm_jobs).where(*_mine(claim)).values(code=code))


def code_of_job(connection: Connection, enrollment: str, kind: JobKind) -> str:
    """Give what is known of a person's job; empty where there is nothing to say, or no job."""
    mine = (abdm_jobs.c.enrollment == enrollment, abdm_jobs.c.kind == kind.value)
    return connection.execute(select(abdm_jobs.c.code).where(*mine)).scalar_one_or_none() or ""


def release_claims(connection: Connection, worker: str, *, now: int) -> None:
    """Give back what a worker claimed and did not begin: it ends."""
    held = abdm_jobs.c.claimed_by.startswith(worker + _MARK, autoescape=True)
    _free(connection, (held,), now, {})


def wake(connection: Connection, enrollment: str, kind: JobKind, *, now: int) -> None:
    """Let a job that waits for later be due now: what it waits for is here."""
    mine = (abdm_jobs.c.enrollment == enrollment, abdm_jobs.c.kind == kind.value)
    later = (abdm_jobs.c.state == DUE, abdm_jobs.c.due_at > now)
    connection.execute(update(abdm_jobs).where(*mine, *later).values(due_at=now, changed_at=now))


def _claim(row: Row[Any], holder: str, lease_ms: int) -> Claim:
    return Claim(
        enrollment=row.enrollment,
        kind=JobKind(row.kind),
        version=row.version,
        attempts=row.attempts,
        code=row.code,
        district=row.district,
        holder=holder,
        lease_ms=lease_ms,
    )


def _mine(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (abdm_jobs.c.enrollment == claim.enrollment, abdm_jobs.c.kind == claim.kind.value)


def _held(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (*_mine(claim), abdm_jobs.c.claimed_by == claim.holder)


def _free(
    connection: Connection, which: Iterable[ColumnElement[bool]], now: int, values: dict[str, Any]
) -> None:
    freed = {"claimed_by": None, "claimed_until": 0, "changed_at": now}
    connection.execute(update(abdm_jobs).where(*which).values({**values, **freed}))
