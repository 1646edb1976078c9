"""What somebody reads when something is wrong: the error's words, its exit code, no traceback."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from enrollkit import errors as kit_errors
from enrollkit.errors import OperatorError
from enrollkit.store.database import Database
from journey_camp import Laptop, Office, Outcome, open_office, run_kit, write_rows
from journey_people import people
from sync import errors as road_errors

pytestmark = pytest.mark.xdist_group("journey-words")

READING = [
    ("status", "--json"),
    ("search", "Asha", "--json"),
    ("doctor", "--json"),
    ("sync", "--json"),
]


@dataclass(slots=True, kw_only=True)
class Desk:
    office: Office
    folder: Path

    def laptop(self, name: str, *, approved: bool = True) -> Laptop:
        return self.office.laptop(self.folder / name, approved=approved)

    def camp(self, name: str) -> Laptop:
        """Give a laptop with three people on it."""
        laptop = self.laptop(name)
        file = write_rows(self.folder / f"{name}.jsonl", people(0, 3))
        assert laptop.run("enroll", file).code == 0
        return laptop


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("words") / "office") as office:
        yield office


@pytest.fixture
def desk(office: Office, tmp_path: Path) -> Iterator[Desk]:
    yield Desk(office=office, folder=tmp_path)
    office.relay.target = office.server.port


def said(told: Outcome, kind: type[OperatorError], **fields: Any) -> None:
    """The command ended with the error's exit code and words; stdout stays JSON or empty."""
    assert told.code == kind.exit_code, told
    assert kind(**fields).text in told.err
    assert f"[{kind.code}]" in told.err
    assert "{" not in told.err
    assert "Traceback" not in told.err + told.out
    for line in told.out.splitlines():
        assert isinstance(json.loads(line), dict)


@pytest.mark.parametrize("arguments", READING)
def test_a_wrong_passphrase(desk: Desk, arguments: tuple[str, ...]) -> None:
    laptop = replace(desk.laptop("a"), passphrase="marigold tractor seven river")
    said(laptop.run(*arguments), kit_errors.WrongPassphrase)


@pytest.mark.parametrize("arguments", READING)
def test_a_laptop_that_is_not_set_up(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    said(run_kit(tmp_path / "empty", *arguments), kit_errors.NotInitialised)
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize("damage", ["first page", "salt", "every page", "cut", "empty", "text"])
def test_a_damaged_database(desk: Desk, damage: str) -> None:
    laptop = desk.camp("a")
    path = laptop.home / "enrollkit.db"
    path.write_bytes(damaged(path.read_bytes(), damage))
    said(laptop.run("status", "--json"), kit_errors.StoreDamaged)
    said(laptop.run("sync", "--json"), kit_errors.StoreDamaged)


def damaged(data: bytes, how: str) -> bytes:
    changed = bytearray(data)
    match how:
        case "salt":
            changed[3] ^= 1
        case "first page":
            changed[2000] ^= 1
        case "every page":
            for place in range(100, len(changed), 4096):
                changed[place] ^= 0x40
        case "cut":
            del changed[5000:]
        case "empty":
            changed.clear()
        case _:
            changed[:] = b"This is a shopping list.\n" * 400
    return bytes(changed)


def test_damage_in_the_middle_of_the_database_is_told_and_not_shown_as_people(desk: Desk) -> None:
    laptop = desk.camp("a")
    path = laptop.home / "enrollkit.db"
    whole = path.read_bytes()
    for page in range(1, len(whole) // 4096):
        spoilt = bytearray(whole)
        spoilt[page * 4096 + 100] ^= 1
        path.write_bytes(bytes(spoilt))
        told = laptop.run("search", "Garhi", "--json")
        if told.code == 0:
            assert len(told.rows) == 3, page
        else:
            said(told, kit_errors.StoreDamaged)


def test_a_database_that_another_window_is_writing_to(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = desk.camp("a")
    monkeypatch.setitem(Database.open.__func__.__kwdefaults__, "busy_timeout_ms", 20)
    file = write_rows(desk.folder / "more.jsonl", people(50, 1))
    with laptop.unlocked() as kit:
        told = kit._open().database.write(
            lambda _tx: [
                laptop.run("status", "--json"),
                laptop.run("enroll", file, "--json"),
                laptop.run("sync", "--json"),
            ]
        )
    for one in told:
        said(one, kit_errors.StoreBusy)
    assert laptop.status()["total"] == 3


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "other json"])
def test_a_damaged_key_file(desk: Desk, damage: str) -> None:
    laptop = desk.laptop("a")
    path = laptop.home / "keyring.json"
    whole = path.read_bytes()
    spoilt = {
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "text": b"shopping list",
        "other json": b'{"version": 1}',
    }
    path.write_bytes(spoilt[damage])
    said(laptop.run("status", "--json"), kit_errors.SealBroken)


@pytest.mark.parametrize("damage", ["cut", "changed", "text", "empty"])
def test_a_damaged_programme_file(desk: Desk, damage: str) -> None:
    whole = desk.office.programme()
    spoilt = {
        "cut": whole[:-1],
        "changed": whole[:700] + bytes([whole[700] ^ 1]) + whole[701:],
        "text": b"<html>Not found</html>",
        "empty": b"",
    }
    file, home = desk.folder / "p.ekp", desk.folder / "new"
    file.write_bytes(spoilt[damage])
    said(run_kit(home, "init", "--programme", file, "--operator", "A"), kit_errors.ProgrammeInvalid)
    assert not home.exists()


def test_a_programme_file_that_is_not_there(desk: Desk) -> None:
    told = run_kit(
        desk.folder / "new", "init", "--programme", desk.folder / "none", "--operator", "A"
    )
    said(told, kit_errors.FileUnreadable)


def test_a_second_set_up_and_one_for_another_programme(desk: Desk) -> None:
    laptop, own, foreign = desk.camp("a"), desk.folder / "own", desk.folder / "foreign"
    own.write_bytes(desk.office.programme())
    with open_office(desk.folder / "elsewhere", name="Elsewhere", running=False) as other:
        foreign.write_bytes(other.programme())
    set_up = ("init", "--operator", "B", "--programme")
    said(laptop.run(*set_up, own), kit_errors.AlreadyInitialised)
    said(laptop.run(*set_up, foreign), kit_errors.ProgrammeForeign)
    assert laptop.status()["total"] == 3


def test_a_server_that_is_away(desk: Desk) -> None:
    laptop = desk.camp("a")
    desk.office.relay.target = None
    said_and_kept(laptop, road_errors.Offline)


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
        (200, b"<html>Please log in</html>", {"Content_Type": "text/html"}, road_errors.Portal),
        (302, b"", {"Location": "http://login.example/"}, road_errors.Portal),
        (511, b"<html>Log in</html>", {"Content_Type": "text/html"}, road_errors.Portal),
        (200, b"<html>", {"Content_Type": "application/cbor-seq"}, road_errors.ReceiptInvalid),
        (503, b"", {"Retry_After": "7200"}, road_errors.ServerUnavailable),
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
        said_and_kept(laptop, road_errors.ReceiptInvalid)


def test_a_laptop_that_the_office_has_not_approved_and_then_does(desk: Desk) -> None:
    laptop = desk.laptop("a", approved=False)
    assert laptop.run("enroll", write_rows(desk.folder / "a.jsonl", people(0, 3))).code == 0
    said_and_kept(laptop, road_errors.DevicePending, approval_code=laptop.approval_code)
    assert laptop.approval_code in laptop.run("sync").err
    desk.office.run("device", "approve", laptop.approval_code)
    assert laptop.run("sync", "--json").object["accepted"] == 3


def test_a_laptop_that_the_office_has_shut_out(desk: Desk) -> None:
    laptop = desk.laptop("a")
    assert laptop.run("sync").code == 0
    assert laptop.run("enroll", write_rows(desk.folder / "a.jsonl", people(0, 3))).code == 0
    desk.office.run("device", "revoke", laptop.device)
    said_and_kept(laptop, road_errors.DeviceRevoked)


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
    said(second, road_errors.SyncBusy)
    assert (first.code, first.object["accepted"]) == (0, 3)


def test_the_lock_of_a_sync_that_died_holds_nobody_up(desk: Desk) -> None:
    laptop = desk.camp("a")
    with closing(sqlite3.connect(laptop.home / "sync.lock")) as held:
        held.execute("BEGIN EXCLUSIVE")
        said(laptop.run("sync"), road_errors.SyncBusy)
    assert laptop.run("sync").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "7K2M-94QD-XV3T-8"),
        ("show", "0" * 32, "--json"),
        ("show", "91-1111-2222-3333"),
        ("card", "7K2M-94QD-XV3T-8", "-o", "out.pdf", "--json"),
    ],
)
def test_a_number_that_nobody_has(desk: Desk, arguments: tuple[str, ...]) -> None:
    said(desk.camp("a").run(*arguments), kit_errors.RecordNotFound)


def test_a_link_for_nobody_is_refused_at_the_person(desk: Desk) -> None:
    told = desk.camp("a").run(
        "link", "7K2M-94QD-XV3T-8", "--hi-type", "OPConsultation", "--facility", "IN0812966769",
        "--date", "2026-11-11", "--display", "OPD visit", "--json",
    )  # fmt: skip
    assert (told.code, told.err) == (1, "")
    assert [problem["pointer"] for problem in told.object["problems"]] == ["/person"]


def test_cards_of_nobody_at_all(desk: Desk) -> None:
    told = desk.laptop("a").run("card", "--all", "-o", desk.folder / "out.pdf")
    said(told, kit_errors.RecordNotFound)
    assert not (desk.folder / "out.pdf").exists()


def test_a_picture_without_a_code(desk: Desk) -> None:
    picture = desk.folder / "blank.png"
    Image.new("RGB", (300, 300), "white").save(picture)
    said(desk.laptop("a").run("verify", picture, "--json"), kit_errors.DocumentUnreadable)


@pytest.mark.parametrize(
    "arguments",
    [("enroll", "none.jsonl"), ("verify", "none.png"), ("link", "--from", "none.jsonl")],
)
def test_a_file_that_is_not_there(desk: Desk, arguments: tuple[str, ...]) -> None:
    said(desk.laptop("a").run(*arguments, "--json"), kit_errors.FileUnreadable)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("card", "--all"),
        ("card", "-o", "out.pdf"),
        ("card", "--all", "-o", "out.doc"),
        ("enroll",),
        ("link",),
        ("search", "x", "--limit", "-1"),
        ("status", "--jsn"),
    ],
)
def test_a_command_typed_wrongly(desk: Desk, arguments: tuple[str, ...]) -> None:
    told = desk.laptop("a").run(*arguments)
    assert (told.code, told.out) == (2, "")
    assert "Usage:" in told.err
    assert "Traceback" not in told.err
    assert not (desk.folder / "a" / "crashes").exists()


def test_without_passphrase_and_terminal_nothing_is_asked(desk: Desk) -> None:
    laptop = desk.laptop("a")
    environment = laptop.environment()
    del environment["ENROLLKIT_PASSPHRASE"]
    process = laptop.start("status", "--json", stdin=subprocess.DEVNULL, env=environment)
    out, err = process.communicate(timeout=60)
    told = Outcome(process.returncode, out.decode(), err.decode())
    said(told, kit_errors.WrongPassphrase)
    assert "ENROLLKIT_PASSPHRASE" in told.err
