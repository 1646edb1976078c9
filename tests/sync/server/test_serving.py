from __future__ import annotations

import io
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from server_laptops import Laptop, Office, sequence_items
from server_process import ServerProcess, run_server_command, running_server
from sync.protocol import HelloReply, Receipt, SealedBatch
from sync.server.store.tables import enrollments


@pytest.fixture(scope="module")
def shared_server(
    office_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    home = Path(shutil.copytree(office_template, tmp_path_factory.mktemp("served") / "home"))
    with running_server(home) as server:
        yield server


@pytest.fixture
def server(shared_server: ServerProcess) -> ServerProcess:
    """The one process of this file, started again when a test has ended it."""
    if shared_server.process is None:
        shared_server.start()
    return shared_server


@pytest.fixture
def laptop(server: ServerProcess) -> Iterator[Laptop]:
    """A laptop that the office approved, from another process, before its first call."""
    with closing(Office(server.home, io.StringIO())) as office:
        laptop = Laptop(programme=office.programme())
        office.approve(laptop)
        assert hello(server, laptop).state == "approved"
        yield laptop


def hello(server: ServerProcess, laptop: Laptop) -> HelloReply:
    response = httpx.post(f"{server.url}/v1/hello", content=laptop.hello(), timeout=60)
    return laptop.open_reply(sequence_items(response.content)[0])


def push(server: ServerProcess, laptop: Laptop, batches: list[SealedBatch]) -> list[Receipt]:
    response = httpx.post(f"{server.url}/v1/batches", content=laptop.push_body(batches), timeout=60)
    assert response.status_code == 200, response.content
    return [laptop.open_receipt(item) for item in sequence_items(response.content)]


def people(server: ServerProcess, laptop: Laptop) -> int:
    query = select(func.count()).where(enrollments.c.device == laptop.id)
    with closing(Office(server.home, io.StringIO())) as office, office.store.read() as connection:
        return connection.execute(query).scalar_one()


def begin_push(server: ServerProcess, body: bytes) -> socket.socket:
    """Send a push and do not read its answer."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    head = f"POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def test_a_reply_that_is_lost_with_the_server_loses_and_doubles_nothing(
    server: ServerProcess, laptop: Laptop
) -> None:
    batches = [laptop.batch([laptop.person() for _ in range(3)]) for _ in range(4)]
    for whole in (1, 3):
        body = laptop.push_body(batches[:whole])
        with begin_push(server, body):
            while hello(server, laptop).held_upto < whole:
                pass
            server.kill()
        server.start()
        assert hello(server, laptop).held_upto == whole
    receipts = push(server, laptop, batches)
    assert [receipt.digest for receipt in receipts] == [batch.digest for batch in batches]
    assert {verdict.outcome for receipt in receipts for verdict in receipt.verdicts} == {"accepted"}
    assert people(server, laptop) == 12


def test_two_connections_with_one_batch_make_one_row(server: ServerProcess, laptop: Laptop) -> None:
    batches = [laptop.batch([laptop.person() for _ in range(10)]) for _ in range(3)]
    answers: list[list[Receipt]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(push(server, laptop, batches)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = {tuple(receipt.verdicts for receipt in answer) for answer in answers}
    assert len(answers) == 3
    assert len(told) == 1
    assert people(server, laptop) == 30


def test_a_server_ends_cleanly_when_asked_and_its_log_holds_no_person(
    server: ServerProcess, laptop: Laptop
) -> None:
    batch = laptop.batch([laptop.person(), laptop.person(name="Zebra" * 40)])
    half = laptop.push_body([batch])[:-5]
    with begin_push(server, half), begin_push(server, b"Quokka" * 100):
        hello(server, laptop)
    push(server, laptop, [batch])
    assert server.stop() == 0
    logged = server.log_path.read_text()
    assert '"event": "ended"' in logged
    assert laptop.id in logged
    for marked in ("Zebra", "Quokka", "Pangolin", "Okapipur", "9123456780", "4321"):
        assert marked not in logged


def test_an_address_in_use_is_said_in_words(server: ServerProcess) -> None:
    ended = run_server_command(["run", "--home", str(server.home), "--port", str(server.port)])
    assert ended.returncode == 87
    assert "cannot listen" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_locked_key_file_stops_the_server_before_it_listens(tmp_path: Path) -> None:
    made = run_server_command(
        ["init", "--home", str(tmp_path), "--name", "P", "--url", "https://p.example"],
        passphrase="correct horse",
    )
    assert made.returncode == 0, made.stderr
    ended = run_server_command(["run", "--home", str(tmp_path), "--port", "0"])
    assert ended.returncode == 83
    assert "ENROLLKIT_SERVER_PASSPHRASE" in ended.stderr
