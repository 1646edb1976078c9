"""What the ABDM worker asks for no more because ABDM refuses the office's own configuration.

Not every cause lies in the settings: so one job is tried every quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sync.server.abdm.jobs import Advance, Claim, Fate, JobKind
from sync.server.abdm.standing import clear_halts, note_halt
from sync.server.errors import DatabaseBusy
from sync.server.logs import Log
from sync.server.store import Store

__all__ = ["Halts"]

_PROBE_MS: Final = 900_000
_ONCE: Final = "once"
"""Owns what workers leave behind that do what is due and end: the next one begins anew."""


@dataclass(slots=True)
class _Halt:
    """Why and since when (``clock``), when one job is tried next (``ticks``) and which that is."""

    code: str
    since: int
    probe: int
    probing: str = ""


class Halts:
    """The kinds of jobs that one worker has halted, in its memory and for ``status`` to read.

    ``clock`` gives milliseconds since 1970 UTC, ``ticks`` those of a clock that is never set back.
    """

    def __init__(
        self,
        store: Store,
        worker: str,
        *,
        log: Log,
        clock: Callable[[], int],
        ticks: Callable[[], int],
    ) -> None:
        self._store = store
        self._worker = self._owner = worker
        self._log = log
        self._clock = clock
        self._ticks = ticks
        self._halts: dict[JobKind, _Halt] = {}

    @property
    def codes(self) -> dict[JobKind, str]:
        """What halts each kind that is halted."""
        return {kind: halt.code for kind, halt in self._halts.items()}

    def begin(self, *, once: bool) -> None:
        """Forget what this worker, or one that did what was due and ended, left behind."""
        self._owner = _ONCE if once else self._worker
        with self._store.write() as connection:
            for owner in {_ONCE, self._owner}:
                clear_halts(connection, owner, JobKind, now=self._clock())

    def end(self) -> None:
        """Leave nothing behind but what a worker found out that did what was due and ended."""
        if self._owner != _ONCE:
            with self._store.write() as connection:
                clear_halts(connection, self._owner, JobKind, now=self._clock())

    def find_probe(self) -> JobKind | None:
        """Give a kind of which it is time to try one job."""
        now = self._ticks()
        return next((kind for kind, halt in self._halts.items() if now >= halt.probe), None)

    def begin_probe(self, kind: JobKind, enrollment: str) -> None:
        """Remember which job is tried; empty where there was none."""
        halt = self._halts[kind]
        halt.probe, halt.probing = self._ticks() + _PROBE_MS, enrollment

    def note(self, claim: Claim, advance: Advance) -> None:
        """Learn from what became of a job."""
        halt = self._halts.get(claim.kind)
        if halt is None and advance.fate is Fate.HALTED:
            halt = _Halt(code=advance.code, since=self._clock(), probe=self._ticks() + _PROBE_MS)
            self._halts[claim.kind] = halt
            self._log.warning("halted", kind=claim.kind.value, code=advance.code)
            self._write(claim.kind, halt)
        elif halt is not None and halt.probing == claim.enrollment:
            self._take_probe(claim.kind, halt, advance)

    def _take_probe(self, kind: JobKind, halt: _Halt, advance: Advance) -> None:
        """Go on with a kind, where ABDM took a call of it again."""
        halt.probing = ""
        if not advance.asked:
            halt.probe = self._ticks()  # that one told nothing: the next
        elif advance.fate in {Fate.HALTED, Fate.OUTAGE}:
            halt.code = advance.code if advance.fate is Fate.HALTED else halt.code
            self._write(kind, halt)
        else:
            del self._halts[kind]
            self._log.info("resumed", kind=kind.value)
            self._write(kind, None)

    def _write(self, kind: JobKind, halt: _Halt | None) -> None:
        now = self._clock()
        try:
            with self._store.write() as connection:
                clear_halts(connection, self._owner, [kind], now=now)
                if halt is not None:
                    code, since = halt.code, halt.since
                    note_halt(connection, kind, code, worker=self._owner, since=since, now=now)
        except DatabaseBusy:
            self._log.warning("database-busy")
