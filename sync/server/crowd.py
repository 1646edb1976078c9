"""Who may be in work at the same time, so that strangers never take the places of laptops.

A request is a stranger's while the server waits for its bytes and nothing in it was verified as an
approved laptop's. Strangers have half of the places, and one address half of those. When they are
all taken, whoever has had fair time and sent least goes: that is the one who only holds the door
open. A request that has arrived waits for the server, and holds nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sync.server.errors import HttpFault

__all__ = ["Crowd", "Place"]


@dataclass(slots=True, kw_only=True, eq=False)
class Place:
    """One request in work. ``peer`` is its address; ``since`` is monotonic seconds."""

    peer: str
    since: float
    give_up: Callable[[], None] = field(repr=False)
    received_bytes: int = 0
    is_known: bool = False
    is_waited_for: bool = False

    @property
    def is_strangers(self) -> bool:
        """Whether it holds a place for bytes that may never come."""
        return self.is_waited_for and not self.is_known


class Crowd:
    """Counts the requests in work; all its methods belong to the event loop's thread."""

    def __init__(
        self,
        *,
        places_max: int,
        fair_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the number of places, and how long every stranger may stay whatever happens."""
        self._places_max = places_max
        self._strangers_max = max(1, places_max // 2)
        self._one_peer_max = max(1, self._strangers_max // 2)
        self._fair_seconds = fair_seconds
        self._monotonic = monotonic
        self._places: set[Place] = set()

    def enter(self, peer: str, give_up: Callable[[], None]) -> Place:
        """Take a place for a request of this address; ``HttpFault`` busy when there is none.

        ``give_up`` is called when the place must go to another.
        """
        strangers = [place for place in self._places if place.is_strangers]
        mine = [place for place in strangers if place.peer == peer]
        if len(mine) >= self._one_peer_max:
            self._send_away(mine)
        elif len(strangers) >= self._strangers_max or len(self._places) >= self._places_max:
            self._send_away(strangers)
        place = Place(peer=peer, since=self._monotonic(), give_up=give_up)
        self._places.add(place)
        return place

    def leave(self, place: Place) -> None:
        """Give a place back; again changes nothing."""
        self._places.discard(place)

    def _send_away(self, strangers: list[Place]) -> None:
        """Make room among these; ``HttpFault`` busy while all of them have their fair time."""
        now = self._monotonic()
        stale = [place for place in strangers if now - place.since >= self._fair_seconds]
        if not stale:
            raise HttpFault("busy")
        slowest = min(stale, key=lambda place: place.received_bytes / (now - place.since + 1))
        self._places.discard(slowest)
        slowest.give_up()
