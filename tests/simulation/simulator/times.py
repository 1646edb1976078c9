"""Time and dice of the simulated world; nothing here waits, and a seed decides every throw."""

from __future__ import annotations

import random
from dataclasses import dataclass

from enrollkit.app.system import System

__all__ = ["MORNING", "Machine", "TrueTime"]

MORNING = 1_795_000_000


@dataclass(slots=True)
class TrueTime:
    """What a good clock would show, in seconds since 1970 UTC; the server's clock is good."""

    seconds: float = MORNING

    def now(self) -> int:
        """Give the time."""
        return int(self.seconds)

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


class Machine(System):
    """Clock and dice of one laptop: its wall clock may be off and may jump, its boots are named."""

    def __init__(self, true: TrueTime, name: str) -> None:
        self._true = true
        self._dice = random.Random(f"machine {name}")
        self._boots = 0
        self._booted_at = true.seconds
        self.offset = 0
        self.reboot()

    def reboot(self) -> None:
        """Start the machine anew: another boot, its monotonic clock from zero."""
        self._boots += 1
        self._booted_at = self._true.seconds
        self._boot = self._dice.randbytes(8)

    def now(self) -> int:
        """Give what the wall clock claims."""
        return max(0, self._true.now() + self.offset)

    def monotonic(self) -> float:
        """Give seconds since the machine was started."""
        return self._true.seconds - self._booted_at

    def boot(self) -> bytes:
        """Name this run of the machine."""
        return self._boot

    def sleep(self, seconds: float) -> None:
        """Rest: the world's time passes, nobody waits."""
        self._true.pass_by(max(seconds, 0.001))  # less would be lost beside 1.8e9 seconds

    def token(self, size: int) -> bytes:
        """Throw the dice."""
        return self._dice.randbytes(size)
