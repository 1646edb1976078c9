"""One go of one worker at one person's job: what may leave, and the ways in which it can end.

Each end is one transaction: how the request ended, what that changes, and what the list says then.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync.server.abdm.calls import Ending, EndKind
from sync.server.abdm.exchanges import Exchanges, end_exchange
from sync.server.abdm.jobs import Advance, Claim, ClaimLost, Fate, keep_claim, postpone, settle
from sync.server.abdm.outcomes import discard_numbers_of, lock_person
from sync.server.abdm.waits import ATTEMPTS_MANY, OUTAGE_SECONDS_MAX, REFUSAL_SECONDS_MAX
from sync.server.store import Store
from sync.server.store.tables import enrollments

__all__ = ["ACCEPTED", "Turn"]

ACCEPTED: Final = "ACCEPTED"
_BUSY: Final = 429
_FIRST_OUTAGE: Final = 500
_SPREAD: Final = 0.2
"""Who is told when to come again comes up to so much later, so that not all come at once."""


class Turn:
    """A job in the hands of a worker. ``clock`` gives milliseconds since 1970 UTC."""

    def __init__(self, store: Store, claim: Claim, clock: Callable[[], int]) -> None:
        self.store = store
        self.claim = claim
        self.clock = clock

    def exchanges(self, version: int, may_leave: Callable[[Row[Any]], bool]) -> Exchanges:
        """Give where requests about a version are written down.

        None leaves after the lease, or where ``may_leave`` says no to the person's row as it is at
        that moment: then ``begin`` raises ``ClaimLost``.
        """

        def guard(connection: Connection) -> None:
            keep_claim(connection, self.claim, now=self.clock())
            mine = select(enrollments).where(enrollments.c.enrollment == self.claim.enrollment)
            if not may_leave(connection.execute(mine).one()):
                raise ClaimLost(self.claim.enrollment)

        return Exchanges(
            self.store,
            enrollment=self.claim.enrollment,
            kind=self.claim.kind,
            version=version,
            clock=self.clock,
            guard=guard,
        )

    def conclude(
        self,
        version: int,
        change: Callable[[Connection], None],
        *,
        code: str,
        pointer: str = "",
        ending: Ending | None = None,
    ) -> Advance:
        """Change the person's state and settle; but what was said of another version than theirs
        now is not about them, nor about somebody who withdrew or has a number meanwhile.
        """
        now = self.clock()
        with self.store.write() as connection:
            self._end(connection, ending)
            person = lock_person(connection, self.claim.enrollment)
            if person.state != ACCEPTED:
                settle(connection, self.claim, now=now, version=person.version)
            elif person.version != version or person.abha_number is not None:
                self._leave(connection, ending=None, code="", version=person.version)
            else:
                change(connection)
                settle(connection, self.claim, now=now, version=version, code=code, pointer=pointer)
        return Advance(fate=Fate.SETTLED, code=code, asked=ending is not None)

    def close(self) -> Advance:
        """Settle what needs nothing more: somebody withdrew, or was finished by another road.

        Whoever is accepted by now was corrected since their turn began: they stay due.
        """
        with self.store.write() as connection:
            person = lock_person(connection, self.claim.enrollment)
            if person.state == ACCEPTED:
                advance = self.leave(connection, version=person.version)
                return replace(advance, asked=False)
            if person.state == "WITHDRAWN" or person.abha_number is not None:
                discard_numbers_of(connection, self.claim.enrollment)
            settle(connection, self.claim, now=self.clock(), version=person.version)
        return Advance(fate=Fate.SETTLED, asked=False)

    def wait(
        self, code: str, *, ending: Ending | None = None, seconds: int | None = None
    ) -> Advance:
        """Leave it for later, after ``seconds`` if ABDM said so; without an ending for a reason
        of its own, that says nothing about ABDM.
        """
        later = None if seconds is None else seconds * (1 + _SPREAD * random.random())  # noqa: S311 - no secret
        with self.store.write() as connection:
            self._end(connection, ending)
            postpone(
                connection,
                self.claim,
                now=self.clock(),
                code=code,
                seconds=later,
                seconds_max=self._seconds_max(ending),
            )
        fate = Fate.WAITS if ending is None else Fate.OUTAGE
        return Advance(fate=fate, code=code, wait_seconds=seconds, asked=ending is not None)

    def halt(self, code: str, ending: Ending) -> Advance:
        """Leave it as it was: not the person is refused but the office's configuration."""
        with self.store.write() as connection:
            self._leave(connection, ending=ending, code=code)
        return Advance(fate=Fate.HALTED, code=code)

    def give_way(self) -> Advance:
        """Leave it: another worker has it, or the person changed before the request left."""
        with self.store.write() as connection:
            self._leave(connection, ending=None, code=None)
        return Advance(fate=Fate.WAITS, asked=False)

    def _seconds_max(self, ending: Ending | None) -> float:
        """Give the longest wait: an outage ends; what is answered so often in one way does not."""
        if ending is None or ending.kind in {EndKind.UNKNOWN, EndKind.UNSENT}:
            return OUTAGE_SECONDS_MAX
        is_outage = (
            ending.status is None or ending.status >= _FIRST_OUTAGE or ending.status == _BUSY
        )
        is_new = self.claim.attempts < ATTEMPTS_MANY
        return OUTAGE_SECONDS_MAX if is_outage or is_new else REFUSAL_SECONDS_MAX

    def leave(self, connection: Connection, *, version: int) -> Advance:
        """Leave it due at once: what ABDM said is not about the person as they are now."""
        self._leave(connection, ending=None, code="", version=version)
        return Advance(fate=Fate.WAITS)

    def _leave(
        self,
        connection: Connection,
        *,
        ending: Ending | None,
        code: str | None,
        version: int | None = None,
    ) -> None:
        """Let it be due at once, with nothing counted against it; no code leaves what is known."""
        self._end(connection, ending)
        postpone(
            connection,
            self.claim,
            now=self.clock(),
            code=code,
            seconds=0,
            version=version,
            counts=False,
        )

    def _end(self, connection: Connection, ending: Ending | None) -> None:
        if ending is not None:
            end_exchange(connection, self.claim.enrollment, ending, now=self.clock())
