"""When something happened, by a laptop whose clock may be anything; pure.

Order is told by ``seq`` alone. A reading ties the wall clock to seconds that run evenly through one
run of the machine (a *boot*). With one contact in that boot its beginning is known, and so is the
true time of all that happened in it. Without one there are bounds: after what is known to lie
before, and before it arrived. The uncertainty says which of the two it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Arrived", "Instant", "Reading", "Timeline"]

_STEP_SECONDS: Final = 3
"""A laptop tells of its clock again when it moved more than two seconds; and one for rounding."""

_TRIP_SECONDS_MAX: Final = 60
"""Two words on one boot that are farther apart do not speak of the same clock."""

_ROAD_SECONDS: Final = 7
"""How long a hello may be under way on a slow link, where only one end's word is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What both clocks said just before operation ``seq`` + 1: seconds since the boot, and claimed
    seconds since 1970 UTC. ``offset`` is the server's time minus ``wall``, if it was known.
    ``last_wall`` is what the clock claimed at the last operation before the next reading.
    """

    seq: int
    boot: str
    monotonic: int
    wall: int
    offset: int | None = None
    last_wall: int | None = None

    @property
    def last_monotonic(self) -> int:
        """Give the seconds since the boot at the last operation before the next reading."""
        return self.monotonic + max(0, (self.last_wall or self.wall) - self.wall)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """When the batch that begins with operation ``first_seq`` arrived, by the server's clock."""

    first_seq: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """A moment in seconds since 1970 UTC, true to ``within`` seconds on either side."""

    at: int
    within: int


@dataclass(slots=True, kw_only=True)
class _Run:
    """One run of the machine: between which seconds since its boot it was used, what its clock
    claimed of the boot, and when that was: at the earliest, at the latest, and most likely.
    """

    boot: str
    start: int
    end: int
    claims: list[int]
    deadline: int
    """When the boot was at the latest, because what followed it had arrived."""
    is_measured: bool = False
    earliest: int = 0
    latest: int = 0
    likely: int = 0


class Timeline:
    """The time of one life of a laptop.

    ``began_at`` gives, by the server's clock, when each boot began at the latest, from its hellos.
    Nothing happened before ``not_before``.
    """

    def __init__(
        self,
        *,
        readings: Sequence[Reading],
        arrivals: Sequence[Arrived],
        began_at: Mapping[str, int],
        not_before: int,
    ) -> None:
        self._readings = sorted(readings, key=lambda reading: reading.seq)
        self._seqs = [reading.seq for reading in self._readings]
        batches = sorted(arrivals, key=lambda batch: batch.first_seq)
        self._firsts = [batch.first_seq for batch in batches]
        self._deadlines = _least_from_here([batch.at for batch in batches])
        self._not_before = not_before
        self._runs: list[_Run] = []
        self._run_of = [self._join(reading) for reading in self._readings]
        self._measure(began_at)
        self._bound_from_before()
        self._bound_from_after()
        self._estimate()

    def instant(self, seq: int, captured: int) -> Instant:
        """Give when operation ``seq`` happened, which claims ``captured`` by its own clock."""
        deadline = self._deadline(seq)
        place = bisect_right(self._seqs, seq) - 1
        if place < 0:
            return _between(self._not_before, deadline, captured)
        reading, boot = self._readings[place], self._run_of[place]
        elapsed = reading.monotonic + captured - reading.wall
        earliest = boot.earliest + elapsed
        if earliest > deadline and not boot.is_measured:
            earliest = self._not_before  # the clocks contradict themselves: nothing is known
        earliest = min(earliest, deadline)
        latest = min(boot.latest + elapsed, deadline)
        return _between(earliest, latest, boot.likely + elapsed, slack=_STEP_SECONDS)

    def _deadline(self, seq: int) -> int:
        """Give when an operation had arrived at the latest: whatever was written after it counts
        too, so that order and deadlines never disagree.
        """
        place = max(bisect_right(self._firsts, seq) - 1, 0)
        return self._deadlines[place] if self._deadlines else self._not_before

    def _join(self, reading: Reading) -> _Run:
        """Give the run that a reading belongs to: the last one, if the machine still runs."""
        claim = reading.wall - reading.monotonic
        deadline = self._deadline(reading.seq) - reading.monotonic
        if not self._runs or self._runs[-1].boot != reading.boot:
            start = reading.monotonic
            run = _Run(boot=reading.boot, start=start, end=start, claims=[], deadline=deadline)
            self._runs.append(run)
        run = self._runs[-1]
        run.claims.append(claim)
        run.end = max(run.end, reading.last_monotonic)
        run.deadline = min(run.deadline, deadline)
        return run

    def _measure(self, began_at: Mapping[str, int]) -> None:
        """Put right the runs in which the server was heard."""
        told: dict[str, int] = {}
        for reading in self._readings:
            if reading.offset is not None:
                began = reading.wall + reading.offset - reading.monotonic
                told[reading.boot] = max(began, told.get(reading.boot, began))
        for run in self._runs:
            if run.boot not in began_at and run.boot not in told:
                continue
            # A hello is late by its way to the server, an answer early by its way back.
            run.latest = began_at.get(run.boot, told.get(run.boot, 0) + _ROAD_SECONDS)
            earliest = told.get(run.boot, run.latest - _ROAD_SECONDS)
            if not 0 <= run.latest - earliest <= _TRIP_SECONDS_MAX:
                earliest = run.latest - _ROAD_SECONDS
            run.earliest, run.likely = earliest, (earliest + run.latest + 1) // 2
            run.is_measured = True

    def _bound_from_before(self) -> None:
        """Nothing happened before what was written before it."""
        floor = self._not_before
        for run in self._runs:
            if not run.is_measured:
                run.earliest = floor - run.start
            floor = max(floor, run.earliest + run.end)

    def _bound_from_after(self) -> None:
        """Nothing happened after what was written after it, nor after it arrived."""
        ceiling: int | None = None
        for run in reversed(self._runs):
            if not run.is_measured:
                after = run.deadline if ceiling is None else ceiling - run.end
                run.latest = max(min(run.deadline, after), run.earliest)
            ceiling = run.latest + run.start

    def _estimate(self) -> None:
        """Choose for each run the likeliest beginning, so that runs stay in their order.

        The last word of a clock counts: whoever sets one in the middle of a day sets it right.
        """
        ceilings: list[int | None] = []
        ceiling: int | None = None
        for run in reversed(self._runs):
            ceilings.append(ceiling)
            length = run.end - run.start
            below = None if ceiling is None else ceiling - length
            ceiling = run.likely + run.start if run.is_measured else below
        floor = self._not_before
        for run, above in zip(self._runs, reversed(ceilings), strict=True):
            if not run.is_measured:
                possible = [each for each in run.claims if run.earliest <= each <= run.latest]
                highest = run.latest if above is None else min(run.latest, above - run.end)
                likely = min(possible[-1] if possible else run.claims[-1], highest)
                run.likely = max(likely, run.earliest, floor - run.start)
            floor = max(floor, run.likely + run.end)


def _between(earliest: int, latest: int, likely: int, *, slack: int = 0) -> Instant:
    """Give the likeliest instant between two bounds; it is as uncertain as the farther of them."""
    latest = max(earliest, latest)
    at = max(earliest, min(likely, latest))
    return Instant(at=at, within=max(at - earliest, latest - at) + slack)


def _least_from_here(values: Sequence[int]) -> list[int]:
    """Give for each place the least value from there to the end."""
    least = list(values)
    for place in range(len(least) - 2, -1, -1):
        least[place] = min(least[place], least[place + 1])
    return least
