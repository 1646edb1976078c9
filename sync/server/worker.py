"""The ABDM worker: takes what is due to ABDM, several at a time, and brings home what it says.

A process of its own, because it alone has the vault's key. It keeps nothing in memory that is not
on disk: it may be killed at any moment, and several may run side by side.
"""

from __future__ import annotations

import queue
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sync.server.abdm.circuit import Circuit
from sync.server.abdm.gathering import gather
from sync.server.abdm.jobs import (
    Advance,
    Claim,
    Fate,
    JobKind,
    claim_jobs,
    postpone,
    release_claims,
)
from sync.server.abdm.waits import REFUSAL_SECONDS_MAX
from sync.server.errors import DatabaseBusy
from sync.server.halts import Halts
from sync.server.logs import Log
from sync.server.store import Store

__all__ = ["Advancer", "Ended", "Worker"]

Advancer: TypeAlias = Callable[[Claim], Advance]
"""Does what can be done now for one job."""

_POLL_SECONDS: Final = 0.5
_GATHER_MS: Final = 2_000
_SWEEP_MS: Final = 60_000
_RELOAD_MS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a worker did: jobs by fate, and what halted it, by kind."""

    fates: Mapping[Fate, int]
    halts: Mapping[JobKind, str]
    is_paused: bool
    is_stale: bool
    """Whether it ended because its configuration changed."""


@dataclass(slots=True)
class _Turns:
    """When things are looked at next (ms), and which district was served last."""

    gather: int = 0
    sweep: int = 0
    reload: int = 0
    claim: int = 0
    district: int = -1
    fates: Counter[Fate] = field(default_factory=Counter)


def _ticks() -> int:
    return time.monotonic_ns() // 1_000_000


class Worker:
    """Runs jobs until it is told to end. ``clock`` gives milliseconds since 1970 UTC, ``ticks``
    those of a clock that is never set back: what is only in memory goes by that one.

    ``is_changed`` says, while something is halted, whether the configuration is another one now.
    ``sweep`` deletes what nobody may keep any longer; it is called every minute. ``has_benefit``:
    those are taken up again who were to be called because there was none.
    """

    def __init__(
        self,
        store: Store,
        advancers: Mapping[JobKind, Advancer],
        *,
        name: str,
        concurrency: int,
        lease_ms: int,
        log: Log,
        clock: Callable[[], int],
        is_changed: Callable[[], bool],
        sweep: Callable[[], object],
        has_benefit: bool = False,
        ticks: Callable[[], int] = _ticks,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._advancers = advancers
        self._name = name
        self._concurrency = concurrency
        self._lease_ms = lease_ms
        self._log = log
        self._clock = clock
        self._ticks = ticks
        self._is_changed = is_changed
        self._sweep = sweep
        self._has_benefit = has_benefit
        self._halts = Halts(store, name, log=log, clock=clock, ticks=ticks)
        self._circuit = Circuit(concurrency, dice)
        self._done: queue.SimpleQueue[tuple[Claim, Advance] | None] = queue.SimpleQueue()
        self._under_way: set[tuple[str, JobKind]] = set()
        self._is_stopping = False
        self._turns = _Turns()

    def stop(self) -> None:
        """End, once the calls in work are done. Safe in a signal handler."""
        self._is_stopping = True
        self._done.put(None)

    def run(self, *, once: bool = False) -> Ended:
        """Work until told to end; with ``once`` until nothing is due now.

        ``DatabaseBusy`` leaves it with ``once``; otherwise it is logged and tried again.
        """
        self._halts.begin(once=once)
        is_stale = False
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="abdm") as pool:
            while not self._is_stopping:
                begun = self._begin_more(pool, once=once)
                if once and not begun and not self._under_way:
                    break
                if is_stale := self._is_configuration_stale():
                    break
                self._collect(wait=_POLL_SECONDS)
            while self._under_way:
                self._collect(wait=_POLL_SECONDS)
        with self._store.write() as connection:
            release_claims(connection, self._name, now=self._clock())
        self._halts.end()
        return Ended(
            fates=dict(self._turns.fates),
            halts=self._halts.codes,
            is_paused=self._circuit.paused_until(self._ticks()) is not None,
            is_stale=is_stale,
        )

    def _begin_more(self, pool: ThreadPoolExecutor, *, once: bool) -> int:
        """Claim as much as there is room for, and give how much that is."""
        try:
            self._look_after()
            claims = self._claims(once=once)
        except DatabaseBusy:
            if once:
                raise
            self._log.warning("database-busy")
            return 0
        for claim in claims:
            self._under_way.add((claim.enrollment, claim.kind))
            pool.submit(self._advance, claim)
        return len(claims)

    def _look_after(self) -> None:
        now, turns = self._ticks(), self._turns
        if now >= turns.sweep:
            self._sweep()
            turns.sweep = now + _SWEEP_MS
        if now >= turns.gather:
            self._gather()
            turns.gather = now + _GATHER_MS

    def _claims(self, *, once: bool) -> Sequence[Claim]:
        now, turns = self._ticks(), self._turns
        room = self._circuit.room(now=now, in_work=len(self._under_way))
        kinds = [kind for kind in self._advancers if kind not in self._halts.codes]
        # Few claims at a time cost as much as many: wait until a quarter is free.
        is_worth = room >= max(1, self._concurrency // 4) or not self._under_way
        if not room or not is_worth or (now < turns.claim and not once):
            return ()
        if probes := self._probe():
            return probes
        claims = self._claim(kinds, room) if kinds else ()
        if once and kinds and not claims and not self._under_way and self._gather():
            claims = self._claim(kinds, room)
        turns.claim = now if len(claims) == room else now + int(_POLL_SECONDS * 1000)
        return claims

    def _gather(self) -> int:
        return gather(self._store, now=self._clock(), has_benefit=self._has_benefit)

    def _probe(self) -> Sequence[Claim]:
        """Claim one job of a kind that is halted, if it is time to try."""
        kind = self._halts.find_probe()
        if kind is None:
            return ()
        claims = self._claim([kind], 1)
        self._halts.begin_probe(kind, claims[0].enrollment if claims else "")
        return claims

    def _claim(self, kinds: Sequence[JobKind], room: int) -> Sequence[Claim]:
        claims = claim_jobs(
            self._store,
            self._name,
            self._clock(),
            room,
            lease_ms=self._lease_ms,
            kinds=kinds,
            after=self._turns.district,
            besides=self._under_way,
        )
        if claims:
            self._turns.district = claims[-1].district
        return claims

    def _advance(self, claim: Claim) -> None:
        """Run one job, in a thread of the pool; nothing it raises is lost."""
        advance = Advance(fate=Fate.WAITS, asked=False)
        try:
            advance = self._advancers[claim.kind](claim)
        except DatabaseBusy:
            self._log.warning("database-busy", record=claim.enrollment)
        except Exception as error:  # noqa: BLE001 - one person's job must not end all others
            self._log.crash(error)
            self._put_off(claim)
        finally:
            self._done.put((claim, advance))

    def _put_off(self, claim: Claim) -> None:
        try:
            with self._store.write() as connection:
                postpone(
                    connection,
                    claim,
                    now=self._clock(),
                    code="worker:fault",
                    seconds_max=REFUSAL_SECONDS_MAX,
                )
        except DatabaseBusy:
            self._log.warning("database-busy", record=claim.enrollment)

    def _collect(self, *, wait: float) -> None:
        """Take what is done; wait for the first of it."""
        try:
            self._note(self._done.get(timeout=wait))
            while True:
                self._note(self._done.get_nowait())
        except queue.Empty:
            return

    def _note(self, done: tuple[Claim, Advance] | None) -> None:
        if done is None:
            return
        claim, advance = done
        now = self._ticks()
        self._under_way.discard((claim.enrollment, claim.kind))
        self._turns.fates[advance.fate] += 1
        self._log.info(
            "job",
            record=claim.enrollment,
            kind=claim.kind.value,
            fate=advance.fate.value,
            code=advance.code,
        )
        if self._circuit.note(advance, now=now):
            until = self._circuit.paused_until(now) or now
            self._log.warning("paused", seconds=(until - now) // 1000, code=advance.code)
        self._halts.note(claim, advance)

    def _is_configuration_stale(self) -> bool:
        now, turns = self._ticks(), self._turns
        if not self._halts.codes or now < turns.reload:
            return False
        turns.reload = now + _RELOAD_MS
        return self._is_changed()
