from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from server_laptops import Laptop, sequence_items
from server_process import ServerProcess, run_server_command, running_server
from sync.programme import open_programme
from sync.protocol import HelloReply, Receipt, SealedBatch


@pytest.fixture
def server(office_home: Path) -> Iterator[ServerProcess]:
    with running_server(office_home) as server:
        yield server


@pytest.fixture
def laptop(server: ServerProcess, tmp_path: Path) -> Laptop:
    """A laptop that the office approved before its first call."""
    server.command("programme", "export", "-o", str(tmp_path / "p.ekp"))
    laptop = Laptop(programme=open_programme((tmp_path / "p.ekp").read_bytes(), None))
    server.command("device", "approve", laptop.approval_code)
    assert hello(server, laptop).state == "approved"
    return laptop


def hello(server: ServerProcess, laptop: Laptop) -> HelloReply:
    response = httpx.post(f"{server.url}/v1/hello", content=laptop.hello(), timeout=60)
    return laptop.open_reply(sequence_items(response.content)[0])


def push(server: ServerProcess, laptop: Laptop, batches: list[SealedBatch]) -> list[Receipt]:
    response = httpx.post(f"{server.url}/v1/batches", content=laptop.push_body(batches), timeout=60)
    assert response.status_code == 200, response.content
    return [laptop.open_receipt(item) for item in sequence_items(response.content)]


def count(server: ServerProcess, sql: str) -> int:
    with closing(sqlite3.connect(server.home / "enrollkit-server.db")) as connection:
        number: int = connection.execute(sql).fetchone()[0]
    return number


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
    for whole in (1, 2, 3):
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
    assert count(server, "SELECT count(*) FROM enrollments") == 12


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
    assert count(server, "SELECT count(*) FROM enrollments") == 30


def test_a_server_that_is_asked_to_end_does_so_cleanly(
    server: ServerProcess, laptop: Laptop
) -> None:
    batch = laptop.batch([laptop.person()])
    half = laptop.push_body([batch])[:-5]
    with begin_push(server, half):
        hello(server, laptop)
    push(server, laptop, [batch])
    assert server.stop() == 0
    assert '"event": "ended"' in server.log_path.read_text()


def test_the_whole_log_of_a_process_holds_no_person(server: ServerProcess, laptop: Laptop) -> None:
    push(server, laptop, [laptop.batch([laptop.person(), laptop.person(name="Zebra" * 40)])])
    with begin_push(server, b"Quokka" * 100):
        hello(server, laptop)
    server.stop()
    logged = server.log_path.read_text()
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
