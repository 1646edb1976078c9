"""What a session did, in figures that are so: people signed for, bytes, requests, seconds.

Only ``enrollment.*`` and ``link.*`` operations are counted; the outbox knows which those are.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sync.engine.pacing import Pace
from sync.errors import SyncError
from sync.ports import Tally

__all__ = ["Account", "Progress", "Stage", "Summary"]

Stage = Literal["connecting", "people", "news", "waiting", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a session stands, for a screen. ``people_signed`` have a verified receipt."""

    phase: Stage
    people_total: int
    people_signed: int
    bytes_up: int
    bytes_down: int
    text: str
    bytes_left: int = 0
    """About how many bytes have still to travel."""
    seconds_left: int | None = None
    """About how long that takes on this link; ``None`` while nothing is known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How a session ended. ``error`` says why it stopped early; what it counted is still so.

    ``sent`` counts operations whose batch was offered, once each; ``accepted`` to ``rejected``
    those that got their first verdict; ``waiting`` those without a verified receipt now; ``feed``
    the news applied. ``rolled_back``: the server had forgotten what it signed for, and was offered
    it again. ``forked``: the server knew another chain of this laptop (a copied or restored disk),
    so a new life was begun. ``limited``: the allowance of bytes ran out first. ``stopped``:
    somebody asked to stop.
    """

    sent: int
    accepted: int
    duplicate: int
    held: int
    rejected: int
    feed: int
    bytes_up: int
    bytes_down: int
    requests: int
    seconds: float
    waiting: int
    rolled_back: bool = False
    forked: bool = False
    limited: bool = False
    stopped: bool = False
    carried: int = 0
    """Files of other laptops that were handed in and need nothing more."""
    carried_waiting: int = 0
    """Files of other laptops that still wait to be handed in."""
    carried_error: SyncError | None = None
    """Why a carried file was not handed in, or is carried no longer; this laptop's own are well."""
    pace: Pace | None = field(default=None, compare=False)
    """What was learned of the link."""
    error: SyncError | None = None

    def counters(self) -> dict[str, Any]:
        """Give the fixed keys of ``enrollkit sync --json``."""
        return {
            "sent": self.sent,
            "accepted": self.accepted,
            "duplicate": self.duplicate,
            "held": self.held,
            "rejected": self.rejected,
            "feed": self.feed,
            "bytes_up": self.bytes_up,
            "bytes_down": self.bytes_down,
            "requests": self.requests,
            "seconds": self.seconds,
            "waiting": self.waiting,
            "rolled_back": self.rolled_back,
            "forked": self.forked,
            "limited": self.limited,
            "stopped": self.stopped,
        }


class Account:
    """Adds up while a session runs."""

    def __init__(self) -> None:
        self._offered: dict[tuple[str, int], int] = {}
        self._settled = Tally()
        self._total = 0
        self._feed = 0

    @property
    def signed(self) -> int:
        """Give how many operations got their first verdict in this session."""
        return self._settled.total

    @property
    def total(self) -> int:
        """Give how many operations this session has to bring to a verdict."""
        return self._total

    def expect(self, waiting: int) -> None:
        """Note how many operations wait now, beside those that are signed for already."""
        self._total = self._settled.total + waiting

    def offered(self, incarnation: str, batch: int, count: int) -> None:
        """Note that a batch with so many operations was offered; again changes nothing."""
        self._offered[incarnation, batch] = count

    def settled(self, tally: Tally) -> None:
        """Add what one receipt settled."""
        self._settled = Tally(
            accepted=self._settled.accepted + tally.accepted,
            duplicate=self._settled.duplicate + tally.duplicate,
            held=self._settled.held + tally.held,
            rejected=self._settled.rejected + tally.rejected,
        )

    def read(self, entries: int) -> None:
        """Add news that were applied."""
        self._feed += entries

    def close(
        self, *, traffic: tuple[int, int, int], seconds: float, waiting: int, **notes: Any
    ) -> Summary:
        """Give the summary; ``notes`` are its last fields, from ``rolled_back`` on."""
        up, down, requests = traffic
        plain = Summary(
            sent=sum(self._offered.values()),
            accepted=self._settled.accepted,
            duplicate=self._settled.duplicate,
            held=self._settled.held,
            rejected=self._settled.rejected,
            feed=self._feed,
            bytes_up=up,
            bytes_down=down,
            requests=requests,
            seconds=round(seconds, 3),
            waiting=waiting,
        )
        return replace(plain, **notes)
