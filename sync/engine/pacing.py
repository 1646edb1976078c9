"""How fast and how often the engine speaks, so that a bad link is neither flooded nor given up.

Pure: the figures are arguments of a session, never constants of the program; the clock and the
dice are somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Pace", "Pacing", "Patience", "rest_seconds"]

_QUICK_GROWTH = 1.5
_TRAVELLING_SHARE = 0.25
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
    quick_tries: int = 10
    """So many failures in a row by silence, once the server was heard, are followed by short
    rests: a bearer that comes for twenty seconds a minute must be met."""
    quick_seconds_min: float = 1.0
    """The first of those rests; each is half as long again, up to the next."""
    quick_seconds_max: float = 3.0
    push_bytes_min: int = 16 * 1024
    """The least that one request carries: a batch of people. A larger batch goes alone.

    The first request of a session carries twice that: four seconds of 2G."""
    push_bytes_max: int = 512 * 1024
    """The most. Receipts are read after the request is out and must fit the buffers between."""
    push_seconds: float = 15.0
    """How long one request should take: that is how often the screen shows signed people."""
    push_round_trips: int = 8
    """It should last so many round trips at least, because one of them is spent in waiting."""

    def __post_init__(self) -> None:
        if not 0 <= self.rest_seconds_min <= self.rest_seconds_max:
            raise ValueError("rests must be positive, the shortest first")
        if min(self.first_tries_max, self.tries_max) < 1:
            raise ValueError("a session needs at least one try")
        if not 0 <= self.quick_seconds_min <= self.quick_seconds_max:
            raise ValueError("short rests must be positive, the shortest first")
        if not 0 < self.push_bytes_min <= self.push_bytes_max:
            raise ValueError("a request must be able to carry something")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many bytes the next request should carry, learned from those before it.

    Two figures, kept apart, because a long round trip is no reason for small requests.
    """

    push_bytes: int
    goodput: float | None = None
    """Bytes of batches a second while they travel; ``None`` before the first push."""
    round_trip_seconds: float | None = None
    """The least seen: what comes on top is a queue or a lost packet."""

    @classmethod
    def first(cls, pacing: Pacing) -> Pace:
        """Give the pace of a link that nothing is known of: small enough for 2G."""
        return cls(push_bytes=_within(pacing, 2 * pacing.push_bytes_min))

    def answered(self, seconds: float | None) -> Pace:
        """Learn how long a small question took to be answered; ``None`` teaches nothing."""
        if seconds is None or seconds < 0:
            return self
        known = self.round_trip_seconds
        return replace(self, round_trip_seconds=seconds if known is None else min(known, seconds))

    def after(self, pacing: Pacing, *, bytes_sent: int, seconds: float) -> Pace:
        """Learn from a push that went through; half of the old belief stays."""
        if bytes_sent < pacing.push_bytes_min // 2:
            # A small request measures the round trip, not the link.
            return self
        # Never less than a part: a wrong round trip must not make a slow link a fast one.
        travelling = max(seconds - (self.round_trip_seconds or 0.0), seconds * _TRAVELLING_SHARE)
        if travelling <= 0:
            return replace(self, push_bytes=pacing.push_bytes_max)
        seen = bytes_sent / travelling
        goodput = seen if self.goodput is None else (self.goodput + seen) / 2
        wanted = max(pacing.push_seconds, pacing.push_round_trips * (self.round_trip_seconds or 0))
        size = min(goodput * wanted, pacing.push_bytes_max)
        return replace(self, goodput=goodput, push_bytes=_within(pacing, int(size)))

    def halved(self, pacing: Pacing) -> Pace:
        """Give the pace after somebody on the way found a request too large."""
        return replace(self, push_bytes=_within(pacing, self.push_bytes // 2))

    def seconds_for(self, bytes_left: int) -> float | None:
        """Give about how long so many bytes of batches take; ``None`` while nothing is known."""
        if bytes_left <= 0:
            return 0.0
        if self.goodput is None:
            return None
        pushes = -(-bytes_left // self.push_bytes)
        return bytes_left / self.goodput + pushes * (self.round_trip_seconds or 0.0)


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
    pacing: Pacing,
    *,
    attempt: int,
    dice: bytes,
    retry_after_seconds: int | None = None,
    quick: bool = False,
) -> float:
    """Give how long to rest after the ``attempt``-th failure in a row (1, 2, …).

    ``dice`` are random bytes. A server that named a time is not called before it. ``quick`` is for
    silence on a line that carried before: the first ``quick_tries`` rests are then short ones.
    """
    assert attempt >= 1  # noqa: S101 - the first failure is number one
    if quick and attempt <= pacing.quick_tries:
        plain = pacing.quick_seconds_min * _QUICK_GROWTH ** (attempt - 1)
        longest = pacing.quick_seconds_max
    else:
        doublings = attempt - 1 - (pacing.quick_tries if quick else 0)
        # The power stays small: the cap is reached long before it.
        plain = pacing.rest_seconds_min * (1 << min(doublings, 20))
        longest = pacing.rest_seconds_max
    thrown = int.from_bytes(dice, "big") / (1 << 8 * len(dice)) if dice else 0.0
    drawn_out = min(min(plain, longest) * (1 + _JITTER_SHARE * thrown), longest)
    return max(drawn_out, float(retry_after_seconds or 0))


def _within(pacing: Pacing, size: int) -> int:
    return max(pacing.push_bytes_min, min(size, pacing.push_bytes_max))
