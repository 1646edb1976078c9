"""What the next session will cost and how long it will take, as far as that can be known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from enrollkit.app.desk import Desk
from enrollkit.store.batches import bytes_waiting
from enrollkit.store.carried import carried_files
from enrollkit.store.database import Tx
from enrollkit.store.link_facts import LinkFacts, find_link
from sync.engine.pacing import Pace

__all__ = ["Estimate", "foretell", "link_class"]

_GREETING_BYTES: Final = 3 * 1024
"""Greeting, its answer, a page of news: what a session costs in which nothing waits."""
_GREETING_ROUND_TRIPS: Final = 5
"""Connection, TLS, greeting, news."""
_ROUND_TRIP_SECONDS_MAX: Final = 3.0
"""A bad 2G line takes that long; an answer that took longer met a stall, not the link."""
_CLASSES: Final = ((20_000, "2G"), (200_000, "3G"), (2_000_000, "4G"))
"""Bytes a second up to which people call a link so; beyond it has no name worth telling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What sending now would cost.

    ``bytes`` both ways, about. ``seconds`` is ``None`` and ``link`` empty until a session has
    measured the link; ``link`` is the class that people know, such as ``2G``.
    """

    bytes: int
    seconds: int | None
    link: str


def foretell(desk: Desk) -> Estimate:
    """Add up what waits here, in closed lives and for other laptops; use the last link's pace."""
    size, link = desk.database.read(lambda tx: (_size(tx), find_link(tx)))
    if link is None:
        return Estimate(bytes=size, seconds=None, link="")
    return Estimate(bytes=size, seconds=_seconds(size, link), link=link_class(link.goodput))


def link_class(goodput: float) -> str:
    """Name a link by its bytes a second; empty for one that is faster than anybody asks."""
    return next((name for upto, name in _CLASSES if goodput < upto), "")


def _size(tx: Tx) -> int:
    carried = sum(file.size for file in carried_files(tx, unanswered=True))
    return bytes_waiting(tx) + carried + _GREETING_BYTES


def _seconds(size: int, link: LinkFacts) -> int | None:
    measured = link.round_trip_seconds
    trip = None if measured is None else min(measured, _ROUND_TRIP_SECONDS_MAX)
    pace = Pace(push_bytes=link.push_bytes, goodput=link.goodput, round_trip_seconds=trip)
    seconds = pace.seconds_for(size)
    if seconds is None:
        return None
    return round(seconds + _GREETING_ROUND_TRIPS * (trip or 0.0))
