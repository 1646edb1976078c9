"""What somebody reads when something is wrong at the laptop: words, exit code, no traceback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from enrollkit import errors
from enrollkit.store.database import Database
from journey_camp import Office, Outcome, open_office, run_kit, write_rows
from journey_people import people
from journey_words import Desk, said

pytestmark = pytest.mark.xdist_group("journey-words")

READING = [
    ("status", "--json"),
    ("search", "Asha", "--json"),
    ("doctor", "--json"),
    ("sync", "--json"),
]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("words") / "office", running=False) as office:
        yield office


@pytest.fixture
def desk(office: Office, tmp_path: Path) -> Desk:
    return Desk(office=office, folder=tmp_path)


@pytest.mark.parametrize("arguments", READING)
def test_a_wrong_passphrase(desk: Desk, arguments: tuple[str, ...]) -> None:
    laptop = replace(desk.laptop("a"), passphrase="marigold tractor seven river")
    said(laptop.run(*arguments), errors.WrongPassphrase)


@pytest.mark.parametrize("arguments", READING)
def test_a_laptop_that_is_not_set_up(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    said(run_kit(tmp_path / "empty", *arguments), errors.NotInitialised)
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize("damage", ["first page", "salt", "every page", "cut", "empty", "text"])
def test_a_damaged_database(desk: Desk, damage: str) -> None:
    laptop = desk.camp("a")
    path = laptop.home / "enrollkit.db"
    path.write_bytes(damaged(path.read_bytes(), damage))
    said(laptop.run("status", "--json"), errors.StoreDamaged)
    said(laptop.run("sync", "--json"), errors.StoreDamaged)


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
            said(told, errors.StoreDamaged)


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
        said(one, errors.StoreBusy)
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
    said(laptop.run("status", "--json"), errors.SealBroken)


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
    said(run_kit(home, "init", "--programme", file, "--operator", "A"), errors.ProgrammeInvalid)
    assert not home.exists()


def test_an_operator_without_a_name_sets_nothing_up(desk: Desk) -> None:
    home = desk.folder / "new"
    told = run_kit(home, "init", "--programme", desk.folder, "--operator", "  ")
    assert (told.code, told.out) == (2, "")
    assert "Name the person who works here." in told.err
    assert not home.exists()


def test_a_programme_file_that_is_not_there(desk: Desk) -> None:
    told = run_kit(
        desk.folder / "new", "init", "--programme", desk.folder / "none", "--operator", "A"
    )
    said(told, errors.FileUnreadable)


def test_a_second_set_up_and_one_for_another_programme(desk: Desk) -> None:
    laptop, own, foreign = desk.camp("a"), desk.folder / "own", desk.folder / "foreign"
    own.write_bytes(desk.office.programme())
    with open_office(desk.folder / "elsewhere", name="Elsewhere", running=False) as other:
        foreign.write_bytes(other.programme())
    set_up = ("init", "--operator", "B", "--programme")
    said(laptop.run(*set_up, own), errors.AlreadyInitialised)
    said(laptop.run(*set_up, foreign), errors.ProgrammeForeign)
    assert laptop.status()["total"] == 3


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
    said(desk.camp("a").run(*arguments), errors.RecordNotFound)


def test_a_link_for_nobody_is_refused_at_the_person(desk: Desk) -> None:
    told = desk.camp("a").run(
        "link", "7K2M-94QD-XV3T-8", "--hi-type", "OPConsultation", "--facility", "IN0812966769",
        "--date", "2026-11-11", "--display", "OPD visit", "--json",
    )  # fmt: skip
    assert (told.code, told.err) == (1, "")
    assert [problem["pointer"] for problem in told.object["problems"]] == ["/person"]


def test_cards_of_nobody_at_all(desk: Desk) -> None:
    told = desk.laptop("a").run("card", "--all", "-o", desk.folder / "out.pdf")
    said(told, errors.RecordNotFound)
    assert not (desk.folder / "out.pdf").exists()


def test_a_picture_without_a_code(desk: Desk) -> None:
    picture = desk.folder / "blank.png"
    Image.new("RGB", (300, 300), "white").save(picture)
    said(desk.laptop("a").run("verify", picture, "--json"), errors.DocumentUnreadable)


@pytest.mark.parametrize(
    "arguments",
    [("enroll", "none.jsonl"), ("verify", "none.png"), ("link", "--from", "none.jsonl")],
)
def test_a_file_that_is_not_there(desk: Desk, arguments: tuple[str, ...]) -> None:
    said(desk.laptop("a").run(*arguments, "--json"), errors.FileUnreadable)


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
    said(told, errors.WrongPassphrase)
    assert "ENROLLKIT_PASSPHRASE" in told.err
