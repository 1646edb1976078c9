from __future__ import annotations

import pytest

from sync.server.crowd import Crowd, Place
from sync.server.errors import HttpFault


class Fair:
    """A crowd of sixteen places on a clock that stands still until told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.gone: list[str] = []
        self.crowd = Crowd(places_max=16, fair_seconds=10, monotonic=lambda: self.now)

    def enter(self, peer: str, name: str = "", *, is_waited_for: bool = True) -> Place:
        place = self.crowd.enter(peer, lambda: self.gone.append(name or peer))
        place.is_waited_for = is_waited_for
        return place

    def is_full_for(self, peer: str) -> bool:
        try:
            self.enter(peer)
        except HttpFault as fault:
            return fault.code == "busy"
        return False


def test_strangers_get_half_of_the_places_and_no_more() -> None:
    fair = Fair()
    for number in range(8):
        fair.enter(f"peer {number}")
    assert fair.is_full_for("another")
    assert fair.gone == []


def test_one_address_gets_half_of_the_strangers_places_and_leaves_the_rest_to_others() -> None:
    fair = Fair()
    for _ in range(4):
        fair.enter("loud")
    assert fair.is_full_for("loud")
    assert not fair.is_full_for("quiet")


def test_laptops_that_are_known_may_take_every_place() -> None:
    fair = Fair()
    for number in range(16):
        fair.enter(f"laptop {number % 3}").is_known = True
    assert fair.is_full_for("another")


def test_whole_requests_of_one_crowded_address_may_take_every_place() -> None:
    fair = Fair()
    for _ in range(16):
        fair.enter("camp", is_waited_for=False)
    assert fair.is_full_for("camp")
    assert fair.gone == []


def test_a_stranger_that_had_its_time_makes_room_for_the_next() -> None:
    fair = Fair()
    places = [fair.enter("loud", f"{number}") for number in range(4)]
    fair.now = 11
    for number in range(4, 8):
        fair.enter(f"peer {number}")
    for place in places:
        place.received_bytes = 1000
    places[2].received_bytes = 3
    fair.enter("laptop")
    assert fair.gone == ["2"]


def test_who_sends_least_goes_first_and_a_slow_laptop_stays() -> None:
    fair = Fair()
    laptop = fair.enter("camp", "laptop")
    for number in range(7):
        fair.enter(f"stranger {number}")
    fair.now, laptop.received_bytes = 12, 6000
    for number in range(7):
        fair.enter(f"next {number}")
    assert len(fair.gone) == 7
    assert "laptop" not in fair.gone


def test_an_address_that_holds_the_door_loses_only_its_own_places() -> None:
    fair = Fair()
    camp = [fair.enter("camp", "camp") for _ in range(2)]
    for _ in range(4):
        fair.enter("loud")
    fair.now = 20
    for _ in range(50):
        fair.enter("loud")
        fair.now += 20
    assert "camp" not in fair.gone
    assert all(place in fair.crowd._places for place in camp)


def test_a_place_given_back_is_free_and_may_be_given_back_again() -> None:
    fair = Fair()
    places = [fair.enter(f"peer {number}") for number in range(8)]
    for _ in range(2):
        fair.crowd.leave(places[0])
    assert not fair.is_full_for("another")
    with pytest.raises(HttpFault):
        fair.enter("one more")
