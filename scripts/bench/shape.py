"""What a bad bearer does to each packet, as arithmetic: no clock, no socket, one seed.

The same model serves the tunnel and the shaper of :mod:`bench.link`, and is tested without waiting.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final, Literal

__all__ = ["FALLBACK_TIMER_SECONDS", "Channel", "Direction", "Shape", "Traffic"]

Direction = Literal["up", "down"]
"""Up leads from the laptop to the server."""

FALLBACK_TIMER_SECONDS: Final = 1.0
"""What TCP waits before it sends a lost piece again; twice as long each time (RFC 6298)."""
_TIMER_SECONDS_MAX: Final = 50.0
"""TCP says 120; less here, so that no circle of whole minutes is missed for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A bearer. The usual figures are those of a village's 2G."""

    rate: float = 8000.0
    """Bytes a second, each way (64 kbit/s)."""
    delay: float = 0.3
    """Seconds from one end to the other, each way."""
    loss: float = 0.02
    """The share of packets that vanish on the air."""
    queue: int = 64 * 1024
    """Bytes that wait in the router before it drops; 2G has deep ones."""
    up: float = float("inf")
    """Seconds that the bearer carries before it falls silent."""
    silent: float = 0.0
    """Seconds of silence after that; then it carries again, and so on."""
    start: float = 0.0
    """Where in that circle it begins, in seconds."""
    seed: int = 1

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.delay < 0 or not 0 <= self.loss < 1:
            raise ValueError("a bearer needs a rate, a delay, and a loss below 1")
        if self.queue < 1 or self.up <= 0 or self.silent < 0 or self.start < 0:
            raise ValueError("a bearer needs a queue and a time in which it carries")

    def carries(self, at: float) -> bool:
        """Whether it carries ``at`` seconds after its beginning."""
        if not self.silent:
            return True
        return (self.start + at) % (self.up + self.silent) < self.up


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What one direction was given, and what became of it, in bytes and packets."""

    bytes: int = 0
    """Given to the link by the end that sends, resent and lost packets included."""
    packets: int = 0
    lost: int = 0
    """Packets that vanished on the air."""
    silenced: int = 0
    """Packets that a silence swallowed."""
    dropped: int = 0
    """Packets that found the router's queue full."""


@dataclass(slots=True)
class Channel:
    """One direction of a bearer. Same seed, same packets, same times: same fate."""

    shape: Shape
    direction: Direction
    _dice: random.Random = field(init=False, repr=False)
    _free_at: float = field(default=0.0, init=False)
    _bytes: int = field(default=0, init=False)
    _fates: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew: an empty queue, the dice as at first, nothing counted."""
        self._dice = random.Random(f"{self.shape.seed}/{self.direction}")  # noqa: S311 - replays
        self._free_at, self._bytes = 0.0, 0
        self._fates = {"packets": 0, "lost": 0, "silenced": 0, "dropped": 0}

    def carry(self, at: float, size: int) -> float | None:
        """Give when a packet of ``size`` bytes arrives that was sent ``at``; ``None`` if never."""
        self._bytes += size
        self._fates["packets"] += 1
        thrown = self._dice.random()
        shape = self.shape
        sent = max(at, self._free_at) + size / shape.rate
        if (max(at, self._free_at) - at) * shape.rate + size > shape.queue:
            self._fates["dropped"] += 1
            return None
        self._free_at = sent
        if not (shape.carries(at) and shape.carries(sent) and shape.carries(sent + shape.delay)):
            self._fates["silenced"] += 1
            return None
        if thrown < shape.loss:
            self._fates["lost"] += 1
            return None
        return sent + shape.delay

    def insist(self, at: float, size: int) -> float:
        """Give when a piece arrives for sure: a loss costs what TCP's timer would wait.

        For the shaper, under which no packet can be lost. Whoever sends into a silence waits for
        a timer that doubles, and so may sleep through the next good moment: as TCP does.
        """
        timer = FALLBACK_TIMER_SECONDS
        while (arrival := self.carry(at, size)) is None:
            at += timer
            timer = min(2 * timer, _TIMER_SECONDS_MAX)
        return arrival

    def traffic(self) -> Traffic:
        """Give what was counted since the last :meth:`reset`."""
        return Traffic(bytes=self._bytes, **self._fates)
