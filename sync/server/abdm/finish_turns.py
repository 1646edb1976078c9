"""Steps of finishing in the hands of a worker: taken by lease, done once, their secrets sealed.

What ABDM gave for the steps to come (a transaction, a token) lies sealed to the vault, so that the
front door and a copy of the database cannot use it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, Row, or_, select, update

from sync import wire
from sync.errors import EnvelopeInvalid
from sync.protocol import DeviceState, FinishAction
from sync.sealing import OpeningKey, open_finish_value
from sync.server.abdm.calls import Ending
from sync.server.abdm.exchanges import Exchanges, end_exchange
from sync.server.abdm.jobs import ClaimLost, JobKind
from sync.server.abdm.outcomes import lock_person
from sync.server.finishes import (
    Finish,
    end_step,
    is_stale,
    keep_finish,
    open_step,
    read_finish,
)
from sync.server.store import Store
from sync.server.store.tables import devices, enrollments, finish_steps, finishes

__all__ = [
    "FinishTurn",
    "StepClaim",
    "StepLost",
    "claim_steps",
    "forget_secrets",
    "open_secret",
    "read_value",
    "seal_secret",
]

_INFO: Final = b"enrollkit/finish-secret/v1"
_ACTIONS: Final = frozenset(action.value for action in FinishAction)
_SECRET_MS: Final = 3_600_000
"""Nothing that ABDM gave for a step to come lives longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepClaim:
    """A step that one worker has to itself until the lease ends, which each request renews."""

    enrollment: str
    number: int
    device: str
    nonce: bytes
    action: FinishAction
    asked_at: int
    until: int
    lease_ms: int
    sealed: bytes | None = field(default=None, repr=False)


class StepLost(ClaimLost):
    """Another worker has the step now, or it was given up: nothing more is done or written."""


def claim_steps(store: Store, *, now: int, limit: int, lease_ms: int) -> list[StepClaim]:
    """Take steps that nobody has in hand, oldest first; those that came too long ago are ended.

    So are those of laptops that were revoked meanwhile, and those that another release wrote down
    and this one does not know. ``now`` in milliseconds. A person waits for each: look often.
    """
    free = (finish_steps.c.done_at.is_(None), finish_steps.c.claimed_until <= now)
    query = select(finish_steps).where(*free).order_by(finish_steps.c.asked_at).limit(limit)
    with store.read() as connection:
        if connection.execute(query.limit(1)).first() is None:
            return []
    taken: list[StepClaim] = []
    with store.write() as connection:
        for row in connection.execute(query.with_for_update(skip_locked=True)).all():
            if is_stale(row, now=now) or row.action not in _ACTIONS:
                _give_up(connection, row, now)
                continue
            if not _is_served(connection, row.device):
                end_step(connection, row.enrollment, row.number, now=now)
                continue
            mine = (
                finish_steps.c.enrollment == row.enrollment,
                finish_steps.c.number == row.number,
            )
            kept = {"claimed_until": now + lease_ms}
            connection.execute(update(finish_steps).where(*mine).values(kept))
            taken.append(_claim(row, now + lease_ms, lease_ms))
    return taken


def forget_secrets(store: Store, *, now: int) -> int:
    """Delete what ABDM gave for steps that nobody asked for in time; give how many that were."""
    old = (
        finishes.c.secret.is_not(None),
        or_(finishes.c.changed_at < now - _SECRET_MS, finishes.c.stage == "done"),
    )
    with store.write() as connection:
        gone = update(finishes).where(*old).values(secret=None).returning(finishes.c.enrollment)
        return len(connection.execute(gone).all())


def seal_secret(secret: Mapping[str, str], record: str, vault: OpeningKey) -> bytes:
    """Seal what the next steps need, for this person alone."""
    return vault.public.seal(wire.encode(dict(secret)), _INFO + bytes.fromhex(record))


def open_secret(finish: Finish, record: str, vault: OpeningKey) -> dict[str, str]:
    """Open what the steps before left; empty when there is nothing, or nothing of use."""
    if finish.secret is None:
        return {}
    try:
        found = wire.decode(vault.open(finish.secret, _INFO + bytes.fromhex(record)))
    except EnvelopeInvalid:
        return {}  # of a vault that is no more: the steps begin anew
    return found if isinstance(found, dict) else {}


def read_value(claim: StepClaim, vault: OpeningKey) -> str | None:
    """Open what was typed; ``None`` when it was not sealed for this step."""
    try:
        return open_finish_value(
            claim.sealed or b"",
            vault,
            device=claim.device,
            subject=claim.enrollment,
            action=claim.action,
            nonce=claim.nonce,
        )
    except EnvelopeInvalid:
        return None


class FinishTurn:
    """One go at one step. ``clock`` gives milliseconds since 1970 UTC."""

    def __init__(self, store: Store, claim: StepClaim, clock: Callable[[], int]) -> None:
        self.store = store
        self.claim = claim
        self.clock = clock
        self._until = claim.until

    @property
    def record(self) -> str:
        """Whom the step is about."""
        return self.claim.enrollment

    def exchanges(
        self,
        version: int,
        *,
        may_leave: Callable[[Row[Any]], bool],
        note: Callable[[Connection], None] | None = None,
    ) -> Exchanges:
        """Give where requests are written down; none leaves after the lease, or where
        ``may_leave`` says no to the person's row. ``note`` runs in the first one's transaction.
        """
        waiting = [note] if note else []

        def guard(connection: Connection) -> None:
            self._renew(connection)
            if not _is_served(connection, self.claim.device):
                raise ClaimLost(self.record)
            mine = select(enrollments).where(enrollments.c.enrollment == self.record)
            if not may_leave(connection.execute(mine).one()):
                raise ClaimLost(self.record)
            while waiting:
                waiting.pop()(connection)

        return self._exchanges(version, guard)

    def free_exchanges(self, version: int) -> Exchanges:
        """Give where requests are written down that nobody waits for: the step is done.

        None leaves about somebody who withdrew.
        """

        def guard(connection: Connection) -> None:
            if lock_person(connection, self.record).state == "WITHDRAWN":
                raise ClaimLost(self.record)

        return self._exchanges(version, guard)

    def end_alone(self, ending: Ending) -> None:
        """Write down how a request ended from which nothing follows, such as the try before."""
        with self.store.write() as connection:
            end_exchange(connection, self.record, ending, now=self.clock())

    def close(
        self,
        change: Callable[[Finish], Finish],
        *,
        ending: Ending | None = None,
        also: Callable[[Connection], None] | None = None,
    ) -> None:
        """End the step: how the request ended, where that leaves the person, and what else."""
        with self.store.write() as connection:
            self.end(connection, change, ending=ending)
            if also is not None:
                also(connection)

    def end(
        self,
        connection: Connection,
        change: Callable[[Finish], Finish],
        *,
        ending: Ending | None = None,
    ) -> None:
        """End the step, in a transaction of the caller's."""
        self.keep(connection, change, ending=ending)
        end_step(connection, self.record, self.claim.number, now=self.clock())

    def keep(
        self,
        connection: Connection,
        change: Callable[[Finish], Finish],
        *,
        ending: Ending | None = None,
    ) -> None:
        """Write down where the person stands; of who withdrew no secret stays. A step that another
        worker ended changes nothing.
        """
        person = lock_person(connection, self.record)
        now = self.clock()
        if ending is not None:
            end_exchange(connection, self.record, ending, now=now)
        step = open_step(connection, self.record)
        if step is not None and step.number == self.claim.number:
            finish = change(read_finish(connection, self.record))
            if person.state == "WITHDRAWN":
                finish = replace(finish, secret=None)
            keep_finish(connection, self.record, finish, now=now)

    def _exchanges(self, version: int, guard: Callable[[Connection], None]) -> Exchanges:
        return Exchanges(
            self.store,
            enrollment=self.record,
            kind=JobKind.ENROLL,
            version=version,
            clock=self.clock,
            guard=guard,
        )

    def _renew(self, connection: Connection) -> None:
        """Renew the lease; ``StepLost`` if it ended."""
        now = self.clock()
        mine = (
            finish_steps.c.enrollment == self.record,
            finish_steps.c.number == self.claim.number,
            finish_steps.c.done_at.is_(None),
            finish_steps.c.claimed_until == self._until,
            finish_steps.c.claimed_until > now,
        )
        until = now + self.claim.lease_ms
        renewed = update(finish_steps).where(*mine).values(claimed_until=until)
        if connection.execute(renewed.returning(finish_steps.c.number)).first() is None:
            raise StepLost(self.record)
        self._until = until


def _is_served(connection: Connection, device: str) -> bool:
    """Whether a laptop is still one of the programme's."""
    state = connection.execute(select(devices.c.state).where(devices.c.device == device))
    return bool(state.scalar_one_or_none() == DeviceState.APPROVED.value)


def _give_up(connection: Connection, row: Row[Any], now: int) -> None:
    end_step(connection, row.enrollment, row.number, now=now)
    finish = replace(read_finish(connection, row.enrollment), code="finish:wait", pointer="")
    keep_finish(connection, row.enrollment, finish, now=now)


def _claim(row: Row[Any], until: int, lease_ms: int) -> StepClaim:
    return StepClaim(
        enrollment=row.enrollment,
        number=row.number,
        device=row.device,
        nonce=bytes(row.nonce),
        action=FinishAction(row.action),
        asked_at=row.asked_at,
        until=until,
        lease_ms=lease_ms,
        sealed=None if row.sealed is None else bytes(row.sealed),
    )
