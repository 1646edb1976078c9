"""How long is waited before something is tried again, and what a clock that was set back undoes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

__all__ = [
    "ATTEMPTS_MANY",
    "CLOCKS_APART_MS",
    "OUTAGE_SECONDS_MAX",
    "REFUSAL_SECONDS_MAX",
    "SLACK_MS",
    "back_off",
]

OUTAGE_SECONDS_MAX: Final = 15 * 60
"""An outage ends some time, and people wait for it."""
REFUSAL_SECONDS_MAX: Final = 86_400
"""What is refused again and again is looked at once a day; nothing waits longer than that."""
ATTEMPTS_MANY: Final = 20
"""After so many in vain somebody at the office should look why."""
SLACK_MS: Final = 3_600_000
"""Whatever is due so much later than anything can be was written before the clock was set back."""
CLOCKS_APART_MS: Final = 600_000
"""So far apart may the clocks of two workers be before one takes the other's lease for ended."""

_SECONDS_MIN: Final = 5
_DOUBLINGS_MAX: Final = 15


def back_off(
    attempts: int,
    dice: Callable[[], float] = random.random,
    *,
    seconds_max: float = OUTAGE_SECONDS_MAX,
) -> float:
    """Give how many seconds to wait after so many attempts: from 5 s on, never all at once."""
    longest = _SECONDS_MIN * 2.0 ** min(attempts, _DOUBLINGS_MAX)
    wait = min(longest, seconds_max) * (0.5 + dice() / 2)
    return max(wait, _SECONDS_MIN * (1 + dice() / 2))
