"""A whole day with marked people: nobody reads them where they should not be readable."""

from __future__ import annotations

import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from journey_camp import Laptop, Office, Outcome, open_office, write_rows
from journey_people import aadhaar, person, visit
from journey_search import files_under, find_marks, forms_of_number, forms_of_text
from sync.capture import MEDIA_TYPE, open_number, open_session_key, session_id
from sync.errors import EnvelopeInvalid
from sync.sealing import OpeningKey
from sync.server.keys import open_vault

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("journey-privacy")]

NAMES = (
    ("Zuqvanta Quillhopper", "झुक्वांता क्विलहोपर"),
    ("Wexomira Brindlefax", "वेक्सोमीरा ब्रिंडलफैक्स"),
    ("Yondrelka Thripswell", "योंड्रेल्का थ्रिप्सवेल"),
)
OPERATOR = "Operatrix Quaggasmith"
WITNESS, GUARDIAN = "Vimplonda Jexwright", "Gorbantha Muzzlewick"
VILLAGE, LINE, HANDLE = "Okapipurwa", "Pangolin Lane 77", "zuqvanta.qh"
MOBILES = ("9183746501", "9183746502", "9183746503", "9183746504")
NUMBERS = tuple(aadhaar(8_374_650 + place) for place in range(6))
TEXTS = (
    *(part for latin, native in NAMES for name in (latin, native) for part in name.split()),
    *WITNESS.split(), *GUARDIAN.split(), VILLAGE, "Pangolin", HANDLE,
)  # fmt: skip
CRASH = """
import sys
from enrollkit.app.enrolling import Enrolling
def fail(self, row, **_):
    try:
        raise ValueError(f"cannot save {row}")
    except ValueError as error:
        raise RuntimeError(repr(row)) from error
Enrolling.submit_row = fail
from enrollkit.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def marked(place: int, **changes: Any) -> dict[str, Any]:
    """Give a row in which everything that could be told of a person is marked."""
    name, native = NAMES[place % len(NAMES)]
    given = person(900 + place)
    given |= {"name": name, "name_native": native, "aadhaar": NUMBERS[place]}
    given |= {"mobile": MOBILES[place], "abha_address_choice": HANDLE}
    given["address"] |= {"village": VILLAGE, "line": LINE}
    given["consent"] |= {"witness": WITNESS, "method": "verbal-witnessed"}
    given["guardian"] = {"name": GUARDIAN, "relation": "mother"}
    return {**given, **changes}


def namesake(number: int) -> dict[str, Any]:
    """Give somebody of the first name once more, of another age and without numbers."""
    known = {"birth": {"year": 1900 + number}, "household": f"HH-{number}"}
    return marked(0, **known, mobile=None, mobile_owner="none", aadhaar=None)


@dataclass(slots=True, kw_only=True)
class Day:
    """What a day left behind, everywhere."""

    folder: Path
    office: Office
    laptop: Laptop
    quiet: dict[str, Outcome] = field(default_factory=dict)
    """Commands that have no reason to say a name."""
    naming: dict[str, Outcome] = field(default_factory=dict)
    """Commands whose work it is to show a person."""
    snapshots: dict[str, bytes] = field(default_factory=dict)
    """Files of the laptop at different moments."""
    ids: dict[str, str] = field(default_factory=dict)
    """Record id -> Aadhaar number."""

    def run(self, *arguments: str | Path, crash: bool = False) -> Outcome:
        """Run a command as a process of its own, with a temporary folder of its own."""
        program = ["-c", CRASH] if crash else ["-m", "enrollkit"]
        environment = self.laptop.environment(TMPDIR=str(self.folder / "tmp"))
        done = subprocess.run(
            [sys.executable, *program, *map(str, arguments)],
            capture_output=True, check=False, timeout=120, env=environment,
            cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    def keep(self, moment: str) -> None:
        for path, data in files_under(self.laptop.home):
            self.snapshots[f"{moment}: {Path(path).name}"] = data

    def spend(self) -> None:
        self._enroll()
        self._type_a_draft()
        self._crash()
        self._die()
        self._deliver()
        self.keep("evening")

    def _enroll(self) -> None:
        bad = [
            marked(3, name=f"{NAMES[0][0]} 77"),
            marked(3, aadhaar=NUMBERS[3][:-1]),
            marked(3, aadhaar=NUMBERS[3][:-1] + str(9 - int(NUMBERS[3][-1]))),
            marked(3, mobile=MOBILES[3][:-1] + "O"),
            marked(3, aadhaar=NUMBERS[0]),
            marked(3, ration_card=VILLAGE),
        ]
        rows = [*(marked(place) for place in range(3)), *bad]
        file = write_rows(self.folder / "people.jsonl", rows)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(marked(3), ensure_ascii=False)[:300])
        self.quiet["enroll"] = told = self.run("enroll", file, "--json")
        self.quiet["enroll for people"] = self.laptop.run("enroll", file)
        saved = [row for row in told.rows if row["ok"]]
        assert len(saved) == 3, told
        self.ids = {row["id"]: NUMBERS[place] for place, row in enumerate(saved)}

    def _type_a_draft(self) -> None:
        """Type at the screen; the files are kept while the kit is open."""
        with self.laptop.unlocked() as kit:
            draft = kit.drafts.start()
            row = marked(3, aadhaar=None)
            kit.drafts.save(draft.id, row, "person")
            assert kit.drafts.seal_aadhaar(draft.id, NUMBERS[4]) == NUMBERS[4][-4:]
            self.keep("while open")
            other = kit.drafts.start(row)
            kit.drafts.discard(other.id)
            self.keep("draft discarded")
            (found,) = kit.people.search(NAMES[0][0])
            assert found.id in self.ids
            linked = kit.links.add(found.id, visit(1, display="Visit of the day"))
            assert linked.ok

    def _crash(self) -> None:
        file = write_rows(self.folder / "crash.jsonl", [marked(3)])
        self.quiet["crash"] = self.run("enroll", file, crash=True)

    def _die(self) -> None:
        """Take the power away with everything still in the write-ahead log."""
        rows = [namesake(number) for number in range(90)]
        file = write_rows(self.folder / "more.jsonl", rows)
        process = self.laptop.start("enroll", file, stderr=subprocess.DEVNULL, pipesize=4096)
        assert process.stdout is not None
        line = process.stdout.readline()
        process.kill()
        rest = process.stdout.read()
        process.stdout.close()
        assert process.wait() == -signal.SIGKILL
        self.quiet["killed"] = Outcome(0, (line + rest).decode(), "")
        self.keep("after the power cut")

    def _deliver(self) -> None:
        self.quiet["sync"] = self.run("sync", "--json")
        self.quiet["sync for people"] = self.laptop.run("sync")
        self.quiet["status"] = self.laptop.run("status")
        self.quiet["doctor"] = self.laptop.run("doctor")
        self.quiet["nobody"] = self.laptop.run("show", "7K2M-94QD-XV3T-8")
        first = next(iter(self.ids))
        self.naming["show"] = self.laptop.run("show", first, "--json")
        self.naming["search"] = self.laptop.run("search", VILLAGE)
        card = self.folder / "card.png"
        self.quiet["card"] = self.laptop.run("card", first, "-o", card, "--json")
        self.naming["verify"] = self.laptop.run("verify", card, "--json")
        assert self.quiet["sync"].object["waiting"] == 0


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("privacy")
    for name in ("tmp", "server-tmp"):
        (folder / name).mkdir()
    with mock.patch.dict(os.environ, {"TMPDIR": str(folder / "server-tmp")}):
        opened = open_office(folder / "office")
        office = opened.__enter__()
    try:
        laptop = Laptop.make(folder / "laptop", office.programme(), operator=OPERATOR)
        office.run("device", "approve", laptop.approval_code)
        day = Day(folder=folder, office=office, laptop=laptop)
        day.spend()
        yield day
    finally:
        opened.__exit__(None, None, None)


TEXT_FORMS = {f"text {place}": forms_of_text(mark) for place, mark in enumerate(TEXTS)}
MOBILE_FORMS = {f"mobile {place}": forms_of_number(mark) for place, mark in enumerate(MOBILES)}
NUMBER_FORMS = {f"Aadhaar {place}": forms_of_number(mark) for place, mark in enumerate(NUMBERS)}
ALL_FORMS = {**TEXT_FORMS, **MOBILE_FORMS, **NUMBER_FORMS}


def read_from(places: Mapping[str, bytes], forms: Mapping[str, Mapping[str, bytes]]) -> list[str]:
    return [
        f"{place}: {mark}" for place, data in places.items() for mark in find_marks(data, forms)
    ]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda raw: raw,
        lambda raw: raw.decode().encode("utf-16-le"),
        lambda raw: raw.decode().encode("utf-16-be"),
        lambda raw: raw.hex().encode(),
        lambda raw: raw.hex().upper().encode(),
        lambda raw: base64.b64encode(b"a" + raw),
        lambda raw: base64.b64encode(b"ab" + raw),
        lambda raw: base64.urlsafe_b64encode(b"abc" + raw + b"xyz"),
        lambda raw: base64.b64encode(raw.decode().encode("utf-16-le")),
        lambda raw: json.dumps(raw.decode()).encode(),
    ],
)
def test_the_search_finds_what_is_hidden_in_any_form(wrap: Any) -> None:
    for place, mark in enumerate(TEXTS):
        hidden = bytes(range(256)) + wrap(mark.encode()) + bytes(range(256))
        assert find_marks(hidden, {f"text {place}": forms_of_text(mark)}), mark
    for mark in (*MOBILES, *NUMBERS):
        hidden = b"\xff\x00" + wrap(mark.encode()) + b"\x00\xff"
        assert find_marks(hidden, {"number": forms_of_number(mark)}), mark


def test_the_search_finds_nothing_in_noise() -> None:
    assert find_marks(os.urandom(1 << 20), ALL_FORMS) == []


def test_the_day_left_behind_what_it_should(day: Day) -> None:
    assert {name: told.code for name, told in day.quiet.items()} == {
        "enroll": 1, "enroll for people": 1, "crash": 99, "killed": 0,
        "sync": 0, "sync for people": 0, "status": 0, "doctor": 0, "nobody": 53, "card": 0,
    }  # fmt: skip
    kinds = {name.rpartition(": ")[2].partition("-2")[0] for name in day.snapshots}
    assert {"enrollkit.db", "enrollkit.db-wal", "keyring.json", "sync.lock", "crash"} <= kinds
    assert len(day.snapshots["after the power cut: enrollkit.db-wal"]) > 10_000
    assert len(list((day.laptop.home / "crashes").iterdir())) == 1


def test_no_file_of_the_laptop_holds_a_readable_person(day: Day) -> None:
    operator = {"operator": forms_of_text(OPERATOR.split()[1])}
    assert read_from(day.snapshots, {**ALL_FORMS, **operator}) == []


def test_no_file_of_the_laptop_holds_the_passphrase(day: Day) -> None:
    forms = {"passphrase": forms_of_text(day.laptop.passphrase)}
    assert read_from(day.snapshots, forms) == []


def test_no_temporary_file_is_left_behind(day: Day) -> None:
    left = dict(files_under(day.folder / "tmp", day.folder / "server-tmp"))
    assert read_from(left, ALL_FORMS) == []


def test_the_traffic_holds_no_readable_person(day: Day) -> None:
    passages = day.office.relay.passages
    traffic = {
        f"{way} {place}": bytes(getattr(passage, way))
        for place, passage in enumerate(passages)
        for way in ("up", "down")
    }
    assert sum(len(data) for data in traffic.values()) > 10_000
    assert read_from(traffic, ALL_FORMS) == []


def test_what_commands_print_holds_nobody_unless_that_is_their_work(day: Day) -> None:
    printed = {name: (told.out + told.err).encode() for name, told in day.quiet.items()}
    assert read_from(printed, ALL_FORMS) == []


def test_a_command_that_shows_a_person_shows_no_aadhaar_number(day: Day) -> None:
    printed = {name: (told.out + told.err).encode() for name, told in day.naming.items()}
    assert all(NAMES[0][0].encode() in data for data in printed.values())
    assert read_from(printed, NUMBER_FORMS) == []
    errors = {name: told.err.encode() for name, told in day.naming.items()}
    assert read_from(errors, ALL_FORMS) == []


def test_a_crash_file_says_where_and_never_whom(day: Day) -> None:
    for path in (day.laptop.home / "crashes").iterdir():
        text = path.read_text(encoding="utf-8")
        assert "RuntimeError" in text
        assert "enrolling.py" in text or "enroll.py" in text
        assert find_marks(text.encode(), ALL_FORMS) == []


def test_the_servers_log_and_keys_hold_nobody(day: Day) -> None:
    spoken = {
        path: data
        for path, data in files_under(day.office.home)
        if "enrollkit-server.db" not in path and not path.endswith("export.jsonl")
    }
    log = next(data for path, data in spoken.items() if path.endswith("stderr.log"))
    assert day.laptop.device.encode() in log
    assert read_from(spoken, ALL_FORMS) == []


def test_no_aadhaar_number_is_readable_at_the_server(day: Day) -> None:
    rows = day.office.export()
    assert {row["id"]: row["aadhaar_last4"] for row in rows if row["id"] in day.ids} == {
        ident: number[-4:] for ident, number in day.ids.items()
    }
    files = dict(files_under(day.office.home))
    databases = {path for path in files if "enrollkit-server.db" in path}
    assert any(NAMES[0][0].encode() in files[path] for path in databases), "the search can find"
    assert NAMES[0][1].encode() in (day.office.home / "export.jsonl").read_bytes()
    assert read_from(files, NUMBER_FORMS) == []


def everything_in(tx: Any) -> str:
    """Write out every cell of every table, bytes as Latin-1."""
    tables = [name for (name,) in tx.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = [row for table in tables for row in tx.execute(f'SELECT * FROM "{table}"').fetchall()]  # noqa: S608 - our own tables
    return "\n".join(
        cell.decode("latin-1") if isinstance(cell, bytes) else str(cell)
        for row in rows
        for cell in row
    )


def sealed_at(office: Office) -> tuple[dict[str, bytes], dict[str, tuple[str, int, bytes]]]:
    """Give what the server keeps: sealed session keys by session, sealed numbers by record."""
    path = office.home / "enrollkit-server.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        keys = database.execute(
            "SELECT data FROM chunks JOIN blobs USING (device, sha256) WHERE media_type = ?",
            (MEDIA_TYPE,),
        ).fetchall()
        numbers = database.execute(
            "SELECT enrollment, capture_session, version, sealed FROM sealed_ids"
        ).fetchall()
    sessions = {session_id(bytes(data)): bytes(data) for (data,) in keys}
    return sessions, {row[0]: (row[1], row[2], bytes(row[3])) for row in numbers}


def test_the_vault_key_opens_each_number_and_no_other_key_does(day: Day) -> None:
    sessions, numbers = sealed_at(day.office)
    vault = open_vault(day.office.home, None)
    assert numbers.keys() == day.ids.keys()
    for ident, (session, version, sealed) in numbers.items():
        key = open_session_key(sessions[session], vault)
        opened = open_number(key, sealed, record_id=ident, version=version)
        assert opened == day.ids[ident]
        with pytest.raises(EnvelopeInvalid):
            open_session_key(sessions[session], OpeningKey.generate())
        for other in numbers.keys() - {ident}:
            with pytest.raises(EnvelopeInvalid):
                open_number(key, sealed, record_id=other, version=version)


def test_the_laptop_cannot_read_back_a_number_it_sealed(day: Day) -> None:
    """Unlocked, with its whole database in the clear: the number is not there."""
    with day.laptop.unlocked() as kit:
        dump = kit._open().database.read(everything_in)
    assert NAMES[0][0] in dump, "the database is readable here"
    assert find_marks(dump.encode(), NUMBER_FORMS) == []
