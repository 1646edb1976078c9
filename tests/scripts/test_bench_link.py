"""The bearer that measurements run on: its arithmetic, its relay, its tunnel."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

Script = Callable[[str], ModuleType]


@pytest.fixture
def shapes(script: Script) -> ModuleType:
    return script("bench.shape")


def channel(shapes: ModuleType, **figures: Any) -> Any:
    return shapes.Channel(shapes.Shape(**{"loss": 0.0, **figures}), "up")


def test_a_packet_takes_its_time_on_the_air_and_the_way(shapes: ModuleType) -> None:
    assert channel(shapes, rate=8000, delay=0.3).carry(10.0, 800) == pytest.approx(10.4)


def test_packets_wait_for_each_other_at_the_router(shapes: ModuleType) -> None:
    line = channel(shapes, rate=1000, delay=0.0)
    assert [line.carry(0.0, 1000) for _ in range(3)] == [1.0, 2.0, 3.0]
    assert line.carry(9.0, 1000) == 10.0


def test_a_full_router_drops(shapes: ModuleType) -> None:
    line = channel(shapes, rate=1000, delay=0.0, queue=2500)
    arrivals = [line.carry(0.0, 1000) for _ in range(4)]
    assert arrivals == [1.0, 2.0, None, None]
    assert line.traffic().dropped == 2


def test_a_silence_swallows_what_is_sent_in_it_and_what_is_in_the_air(shapes: ModuleType) -> None:
    line = channel(shapes, rate=1000, delay=0.5, up=20.0, silent=40.0)
    assert line.carry(18.0, 500) == 19.0
    assert line.carry(19.8, 100) is None
    assert line.carry(30.0, 100) is None
    assert line.carry(60.0, 100) == 60.6
    assert line.traffic().silenced == 2


def test_the_circle_may_begin_anywhere(shapes: ModuleType) -> None:
    shape = shapes.Shape(up=20.0, silent=40.0, start=50.0)
    assert [shape.carries(at) for at in (0, 9, 10, 29, 30)] == [False, False, True, True, False]


def test_the_same_seed_loses_the_same_packets(shapes: ModuleType) -> None:
    def fates(seed: int) -> list[bool]:
        line = channel(shapes, loss=0.1, seed=seed)
        return [line.carry(float(at), 100) is None for at in range(500)]

    assert fates(1) == fates(1) != fates(2)
    assert 20 < sum(fates(1)) < 90


def test_after_a_reset_the_dice_fall_as_at_first(shapes: ModuleType) -> None:
    line = channel(shapes, loss=0.3)
    first = [line.carry(float(at), 100) for at in range(50)]
    line.reset()
    assert [line.carry(float(at), 100) for at in range(50)] == first
    assert line.traffic().packets == 50


def test_up_and_down_lose_on_their_own(shapes: ModuleType) -> None:
    shape = shapes.Shape(loss=0.3)
    up, down = shapes.Channel(shape, "up"), shapes.Channel(shape, "down")
    assert [up.carry(at, 100) for at in range(50)] != [down.carry(at, 100) for at in range(50)]


def test_what_insists_arrives_by_a_timer_that_doubles(shapes: ModuleType) -> None:
    line = channel(shapes, rate=1e9, delay=0.0, up=20.0, silent=10.0)
    # Sent at 21, then after 1, 2, 4 and 8 seconds more: six of the next good moment are lost.
    assert line.insist(21.0, 100) == pytest.approx(36.0)


def test_nothing_is_carried_faster_than_the_rate(shapes: ModuleType) -> None:
    line = channel(shapes, rate=8000, delay=0.3, queue=10**6)
    arrivals = [line.carry(0.01 * number, 40 + 37 * number % 1460) for number in range(200)]
    carried = line.traffic().bytes
    assert arrivals == sorted(arrivals)
    assert arrivals[-1] >= carried / 8000 + 0.3


@pytest.mark.parametrize(
    "figures",
    [{"rate": 0}, {"loss": 1.0}, {"delay": -1}, {"queue": 0}, {"up": 0}, {"silent": -1}],
)
def test_a_bearer_that_cannot_be_is_refused(shapes: ModuleType, figures: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a bearer needs"):
        shapes.Shape(**figures)


def test_the_relay_carries_both_ways_and_counts(script: Script) -> None:
    link, shapes = script("bench.link"), script("bench.shape")
    quick = shapes.Shape(rate=1e6, delay=0.01, loss=0.0)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        link.open_link(quick, shaper=True) as line,
    ):
        echo = threading.Thread(target=_echo, args=(server,), daemon=True)
        echo.start()
        host, port = line.reach(server.getsockname()[1])
        line.begin()
        with socket.create_connection((host, port), timeout=10) as laptop:
            laptop.sendall(b"x" * 5000)
            got = b""
            while len(got) < 5000:
                got += laptop.recv(65536)
        echo.join(timeout=10)
        assert (line.traffic("up").bytes, line.traffic("down").bytes) == (5000, 5000)
    assert not line.is_real


def test_the_tunnel_loses_packets_and_tcp_makes_them_good(script: Script) -> None:
    link, shapes = script("bench.link"), script("bench.shape")
    if why := link.reason_against():
        pytest.skip(why)
    lossy = shapes.Shape(rate=1e6, delay=0.005, loss=0.05, seed=4)
    with link.open_link(lossy) as line:
        connect, round_trip, sending = link.measure(line)
        up = line.traffic("up")
    assert line.is_real
    assert connect >= 0.01
    assert round_trip >= 0.01
    assert sending >= link.SENT_BYTES / 1e6
    assert up.lost > 0
    assert up.bytes > link.SENT_BYTES


def _echo(server: socket.socket) -> None:
    line, _address = server.accept()
    with line:
        while piece := line.recv(65536):
            line.sendall(piece)
