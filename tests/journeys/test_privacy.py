"""A whole day with marked people: nobody reads them where they should not be readable."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from journey_camp import Office
from journey_marked_day import (
    ALL_FORMS,
    MOBILES,
    NAMES,
    NUMBER_FORMS,
    NUMBERS,
    OPERATOR,
    TEXTS,
    MarkedDay,
    open_marked_day,
)
from journey_search import files_under, find_marks, forms_of_number, forms_of_text
from sync.capture import MEDIA_TYPE, open_number, open_session_key, session_id
from sync.errors import EnvelopeInvalid
from sync.sealing import OpeningKey
from sync.server.keys import open_vault

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("journey-privacy")]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MarkedDay]:
    with open_marked_day(tmp_path_factory.mktemp("privacy")) as day:
        yield day


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


def test_the_day_left_behind_what_it_should(day: MarkedDay) -> None:
    assert {name: told.code for name, told in day.quiet.items()} == {
        "enroll": 1, "enroll for people": 1, "crash": 99, "killed": 0,
        "sync": 0, "sync for people": 0, "status": 0, "doctor": 0, "nobody": 53, "card": 0,
    }  # fmt: skip
    kinds = {name.rpartition(": ")[2].partition("-2")[0] for name in day.snapshots}
    assert {"enrollkit.db", "enrollkit.db-wal", "keyring.json", "sync.lock", "crash"} <= kinds
    assert len(day.snapshots["after the power cut: enrollkit.db-wal"]) > 10_000
    assert len(list((day.laptop.home / "crashes").iterdir())) == 1


def test_no_file_of_the_laptop_holds_a_readable_person(day: MarkedDay) -> None:
    operator = {"operator": forms_of_text(OPERATOR.split()[1])}
    assert read_from(day.snapshots, {**ALL_FORMS, **operator}) == []


def test_no_file_of_the_laptop_holds_the_passphrase(day: MarkedDay) -> None:
    forms = {"passphrase": forms_of_text(day.laptop.passphrase)}
    assert read_from(day.snapshots, forms) == []


def test_no_temporary_file_is_left_behind(day: MarkedDay) -> None:
    left = dict(files_under(day.folder / "tmp", day.folder / "server-tmp"))
    assert read_from(left, ALL_FORMS) == []


def test_the_traffic_holds_no_readable_person(day: MarkedDay) -> None:
    passages = day.office.relay.passages
    traffic = {
        f"{way} {place}": bytes(getattr(passage, way))
        for place, passage in enumerate(passages)
        for way in ("up", "down")
    }
    assert sum(len(data) for data in traffic.values()) > 10_000
    assert read_from(traffic, ALL_FORMS) == []


def test_what_commands_print_holds_nobody_unless_that_is_their_work(day: MarkedDay) -> None:
    printed = {name: (told.out + told.err).encode() for name, told in day.quiet.items()}
    assert read_from(printed, ALL_FORMS) == []


def test_a_command_that_shows_a_person_shows_no_aadhaar_number(day: MarkedDay) -> None:
    printed = {name: (told.out + told.err).encode() for name, told in day.naming.items()}
    assert all(NAMES[0][0].encode() in data for data in printed.values())
    assert read_from(printed, NUMBER_FORMS) == []
    errors = {name: told.err.encode() for name, told in day.naming.items()}
    assert read_from(errors, ALL_FORMS) == []


def test_a_crash_file_says_where_and_never_whom(day: MarkedDay) -> None:
    for path in (day.laptop.home / "crashes").iterdir():
        text = path.read_text(encoding="utf-8")
        assert "RuntimeError" in text
        assert "enrolling.py" in text or "enroll.py" in text
        assert find_marks(text.encode(), ALL_FORMS) == []


def test_the_servers_log_and_keys_hold_nobody(day: MarkedDay) -> None:
    spoken = {
        path: data
        for path, data in files_under(day.office.home)
        if "enrollkit-server.db" not in path and not path.endswith("export.jsonl")
    }
    log = next(data for path, data in spoken.items() if path.endswith("stderr.log"))
    assert day.laptop.device.encode() in log
    assert read_from(spoken, ALL_FORMS) == []


def test_no_aadhaar_number_is_readable_at_the_server(day: MarkedDay) -> None:
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


def test_the_vault_key_opens_each_number_and_no_other_key_does(day: MarkedDay) -> None:
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


def test_the_laptop_cannot_read_back_a_number_it_sealed(day: MarkedDay) -> None:
    """Unlocked, with its whole database in the clear: the number is not there."""
    with day.laptop.unlocked() as kit:
        dump = kit._open().database.read(everything_in)
    assert NAMES[0][0] in dump, "the database is readable here"
    assert find_marks(dump.encode(), NUMBER_FORMS) == []
