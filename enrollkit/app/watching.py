"""When ``sync --watch`` runs its next session: a pure decision over what can be seen for free.

Nothing is sent to find out whether there is a network: the laptop's own routes tell. A session is
due when a network comes or changes, when people wait and the last session went through, and on a
timer; after a failure the timer backs off, and a server that named a time is not called before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sync.engine.pacing import Pacing, rest_seconds

__all__ = ["Outcome", "Sight", "Watch", "first_watch", "look", "nap_seconds", "rest_after"]

GATHER_SECONDS: Final = 30.0
"""People who are saved one after the other go out together: each greeting costs bytes."""
GLANCE_SECONDS: Final = 2.0
"""How often the routes and the queue are looked at; neither costs a byte."""
NEWS_SECONDS: Final = 900.0
"""How often the server is asked for news while nothing waits."""
BUSY_SECONDS: Final = 5.0
"""How long another window's session is left alone before looking again."""
RETRY_AFTER_SECONDS_MAX: Final = 24 * 3600.0
"""A server is believed up to here: nobody may put a laptop to sleep for good."""

_SPREAD: Final = 0.25
"""The laptops of a camp came up together and must not go on calling together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is seen at one glance.

    ``seconds`` run evenly. ``road`` names the way to the server, empty while there is none.
    ``waiting`` counts what has no receipt; ``to_midnight`` the seconds left of the day.
    """

    seconds: float
    road: str
    waiting: int
    to_midnight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a session ended, as far as the next one depends on it.

    ``hopeless``: only a person can help, so it is asked seldom. ``limited``: the day's allowance
    is used up. ``busy``: another window was sending. ``retry_after`` is in seconds.
    """

    failed: bool = False
    hopeless: bool = False
    limited: bool = False
    busy: bool = False
    moved: bool = False
    retry_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is remembered between sessions. Times are those of ``Sight.seconds``."""

    wake_at: float
    not_before: float
    road: str
    failures: int = 0
    stuck: int = 0
    """So many waited although the last session moved nothing: they alone wake nobody."""


def first_watch(sight: Sight) -> Watch:
    """Begin with a session at once."""
    return Watch(wake_at=sight.seconds, not_before=sight.seconds, road=sight.road)


def look(watch: Watch, sight: Sight) -> tuple[Watch, bool]:
    """Take one glance; give what to remember of it, and whether a session is due."""
    if sight.road != watch.road:
        # What failed on another network says nothing of this one.
        watch = replace(watch, road=sight.road, failures=0)
        if sight.road:
            watch = replace(watch, wake_at=min(watch.wake_at, sight.seconds))
    watch = replace(watch, stuck=min(watch.stuck, sight.waiting))
    if sight.seconds < watch.not_before:
        return watch, False
    wants = watch.failures == 0 and sight.waiting > watch.stuck
    return watch, sight.seconds >= watch.wake_at or wants


def rest_after(
    watch: Watch, sight: Sight, outcome: Outcome, *, pacing: Pacing, dice: bytes
) -> Watch:
    """Give what to wait for after a session; ``dice`` are random bytes."""
    now = sight.seconds
    share = int.from_bytes(dice, "big") / (1 << 8 * len(dice)) if dice else 0.0
    if outcome.busy:
        again = now + BUSY_SECONDS * (1 + share)
        return replace(watch, wake_at=again, not_before=again)
    if outcome.limited:
        again = now + sight.to_midnight + 60 * share
        return replace(watch, wake_at=again, not_before=again, failures=0)
    if outcome.failed:
        return _after_failure(watch, now, outcome, pacing=pacing, dice=dice)
    return replace(
        watch,
        wake_at=now + NEWS_SECONDS * (1 - _SPREAD * share),
        not_before=now + GATHER_SECONDS,
        failures=0,
        stuck=0 if outcome.moved else sight.waiting,
    )


def nap_seconds(watch: Watch, sight: Sight) -> float:
    """Give how long nothing can happen that needs a look."""
    until = watch.not_before if sight.seconds < watch.not_before else watch.wake_at
    return max(0.1, min(GLANCE_SECONDS, until - sight.seconds))


def _after_failure(
    watch: Watch, now: float, outcome: Outcome, *, pacing: Pacing, dice: bytes
) -> Watch:
    failures = watch.failures + 1
    rest = rest_seconds(pacing, attempt=failures, dice=dice)
    if outcome.hopeless:
        rest = pacing.rest_seconds_max
    asked = min(float(outcome.retry_after or 0), RETRY_AFTER_SECONDS_MAX)
    return replace(
        watch,
        wake_at=now + max(rest, asked),
        # A network that flaps is not called at every flap.
        not_before=now + max(pacing.rest_seconds_min, asked),
        failures=failures,
    )
