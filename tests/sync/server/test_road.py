"""What the road does to requests, shown on a real server process: nothing lost, nothing doubled."""

from __future__ import annotations

import io
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from raw_http import Answer, begin, cut_off, post_head, read_answer, talk
from server_laptops import Laptop, Office, sequence_items
from server_process import ServerProcess, running_server
from server_sticks import bundle_of, courier_body
from sync import wire
from sync.bundle import write_file
from sync.protocol import SealedBatch
from sync.sealing import open_server_time, read_unverified
from sync.server.store.tables import enrollments

CLOSE = "Connection: close"


@pytest.fixture(scope="module")
def server(
    office_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    home = Path(shutil.copytree(office_template, tmp_path_factory.mktemp("road") / "home"))
    with running_server(home) as server:
        yield server


@pytest.fixture
def laptop(server: ServerProcess) -> Iterator[Laptop]:
    with closing(Office(server.home, io.StringIO())) as office:
        yield office.laptop()


def push_body(laptop: Laptop, batches: list[SealedBatch], nonce: bytes = bytes(16)) -> bytes:
    return laptop.push_body(batches, nonce)


def persons(laptop: Laptop, count: int) -> list[SealedBatch]:
    return [laptop.batch([laptop.person()]) for _ in range(count)]


def digests(laptop: Laptop, answer: Answer) -> list[bytes]:
    assert answer.status == 200, answer.body
    receipts = [item for item in sequence_items(answer.body) if _name(item) == "receipt"]
    return [laptop.open_receipt(item).digest for item in receipts]


def _name(item: bytes) -> str:
    return str(read_unverified(item)[1][0])


def held_upto(server: ServerProcess, laptop: Laptop) -> int:
    hello = laptop.hello()
    answer = talk(server.port, post_head("/v1/hello", len(hello), CLOSE) + hello)
    return laptop.open_reply(sequence_items(answer.body)[0]).held_upto


def people(server: ServerProcess, laptop: Laptop) -> int:
    query = select(func.count()).where(enrollments.c.device == laptop.id)
    with closing(Office(server.home, io.StringIO())) as office, office.store.read() as connection:
        number: int = connection.execute(query).scalar_one()
        return number


def test_a_proxy_that_waits_for_the_whole_request_gets_every_receipt(
    server: ServerProcess, laptop: Laptop
) -> None:
    batches = persons(laptop, 4)
    body = push_body(laptop, batches)
    with begin(server.port, post_head("/v1/batches", len(body), CLOSE) + body) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert digests(laptop, read_answer(connection)) == [batch.digest for batch in batches]
    assert people(server, laptop) == 4


def test_a_proxy_that_speaks_http_1_0_gets_an_answer_without_chunks(
    server: ServerProcess, laptop: Laptop
) -> None:
    batches = persons(laptop, 2)
    body = push_body(laptop, batches)
    answer = talk(server.port, post_head("/v1/batches", len(body), version="1.0") + body)
    assert "transfer-encoding" not in answer.fields
    assert digests(laptop, answer) == [batch.digest for batch in batches]


def test_a_proxy_that_replays_a_post_on_one_connection_changes_nothing(
    server: ServerProcess, laptop: Laptop
) -> None:
    batches = persons(laptop, 2)
    body = push_body(laptop, batches)
    again = post_head("/v1/batches", len(body)) + body
    last = post_head("/v1/batches", len(body), CLOSE) + body
    with begin(server.port, again + again + last) as connection:
        whole = b"".join(iter(lambda: connection.recv(65_536), b""))
    answers = [Answer(b"HTTP/1.1 " + part) for part in whole.split(b"HTTP/1.1 ")[1:]]
    assert [digests(laptop, answer) for answer in answers] == [[b.digest for b in batches]] * 3
    assert people(server, laptop) == 2


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(
    server: ServerProcess, laptop: Laptop
) -> None:
    batches = persons(laptop, 1)
    body = push_body(laptop, batches)
    head = post_head("/v1/batches", len(body), "Expect: 100-continue", CLOSE)
    with begin(server.port, head) as connection:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert digests(laptop, read_answer(connection)) == [batches[0].digest]


def test_one_push_on_several_connections_at_the_same_moment_is_taken_once(
    server: ServerProcess, laptop: Laptop
) -> None:
    batches = [laptop.batch([laptop.person() for _ in range(5)]) for _ in range(4)]
    requests = [
        post_head("/v1/batches", len(body), CLOSE) + body
        for body in (push_body(laptop, batches, bytes([one]) * 16) for one in range(3))
    ]
    carried = courier_body(laptop, batches)
    requests.append(post_head("/v1/bundles", len(carried), CLOSE) + carried)
    told: list[list[bytes]] = []
    start = threading.Barrier(len(requests))

    def deliver(request: bytes) -> None:
        start.wait()
        told.append(sorted(digests(laptop, talk(server.port, request))))

    threads = [threading.Thread(target=deliver, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [sorted(batch.digest for batch in batches)] * 4
    assert people(server, laptop) == 20


@pytest.mark.parametrize("path", ["/v1/batches", "/v1/bundles"])
def test_an_answer_that_nobody_got_is_given_again(
    server: ServerProcess, laptop: Laptop, path: str
) -> None:
    batches = persons(laptop, 3)
    carry = push_body if path == "/v1/batches" else courier_body
    body = carry(laptop, batches)
    connection = begin(server.port, post_head(path, len(body)) + body)
    while held_upto(server, laptop) < 3:
        pass
    cut_off(connection)
    answer = talk(server.port, post_head(path, len(body), CLOSE) + body)
    assert digests(laptop, answer) == [batch.digest for batch in batches]
    assert people(server, laptop) == 3


def test_a_connection_lost_in_the_middle_of_a_batch_keeps_those_before_it(
    server: ServerProcess, laptop: Laptop
) -> None:
    batches = persons(laptop, 3)
    body = push_body(laptop, batches)
    connection = begin(server.port, post_head("/v1/batches", len(body)) + body[:-100])
    while held_upto(server, laptop) < 2:
        pass
    cut_off(connection)
    assert held_upto(server, laptop) == 2
    answer = talk(server.port, post_head("/v1/batches", len(body), CLOSE) + body)
    assert digests(laptop, answer) == [batch.digest for batch in batches]
    assert people(server, laptop) == 3


def test_a_stick_is_received_while_the_server_runs_and_the_push_of_the_same_changes_nothing(
    server: ServerProcess, laptop: Laptop, tmp_path: Path
) -> None:
    batches = persons(laptop, 3)
    body = push_body(laptop, batches)
    write_file(tmp_path / "a.ekb", bundle_of(laptop, batches))
    pushing = threading.Thread(
        target=talk, args=(server.port, post_head("/v1/batches", len(body), CLOSE) + body)
    )
    pushing.start()
    said = json.loads(server.command("receive", str(tmp_path), "-o", str(tmp_path), "--json"))
    pushing.join()
    assert (said["batches"], said["verdicts"]["accepted"]) == (3, 3)
    assert people(server, laptop) == 3


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /v1/hello HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 40_000,
    ],
    ids=["no host", "two lengths", "length below zero", "TLS", "long head"],
)
def test_what_is_no_request_is_refused_and_hung_up_on(
    server: ServerProcess, request_bytes: bytes
) -> None:
    assert talk(server.port, request_bytes).status == 400


def test_an_unknown_address_and_a_wrong_method_are_said(server: ServerProcess) -> None:
    assert talk(server.port, post_head("/v2/hello", 0, CLOSE)).status == 404
    assert talk(server.port, post_head("/v1/feed", 0, CLOSE)).status == 405


def test_the_time_is_told_over_plain_sockets_too(server: ServerProcess, laptop: Laptop) -> None:
    body = wire.encode(b"t" * 16)
    answer = talk(server.port, post_head("/v1/time", len(body), CLOSE) + body)
    assert open_server_time(answer.body, laptop.programme.signing).nonce == b"t" * 16
