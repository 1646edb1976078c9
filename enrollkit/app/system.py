"""Clock and randomness of the real machine: the one place where the kit asks for them."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

__all__ = ["INDIA", "System", "local_time"]

INDIA: Final = timezone(timedelta(hours=5, minutes=30), "IST")
"""All camps are in one time zone, whatever the laptop's settings say."""


class System:
    """The machine as the kit sees it; tests hand in another with the same methods.

    It fulfils ``sync.ports.Clock``, ``Sleeper`` and ``Randomness``.
    """

    def now(self) -> int:
        """Give claimed wall time in seconds since 1970 UTC."""
        return int(time.time())

    def monotonic(self) -> float:
        """Give seconds that never run backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def token(self, size: int) -> bytes:
        """Give ``size`` unpredictable bytes."""
        return secrets.token_bytes(size)


def local_time(seconds: int) -> datetime:
    """Give an instant as India's wall clock shows it."""
    return datetime.fromtimestamp(seconds, tz=UTC).astimezone(INDIA)
