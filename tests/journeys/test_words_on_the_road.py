"""What somebody reads when the road or the server is not as it should be, and what stays so."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from enrollkit.errors import OperatorError
from journey_camp import Laptop, Office, Outcome, open_office, write_rows
from journey_people import people
from journey_words import Desk, said
from sync import errors

pytestmark = pytest.mark.xdist_group("journey-words")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("words") / "office") as office:
        yield office


@pytest.fixture
def desk(office: Office, tmp_path: Path) -> Iterator[Desk]:
    yield Desk(office=office, folder=tmp_path)
    office.relay.target = office.server.port


def test_a_server_that_is_away(desk: Desk) -> None:
    laptop = desk.camp("a")
    desk.office.relay.target = None
    said_and_kept(laptop, errors.Offline)


@contextmanager
def answering(status: int, body: bytes, **headers: str) -> Iterator[int]:
    """Serve the same answer to everybody; give the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind"),
    [
        (200, b"<html>Please log in</html>", {"Content_Type": "text/html"}, errors.Portal),
        (302, b"", {"Location": "http://login.example/"}, errors.Portal),
        (511, b"<html>Log in</html>", {"Content_Type": "text/html"}, errors.Portal),
        (200, b"<html>", {"Content_Type": "application/cbor-seq"}, errors.ReceiptInvalid),
        (503, b"", {"Retry_After": "7200"}, errors.ServerUnavailable),
    ],
    ids=["html with 200", "redirect", "network login", "html called cbor", "closed for repair"],
)
def test_somebody_else_answers(
    desk: Desk, status: int, body: bytes, headers: dict[str, str], kind: type[OperatorError]
) -> None:
    laptop = desk.camp("a")
    with answering(status, body, **headers) as port:
        desk.office.relay.target = port
        said_and_kept(laptop, kind)


def said_and_kept(laptop: Laptop, kind: type[OperatorError], **fields: Any) -> None:
    """A sync that cannot be: said in words, in JSON too, and nobody is called delivered."""
    told = laptop.run("sync", "--json")
    said(told, kind, **fields)
    assert told.object["error"] == kind.code
    assert (told.object["waiting"], told.object["accepted"]) == (3, 0)
    said(laptop.run("sync"), kind, **fields)
    status = laptop.status()
    assert (status["total"], status["waiting"], status["signed_for"]) == (3, 3, 0)


def test_the_server_of_another_programme(desk: Desk) -> None:
    laptop = desk.camp("a")
    with open_office(desk.folder / "elsewhere", name="Elsewhere") as other:
        desk.office.relay.target = other.server.port
        said_and_kept(laptop, errors.ReceiptInvalid)


def test_a_laptop_that_the_office_has_not_approved_and_then_does(desk: Desk) -> None:
    laptop = desk.laptop("a", approved=False)
    assert laptop.run("enroll", write_rows(desk.folder / "a.jsonl", people(0, 3))).code == 0
    said_and_kept(laptop, errors.DevicePending, approval_code=laptop.approval_code)
    assert laptop.approval_code in laptop.run("sync").err
    desk.office.run("device", "approve", laptop.approval_code)
    assert laptop.run("sync", "--json").object["accepted"] == 3


def test_a_laptop_that_the_office_has_shut_out(desk: Desk) -> None:
    laptop = desk.laptop("a")
    assert laptop.run("sync").code == 0
    assert laptop.run("enroll", write_rows(desk.folder / "a.jsonl", people(0, 3))).code == 0
    desk.office.run("device", "revoke", laptop.device)
    told = laptop.run("sync", "--json")
    said(told, errors.DeviceRevoked)
    # Its people are taken into quarantine; none of them is lost, none is called accepted.
    counted = {key: told.object[key] for key in ("waiting", "accepted", "held", "feed")}
    assert counted == {"waiting": 0, "accepted": 0, "held": 3, "feed": 0}
    said(laptop.run("sync"), errors.DeviceRevoked)
    status = laptop.status()
    assert (status["total"], status["held"], status["waiting"]) == (3, 3, 0)


def test_a_second_sync_while_one_is_running(desk: Desk) -> None:
    laptop, told = desk.camp("a"), []

    def sync_again() -> None:
        """Run from the road while the first sync waits for it: a window of its own."""
        process = laptop.start("sync", "--json")
        out, err = process.communicate(timeout=60)
        told.append(Outcome(process.returncode, out.decode(), err.decode()))

    trap = desk.office.relay.set_trap("up", 1, sync_again)
    first = laptop.run("sync", "--json")
    assert trap.sprung.is_set()
    (second,) = told
    said(second, errors.SyncBusy)
    assert (first.code, first.object["accepted"]) == (0, 3)


def test_the_lock_of_a_sync_that_died_holds_nobody_up(desk: Desk) -> None:
    laptop = desk.camp("a")
    with closing(sqlite3.connect(laptop.home / "sync.lock")) as held:
        held.execute("BEGIN EXCLUSIVE")
        said(laptop.run("sync"), errors.SyncBusy)
    assert laptop.run("sync").code == 0
