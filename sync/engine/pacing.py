"""How fast and how often the engine speaks, so that a bad link is neither flooded nor given up.

Pure: the figures are arguments of a session, never constants of the program; the clock and the
dice are somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Pace", "Pacing", "Patience", "rest_seconds"]

_JITTER_SHARE = 0.5
"""A rest is drawn out by up to half of itself, so that a camp's laptops do not call together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """What one session may spend on a bad link."""

    rest_seconds_min: float = 5.0
    """The first rest after a failure; each further one is twice as long."""
    rest_seconds_max: float = 900.0
    """The longest rest. A server that asks for more ends the session instead."""
    first_tries_max: int = 2
    """Failures in a row before the server was ever heard: then the operator should know."""
    tries_max: int = 8
    """Failures in a row, none of which brought anything forward, once it was heard."""
    push_bytes_min: int = 64 * 1024
    """The least that one request carries: the largest batch must fit."""
    push_bytes_max: int = 512 * 1024
    """The most. Receipts are read after the request is out and must fit the buffers between."""
    push_seconds: float = 20.0
    """How long one request should take: that is how often the screen shows signed people."""

    def __post_init__(self) -> None:
        if not 0 <= self.rest_seconds_min <= self.rest_seconds_max:
            raise ValueError("rests must be positive, the shortest first")
        if min(self.first_tries_max, self.tries_max) < 1:
            raise ValueError("a session needs at least one try")
        if not 0 < self.push_bytes_min <= self.push_bytes_max:
            raise ValueError("a request must be able to carry something")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many bytes the next request should carry, learned from those before it."""

    push_bytes: int

    @classmethod
    def first(cls, pacing: Pacing) -> Pace:
        """Give the pace of a link that nothing is known of: small enough for 2G."""
        return cls(push_bytes=_within(pacing, 2 * pacing.push_bytes_min))

    def after(self, pacing: Pacing, *, bytes_sent: int, seconds: float) -> Pace:
        """Learn from a request that went through; half of the old belief stays."""
        if bytes_sent < pacing.push_bytes_min:
            # A small request measures the round trip, not the link.
            return self
        if seconds <= 0:
            return replace(self, push_bytes=pacing.push_bytes_max)
        ideal = min(bytes_sent / seconds * pacing.push_seconds, pacing.push_bytes_max)
        return replace(self, push_bytes=_within(pacing, int((self.push_bytes + ideal) / 2)))

    def halved(self, pacing: Pacing) -> Pace:
        """Give the pace after somebody on the way found a request too large."""
        return replace(self, push_bytes=_within(pacing, self.push_bytes // 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a road waits; made for 2G, where the usual five seconds are not enough."""

    connect_seconds: float = 30.0
    """For the first connection of a session: a bearer may have to be set up for it."""
    again_seconds: float = 6.0
    """For later ones: a good moment of twenty seconds must not be slept through."""
    deaf_seconds: float = 15.0
    """Without an acknowledgement by the other end's TCP, where ours can be told so."""
    silence_seconds: float = 90.0
    """Without a byte read or written, on a line whose TCP still answers: the server is busy."""
    unaided_seconds: float = 40.0
    """The same where this machine's TCP cannot be told to notice silence."""
    head_seconds_max: float = 180.0
    """From a request's last byte to the end of its answer's head."""
    answer_seconds_max: float = 600.0
    """From the answer's head to its end: a byte now and then is no answer."""
    answer_bytes_max: int = 32 * 1024 * 1024


def rest_seconds(
    pacing: Pacing, *, attempt: int, dice: bytes, retry_after_seconds: int | None = None
) -> float:
    """Give how long to rest after the ``attempt``-th failure in a row (1, 2, …).

    ``dice`` are random bytes. A server that named a time is not called before it.
    """
    assert attempt >= 1  # noqa: S101 - the first failure is number one
    # The power stays small: the cap is reached long before it.
    plain = min(pacing.rest_seconds_min * (1 << min(attempt - 1, 20)), pacing.rest_seconds_max)
    thrown = int.from_bytes(dice, "big") / (1 << 8 * len(dice)) if dice else 0.0
    drawn_out = min(plain * (1 + _JITTER_SHARE * thrown), pacing.rest_seconds_max)
    return max(drawn_out, float(retry_after_seconds or 0))


def _within(pacing: Pacing, size: int) -> int:
    return max(pacing.push_bytes_min, min(size, pacing.push_bytes_max))
