"""Clock and randomness of the real machine: the one place where the kit asks for them."""

from __future__ import annotations

import hashlib
import secrets
import time
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Final

from enrollkit.app.roads import road_to

__all__ = ["INDIA", "System", "local_time"]

INDIA: Final = timezone(timedelta(hours=5, minutes=30), "IST")
"""All camps are in one time zone, whatever the laptop's settings say."""

_SINCE_BOOT: Final[int | None] = getattr(
    time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None)
)
"""A clock that counts on while the laptop sleeps: on Linux the first, on macOS the second."""


class System:
    """The machine as the kit sees it; tests hand in another with the same methods.

    It fulfils ``sync.ports.Clock``, ``Sleeper`` and ``Randomness``.
    """

    def now(self) -> int:
        """Give claimed wall time in seconds since 1970 UTC."""
        return int(time.time())

    def monotonic(self) -> float:
        """Give seconds that never run backwards, those in which the lid was shut included."""
        return time.monotonic() if _SINCE_BOOT is None else time.clock_gettime(_SINCE_BOOT)

    def boot(self) -> bytes:
        """Name this run of the machine (8 bytes), or of this program where the system has no name.

        Linux names each run; elsewhere every start of the program counts as a run of its own,
        which measures the clock once more and is never wrong.
        """
        return _boot()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def road(self, host: str) -> str:
        """Name the way by which a host would be reached, without a packet; empty for none."""
        return road_to(host)

    def token(self, size: int) -> bytes:
        """Give ``size`` unpredictable bytes."""
        return secrets.token_bytes(size)


@cache
def _boot() -> bytes:
    try:
        name = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        name = secrets.token_bytes(16)
    return hashlib.sha256(b"enrollkit/boot" + name.strip()).digest()[:8]


def local_time(seconds: int) -> datetime:
    """Give an instant as India's wall clock shows it."""
    return datetime.fromtimestamp(seconds, tz=UTC).astimezone(INDIA)
