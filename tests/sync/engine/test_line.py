"""What TCP is told about silence, how quickly a line is dialled again, and when it is cut."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from sync.engine.line import Line, notices_silence, silence_options, waiting_options
from sync.engine.pacing import Patience

PATIENCE = Patience()
linux = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux what it was told")


class Stream:
    """What httpcore hands over with a connection."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def get_extra_info(self, name: str) -> Any:
        return self._line if name == "socket" else None


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = socket.create_connection(server.getsockname())
        there, _address = server.accept()
    with here, there:
        yield here, there


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def opened(line: Line, clock: Clock, here: socket.socket, *, seconds: float) -> None:
    line.on_event("connection.connect_tcp.started", {})
    clock.seconds += seconds
    line.on_event("connection.connect_tcp.complete", {"return_value": Stream(here)})
    line.on_event("http11.send_request_headers.started", {})


def answered(line: Line) -> None:
    line.on_event("http11.receive_response_headers.started", {})
    line.on_event("http11.receive_response_headers.complete", {})


@linux
def test_tcp_is_told_to_give_up_what_nobody_acknowledges(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    clock = Clock()
    opened(Line(PATIENCE, clock), clock, pair[0], seconds=0.6)
    assert pair[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000
    assert pair[0].getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    idle = pair[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    between = pair[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
    count = pair[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
    assert idle + between * count <= 15


@linux
def test_little_lies_between_the_program_and_the_air(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    clock = Clock()
    opened(Line(PATIENCE, clock), clock, pair[0], seconds=0.6)
    # Linux doubles the figure, for its own bookkeeping.
    assert pair[0].getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * 32 * 1024
    assert pair[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == 8 * 1024


@linux
def test_a_link_that_opens_slowly_is_not_soon_taken_for_dead(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    clock = Clock()
    line = Line(PATIENCE, clock)
    opened(line, clock, pair[0], seconds=7.0)
    answered(line)
    opened(line, clock, pair[0], seconds=7.0)
    assert pair[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 28_000
    assert line.connect_seconds() == 28.0


def test_the_first_connection_is_waited_for_longer_than_later_ones(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    clock = Clock()
    line = Line(PATIENCE, clock)
    assert line.connect_seconds() == 30.0
    opened(line, clock, pair[0], seconds=0.6)
    answered(line)
    assert line.connect_seconds() == 6.0


def test_a_server_that_never_answered_is_given_the_time_of_a_whole_silence(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    clock = Clock()
    line = Line(PATIENCE, clock)
    opened(line, clock, pair[0], seconds=0.6)
    assert line.connect_seconds() == 30.0


def test_a_connection_that_opened_out_of_a_silence_teaches_no_patience(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    clock = Clock()
    line = Line(PATIENCE, clock)
    opened(line, clock, pair[0], seconds=1.0)
    answered(line)
    opened(line, clock, pair[0], seconds=5.5)
    assert line.connect_seconds() == 6.0


def test_nothing_is_ever_waited_for_longer_than_the_first_connection(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    clock = Clock()
    line = Line(PATIENCE, clock)
    opened(line, clock, pair[0], seconds=25.0)
    answered(line)
    assert line.connect_seconds() == 30.0


def test_a_round_trip_is_from_the_questions_end_to_the_answers_head() -> None:
    clock = Clock()
    line = Line(PATIENCE, clock)
    assert line.round_trip_seconds is None
    line.on_event("http11.receive_response_headers.started", {})
    clock.seconds += 0.7
    line.on_event("http11.receive_response_headers.complete", {})
    assert line.round_trip_seconds == pytest.approx(0.7)
    line.close()


def test_a_line_whose_answer_does_not_begin_is_cut(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    here, _there = pair
    clock = Clock()
    line = Line(Patience(head_seconds_max=0.05), clock)
    opened(line, clock, here, seconds=0.1)
    line.on_event("http11.receive_response_headers.started", {})
    here.settimeout(10)
    assert here.recv(1) == b""
    assert line.is_cut


def test_a_line_whose_answer_came_is_left_alone(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    here, there = pair
    clock = Clock()
    line = Line(Patience(head_seconds_max=0.05), clock)
    opened(line, clock, here, seconds=0.1)
    line.on_event("http11.receive_response_headers.started", {})
    line.on_event("http11.receive_response_headers.complete", {})
    there.settimeout(0.2)
    with pytest.raises(TimeoutError):
        there.recv(1)
    assert not line.is_cut


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_every_platform_is_told_in_its_own_words(platform: str) -> None:
    options = silence_options(15.0, platform)
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in options
    told = dict(option[1:] for option in options if option[0] == socket.IPPROTO_TCP)
    own = {"win32": (5, 15), "darwin": (0x80, 15)}.get(platform)
    if own is not None:
        assert told[own[0]] == own[1]
    if platform == "darwin":
        assert told[0x10] == 7
    assert notices_silence("win32")
    assert notices_silence("darwin")


@pytest.mark.parametrize("seconds", [0.1, 1, 15, 600])
def test_no_option_is_ever_zero_which_would_mean_the_default(seconds: float) -> None:
    assert all(value > 0 for _level, _name, value in silence_options(seconds))
    assert all(value > 0 for _level, _name, value in waiting_options())
