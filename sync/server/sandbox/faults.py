"""Bad weather on the road to the practice ABDM, out of a seed, or by a script of a test."""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["LEVELS", "Fault", "FaultPlan", "Spoilt"]


class Fault(StrEnum):
    """One way in which a call goes wrong."""

    UNAVAILABLE = "unavailable"
    """503 with a code of ABDM's; nothing was done."""
    BUSY = "busy"
    """429 with Retry-After; nothing was done."""
    HTML = "html"
    """502 with a web page of some proxy; nothing was done."""
    BROKEN = "broken"
    """500 without a reason; nothing was done."""
    DROPPED = "dropped"
    """The connection ends before the request is looked at."""
    LOST_REPLY = "lost-reply"
    """The request is done; the connection ends without a reply."""
    CUT_REPLY = "cut-reply"
    """The request is done; half of the reply comes."""
    SILENT = "silent"
    """The request is done; no reply comes, and the connection stays open."""
    EXPIRED = "expired"
    """Every session has run out: 401 with the gateway's code."""
    EMPTY_401 = "empty-401"
    """The same, with no body at all."""
    ROTATED = "rotated"
    """ABDM has another key from now on: nothing that was encrypted before can be read."""
    SKEWED = "skewed"
    """The time of the request is refused, although it is right: the fault is ABDM's own."""
    SLOW = "slow"
    """The reply takes its time."""
    CALLBACK_LOST = "callback-lost"
    """The answer that comes later (M2) never comes."""
    CALLBACK_TWICE = "callback-twice"
    """It comes twice."""


LEVELS: Final[Mapping[str, float]] = {"none": 0.0, "some": 0.1, "many": 0.35}
"""How large a share of all calls goes wrong."""

_ANYWHERE: Final = (
    Fault.UNAVAILABLE, Fault.BUSY, Fault.HTML, Fault.BROKEN, Fault.DROPPED,
    Fault.LOST_REPLY, Fault.LOST_REPLY, Fault.CUT_REPLY, Fault.SLOW, Fault.SKEWED,
)  # fmt: skip
_BEHIND_A_SESSION: Final = (Fault.EXPIRED, Fault.EMPTY_401)
_ENCRYPTED: Final = frozenset({"enrol", "otp", "verify"})
_CALLED_BACK: Final = frozenset({"link-token", "link"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoilt:
    """What happens to one call: its fault, if any, and how long its reply takes (seconds)."""

    fault: Fault | None = None
    delay: float = 0.0


class FaultPlan:
    """Says of each call what happens to it. The same seed says the same of a route's nth call."""

    def __init__(self, *, level: str = "none", seed: int = 0, latency_ms: int = 0) -> None:
        self._lock = threading.Lock()
        self._script: defaultdict[str, deque[Fault | None]] = defaultdict(deque)
        self._counts: Counter[str] = Counter()
        self.set(level=level, seed=seed, latency_ms=latency_ms)

    def set(self, *, level: str, seed: int, latency_ms: int = 0) -> None:
        """Change the weather from now on; ``KeyError`` for a level that there is not."""
        with self._lock:
            self._share, self._seed, self._latency = LEVELS[level], seed, latency_ms / 1000

    def script(self, route: str, faults: Sequence[str]) -> None:
        """Decide a route's next calls: a fault's name each, or ``none``."""
        decided = [None if name == "none" else Fault(name) for name in faults]
        with self._lock:
            self._script[route].extend(decided)

    def take(self, route: str) -> Spoilt:
        """Decide one call."""
        with self._lock:
            count = self._counts[route]
            self._counts[route] += 1
            waiting = self._script[route]
            fault = waiting.popleft() if waiting else self._drawn(route, count)
            delay = self._latency + (0.5 if fault is Fault.SLOW else 0.0)
            return Spoilt(fault=fault, delay=delay)

    def _drawn(self, route: str, count: int) -> Fault | None:
        dice = random.Random(f"{self._seed}:{route}:{count}")  # noqa: S311 - to be had again
        if dice.random() >= self._share:
            return None
        choices: list[Fault] = [*_ANYWHERE]
        if route != "session":
            choices += _BEHIND_A_SESSION
        if route in _ENCRYPTED:
            choices.append(Fault.ROTATED)
        if route in _CALLED_BACK:
            choices += [Fault.CALLBACK_LOST, Fault.CALLBACK_TWICE]
        return dice.choice(choices)
