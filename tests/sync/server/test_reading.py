from __future__ import annotations

import asyncio
from collections.abc import Iterable, MutableMapping
from typing import Any

import pytest

from sync.errors import TooLarge
from sync.server.crowd import Place
from sync.server.reading import RequestReader, Tempo

TEMPO = Tempo(
    idle_seconds_max=120, grace_seconds=60, bytes_per_second_min=50, first_item_seconds_max=300
)


class Line:
    """A request whose bytes take their time, on a clock of its own."""

    def __init__(self, pieces: Iterable[tuple[float, bytes]]) -> None:
        self.now = 0.0
        self._pieces = iter(pieces)

    async def receive(self) -> MutableMapping[str, Any]:
        seconds, piece = next(self._pieces, (0.0, b""))
        await asyncio.sleep(0)  # a time that is up is noticed here
        self.now += seconds
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    def reader(self, *, bytes_max: int = 10**9, place: Place | None = None) -> RequestReader:
        return RequestReader(
            self.receive,
            tempo=TEMPO,
            bytes_max=bytes_max,
            place=place,
            monotonic=lambda: self.now,
        )


async def read(reader: RequestReader, *, known_after: int | None = None) -> int:
    received = 0
    async for piece in reader.pieces():
        received += len(piece)
        if known_after is not None and received >= known_after:
            reader.note_known()
    return received


def test_a_laptop_on_the_slowest_2g_is_read_to_the_end() -> None:
    line = Line([(2.0, b"x" * 120)] * 2000)
    assert asyncio.run(read(line.reader(), known_after=16_000)) == 240_000
    assert line.now == 4000


def test_a_link_may_wake_up_slowly_and_stand_still_now_and_then() -> None:
    line = Line([(50.0, b"x" * 3000), (55.0, b"x" * 3000), (60.0, b"x" * 1000)])
    assert asyncio.run(read(line.reader())) == 7000


def test_one_byte_now_and_then_is_given_up_after_the_grace() -> None:
    line = Line([(5.0, b"x")] * 10_000)
    with pytest.raises(TimeoutError):
        asyncio.run(read(line.reader(), known_after=1))
    assert 60 <= line.now <= 75


def test_fast_bytes_that_never_make_a_message_are_given_up_too() -> None:
    line = Line([(10.0, b"x" * 10_000)] * 10_000)
    with pytest.raises(TimeoutError):
        asyncio.run(read(line.reader()))
    assert 300 <= line.now <= 320


def test_a_laptop_that_is_known_may_take_its_time_at_the_pace() -> None:
    line = Line([(10.0, b"x" * 600)] * 300)
    assert asyncio.run(read(line.reader(), known_after=1200)) == 180_000


def test_what_is_too_large_is_not_read_to_the_end() -> None:
    line = Line([(0.0, b"x" * 1000)] * 1000)
    with pytest.raises(TooLarge):
        asyncio.run(read(line.reader(bytes_max=5000)))


def test_a_place_knows_how_much_came_and_who_speaks() -> None:
    place = Place(peer="p", since=0.0, give_up=lambda: None)
    line = Line([(0.0, b"x" * 1000)] * 3)
    asyncio.run(read(line.reader(place=place)))
    assert (place.received_bytes, place.is_known) == (3000, False)
    line = Line([(0.0, b"x" * 1000)] * 3)
    asyncio.run(read(line.reader(place=place), known_after=2000))
    assert place.is_known


def test_the_time_that_the_server_itself_needs_is_not_the_laptops() -> None:
    line = Line([(1.0, b"x" * 100)] * 20)

    async def read_slowly() -> int:
        received = 0
        async for piece in line.reader().pieces():
            line.now += 1000  # a batch is being written to the database
            received += len(piece)
        return received

    assert asyncio.run(read_slowly()) == 2000
