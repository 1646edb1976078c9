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

_ROAD_SECONDS: Final = 7
"""How long a hello may be under way on a slow link, where only one end's word is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What both clocks said just before operation ``seq`` + 1: seconds since the boot, and claimed
    seconds since 1970 UTC. ``offset`` is the server's time minus ``wall``, if it was known.
    """

    seq: int
    boot: str
    monotonic: int
    wall: int
    offset: int | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Boot:
    """When a run of the machine began: at the earliest, at the latest, and most likely."""

    earliest: int
    latest: int
    likely: int


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
        self._exact = self._measured(began_at)
        self._boots = [self._boot_at(place) for place in range(len(self._readings))]

    def instant(self, seq: int, captured: int) -> Instant:
        """Give when operation ``seq`` happened, which claims ``captured`` by its own clock."""
        deadline = self._deadline(seq)
        place = bisect_right(self._seqs, seq) - 1
        if place < 0:
            return _between(self._not_before, deadline, captured)
        reading, boot = self._readings[place], self._boots[place]
        elapsed = reading.monotonic + captured - reading.wall
        earliest = min(boot.earliest + elapsed, deadline)
        latest = min(boot.latest + elapsed, deadline)
        return _between(earliest, latest, boot.likely + elapsed, slack=_STEP_SECONDS)

    def _deadline(self, seq: int) -> int:
        """Give when an operation had arrived at the latest: whatever was written after it counts
        too, so that order and deadlines never disagree.
        """
        place = max(bisect_right(self._firsts, seq) - 1, 0)
        return self._deadlines[place] if self._deadlines else self._not_before

    def _measured(self, began_at: Mapping[str, int]) -> dict[str, _Boot]:
        """Give the boots in which the server was heard."""
        told: dict[str, int] = {}
        for reading in self._readings:
            if reading.offset is not None:
                began = reading.wall + reading.offset - reading.monotonic
                told[reading.boot] = max(began, told.get(reading.boot, began))
        found = {}
        for boot in {reading.boot for reading in self._readings} & (began_at.keys() | told.keys()):
            # A hello is late by its way to the server, an answer early by its way back.
            latest = began_at.get(boot, told.get(boot, 0) + _ROAD_SECONDS)
            earliest = min(told.get(boot, latest - _ROAD_SECONDS), latest)
            if latest - earliest > 2 * _ROAD_SECONDS and boot in began_at:
                earliest = latest - _ROAD_SECONDS
            likely = (earliest + latest + 1) // 2
            found[boot] = _Boot(earliest=earliest, latest=latest, likely=likely)
        return found

    def _boot_at(self, place: int) -> _Boot:
        """Give what is known of the boot of one reading."""
        boot = self._readings[place].boot
        if boot in self._exact:
            return self._exact[boot]
        first, last = self._run(place)
        own = self._readings[first : last + 1]
        earliest = self._known_before(first) - own[0].monotonic
        latest = min(
            self._known_after(last) - own[-1].monotonic,
            *(self._deadline(reading.seq) - reading.monotonic for reading in own),
        )
        earliest = min(earliest, latest)
        # The last word of a clock counts: whoever sets one in the middle of a day sets it right.
        claims = [reading.wall - reading.monotonic for reading in own]
        possible = [claim for claim in claims if earliest <= claim <= latest]
        likely = possible[-1] if possible else max(earliest, min(claims[-1], latest))
        return _Boot(earliest=earliest, latest=latest, likely=likely)

    def _run(self, place: int) -> tuple[int, int]:
        """Give the first and last reading of the boot around one of its readings."""
        boot, first, last = self._readings[place].boot, place, place
        while first and self._readings[first - 1].boot == boot:
            first -= 1
        while last + 1 < len(self._readings) and self._readings[last + 1].boot == boot:
            last += 1
        return first, last

    def _known_before(self, place: int) -> int:
        for reading in reversed(self._readings[:place]):
            if reading.boot in self._exact:
                known = self._exact[reading.boot].earliest + reading.monotonic
                return max(known, self._not_before)
        return self._not_before

    def _known_after(self, place: int) -> int:
        for reading in self._readings[place + 1 :]:
            if reading.boot in self._exact:
                return self._exact[reading.boot].latest + reading.monotonic
        return self._deadline(self._readings[place].seq)


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
