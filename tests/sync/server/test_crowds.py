"""Strangers that hold the door, on a real server process: a good laptop gets through."""

from __future__ import annotations

import io
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from raw_http import Answer, begin, post_head, read_answer, talk
from server_laptops import Laptop, Office, sequence_items
from server_process import ServerProcess, running_server
from sync.protocol import SealedBatch

CLOSE = "Connection: close"
SETTINGS = """\
requests_max = 16
fair_seconds = 1
head_seconds_max = 2
grace_seconds = 2
first_item_seconds_max = 3
connections_max = 60
"""


@pytest.fixture(scope="module")
def server(
    office_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    home = Path(shutil.copytree(office_template, tmp_path_factory.mktemp("crowds") / "home"))
    (home / "server.toml").write_text(SETTINGS)
    with running_server(home) as server:
        yield server


@pytest.fixture
def laptop(server: ServerProcess) -> Iterator[Laptop]:
    with closing(Office(server.home, io.StringIO())) as office:
        yield office.laptop()


def say(server: ServerProcess, path: str, body: bytes) -> Answer:
    """Ask again and again while the server is busy, as a laptop does."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        answer = talk(server.port, post_head(path, len(body), CLOSE) + body)
        if answer.status != 503:
            return answer
        assert int(answer.fields["retry-after"]) > 0
    raise AssertionError("never let in")


def deliver(server: ServerProcess, laptop: Laptop, batches: list[SealedBatch]) -> None:
    reply = sequence_items(say(server, "/v1/hello", laptop.hello()).body)[0]
    assert laptop.open_reply(reply).state == "approved"
    answer = say(server, "/v1/batches", laptop.push_body(batches))
    receipts = [laptop.open_receipt(item) for item in sequence_items(answer.body)]
    assert [receipt.digest for receipt in receipts] == [batch.digest for batch in batches]


def test_dozens_of_half_sent_pushes_do_not_keep_a_laptop_out(
    server: ServerProcess, laptop: Laptop
) -> None:
    half = post_head("/v1/batches", 4_000_000) + b"\x50" + bytes(16) + b"\x5a\x00\x00\xff\x00"
    with ExitStack() as crowd:
        for _ in range(48):
            crowd.enter_context(begin(server.port, half))
        deliver(server, laptop, [laptop.batch([laptop.person()]) for _ in range(3)])


def test_dozens_of_half_sent_heads_do_not_keep_a_laptop_out(
    server: ServerProcess, laptop: Laptop
) -> None:
    with ExitStack() as crowd:
        for number in range(150):
            crowd.enter_context(begin(server.port, b"POST /v1/batches HTTP/1.1\r\nX"[:number]))
        deliver(server, laptop, [laptop.batch([laptop.person()])])


def test_dozens_of_half_sent_bundles_of_strangers_do_not_keep_a_laptop_out(
    server: ServerProcess, laptop: Laptop
) -> None:
    """A stranger's hello is well signed, by a key that nobody approved."""
    with ExitStack() as crowd:
        for _ in range(24):
            hello = Laptop(programme=laptop.programme).hello()
            head = post_head("/v1/bundles", 4_000_000)
            body = b"\x59" + len(hello).to_bytes(2, "big") + hello + b"\x59\xff\xff"
            crowd.enter_context(begin(server.port, head + body))
        deliver(server, laptop, [laptop.batch([laptop.person()])])


def test_health_is_answered_while_every_place_is_taken(server: ServerProcess) -> None:
    with ExitStack() as crowd:
        for _ in range(32):
            crowd.enter_context(begin(server.port, post_head("/v1/batches", 4_000_000)))
        for _ in range(10):
            asked = b"GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            assert talk(server.port, asked).status == 200


def test_a_head_that_never_ends_is_hung_up_on(server: ServerProcess) -> None:
    began = time.monotonic()
    with begin(server.port, b"POST /v1/batches HTTP/1.1\r\nHost: x\r\n") as connection:
        assert connection.recv(1) == b""
    assert time.monotonic() - began < 20


def test_a_head_that_never_ends_after_a_good_request_is_hung_up_on(
    server: ServerProcess, laptop: Laptop
) -> None:
    hello = laptop.hello()
    request = post_head("/v1/hello", len(hello)) + hello + b"POST /v1/"
    with begin(server.port, request) as connection:
        assert read_answer(connection).status == 200


def test_a_body_that_never_comes_is_told_so_and_hung_up_on(server: ServerProcess) -> None:
    with begin(server.port, post_head("/v1/batches", 1000)) as connection:
        answer = read_answer(connection)
    assert answer.status in (408, 503)  # too slow, or another test wanted the place


def test_a_body_that_goes_on_after_its_answer_is_cut(server: ServerProcess) -> None:
    """The answer is an error; whoever goes on sending must not hold the connection for ever."""
    head = post_head("/v1/time", 10_000_000)
    with begin(server.port, head + b"\xff" * 20_000) as connection, pytest.raises(ConnectionError):
        _send_for_ever(connection)


def _send_for_ever(connection: socket.socket) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        connection.sendall(b"x")
