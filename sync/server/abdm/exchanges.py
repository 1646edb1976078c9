"""Every request to ABDM on disk before it leaves, and its ending with what follows from it.

That is how nothing is asked for twice without need and nothing that ABDM said is lost: a crash
leaves a request without an ending, which says that it may have been done. Nothing here is ever
written over; ABDM answers a second request with other words than the first, which hides the cause.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from sync.server.abdm.calls import Begun, Ending, EndKind, Step
from sync.server.abdm.jobs import JobKind
from sync.server.store import Store
from sync.server.store.tables import abdm_exchanges, enrollments

__all__ = ["Exchanges", "Guard", "end_exchange", "find_exchange", "note_callback", "was_left_open"]

Guard = Callable[[Connection], None]
"""Looks, in the transaction that writes a request down, whether it may leave; raises if not."""

_TEXT_MAX: Final = 16_000
_CODE_MAX: Final = 60


class Exchanges:
    """What is said to ABDM about one person. ``clock`` gives milliseconds since 1970 UTC.

    ``begin`` is what the client's methods take. ``guard`` may keep a request from leaving; it runs
    with the person's row locked.
    """

    def __init__(
        self,
        store: Store,
        *,
        enrollment: str,
        kind: JobKind,
        version: int,
        clock: Callable[[], int],
        guard: Guard | None = None,
    ) -> None:
        self._store = store
        self._enrollment = enrollment
        self._kind = kind
        self._version = version
        self._clock = clock
        self._guard = guard

    def begin(self, begun: Begun) -> None:
        """Commit a request that is about to leave. What the guard raises keeps it here."""
        mine = abdm_exchanges.c.enrollment == self._enrollment
        with self._store.write() as connection:
            # PostgreSQL: two that begin at once must not take the same number.
            locked = select(enrollments.c.state).where(enrollments.c.enrollment == self._enrollment)
            connection.execute(locked.with_for_update()).one()
            if self._guard is not None:
                self._guard(connection)
            newest = select(func.coalesce(func.max(abdm_exchanges.c.number), 0)).where(mine)
            connection.execute(
                insert(abdm_exchanges).values(
                    enrollment=self._enrollment,
                    number=connection.execute(newest).scalar_one() + 1,
                    kind=self._kind.value,
                    version=self._version,
                    step=begun.step.value,
                    request_id=begun.request_id,
                    begun_at=self._clock(),
                    request=_text(begun.request),
                )
            )

    def end(self, connection: Connection, ending: Ending) -> bool:
        """Write down how a request ended, once, with what follows from it; tell if it was new."""
        return end_exchange(connection, self._enrollment, ending, now=self._clock())

    def end_alone(self, ending: Ending) -> bool:
        """Write down how a request ended from which nothing follows, such as the try before."""
        with self._store.write() as connection:
            return self.end(connection, ending)


def end_exchange(connection: Connection, enrollment: str, ending: Ending, *, now: int) -> bool:
    """Write down how a request of a person's ended, once and never again; tell if it was new."""
    open_one = (
        abdm_exchanges.c.enrollment == enrollment,
        abdm_exchanges.c.request_id == ending.request_id,
        abdm_exchanges.c.ended_at.is_(None),
    )
    values = {
        "ended_at": now,
        "ending": ending.kind.value,
        "status": ending.status,
        "code": ending.code[:_CODE_MAX],
        "response": _text(ending.response),
    }
    ended = update(abdm_exchanges).where(*open_one).values(values)
    return connection.execute(ended.returning(abdm_exchanges.c.number)).first() is not None


def was_left_open(
    connection: Connection, enrollment: str, steps: Collection[Step], *, besides: str
) -> bool:
    """Whether an earlier request of these steps may have been done without our knowing.

    It has no ending, or an unknown one. ``besides`` is the id of the request that is being judged.
    """
    query = select(abdm_exchanges.c.number).where(
        abdm_exchanges.c.enrollment == enrollment,
        abdm_exchanges.c.step.in_([step.value for step in steps]),
        abdm_exchanges.c.request_id != besides,
        or_(
            abdm_exchanges.c.ended_at.is_(None),
            abdm_exchanges.c.ending == EndKind.UNKNOWN.value,
        ),
    )
    return connection.execute(query.limit(1)).first() is not None


def find_exchange(connection: Connection, request_id: str) -> Row[Any] | None:
    """Give the request of that id, for an answer that comes by another road."""
    query = select(abdm_exchanges).where(abdm_exchanges.c.request_id == request_id)
    return connection.execute(query).one_or_none()


def note_callback(
    connection: Connection, request_id: str, body: Mapping[str, Any], *, code: str, now: int
) -> bool:
    """Write down what ABDM answered by another road (redacted), once; tell if it was new."""
    open_one = (
        abdm_exchanges.c.request_id == request_id,
        abdm_exchanges.c.called_back_at.is_(None),
    )
    values = {"called_back_at": now, "callback": _text(body), "callback_code": code[:_CODE_MAX]}
    noted = update(abdm_exchanges).where(*open_one).values(values)
    return connection.execute(noted.returning(abdm_exchanges.c.number)).first() is not None


def _text(value: Mapping[str, Any]) -> str:
    """Write it in ASCII: JSON's escapes hold what no database takes, such as half a character."""
    text = json.dumps(dict(value), sort_keys=True, default=str)
    return text if len(text) <= _TEXT_MAX else json.dumps({"withheld": f"<{len(text)} letters>"})
