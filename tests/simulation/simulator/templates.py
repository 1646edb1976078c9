"""What every run starts from, made once for a process: keys, a server's home, fresh laptops.

A run copies these files. To migrate two databases anew for each of ten thousand seeds would take
longer than the runs themselves.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TextIO, cast

from sqlalchemy import insert

from enrollkit.app.desk import DeviceKeys
from enrollkit.store.audit import append_audit
from enrollkit.store.database import Database, Tx
from enrollkit.store.lives import begin_life
from enrollkit.store.meta import Fact, keep_fact
from enrollkit.store.operators import Role, add_operator
from enrollkit.store.programmes import keep_programme
from enrollkit.vault.capture_seal import CaptureSession
from schemas.numbers import approval_code
from simulator.times import MORNING
from sync.programme import Programme, open_programme
from sync.protocol import NO_DIGEST, Hello
from sync.sealing import OpeningKey, SigningKey, sign_hello
from sync.server.approval import approve_code
from sync.server.keys import ServerKeys, create_keys
from sync.server.logs import Log
from sync.server.programme import install_own_wordings, newest_programme, publish
from sync.server.serving import make_services
from sync.server.settings import Settings
from sync.server.store import Store
from sync.server.store.tables import meta

__all__ = ["DATABASE_KEY", "LAPTOPS", "LaptopTemplate", "Silence", "Template", "template"]

DATABASE_KEY = bytes(range(32))
LAPTOPS = 3
"""Laptops in a camp; copies of their disks come on top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaptopTemplate:
    """One laptop as it comes from ``init``."""

    keys: DeviceKeys
    capture: CaptureSession
    database: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """``met`` is a server that has approved all laptops, ``unmet`` one that has seen none."""

    folder: Path
    keys: ServerKeys
    programme: Programme
    met: Path
    unmet: Path
    laptops: tuple[LaptopTemplate, ...]


class Silence:
    """A stream that keeps what is written, so that an oracle can look for people in it."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, text: str) -> int:
        """Keep a piece of the log."""
        self.lines.append(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def close(self) -> None:
        """Do nothing."""


@cache
def template() -> Template:
    """Make the templates, in memory where the system has a disk in memory."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    folder = Path(tempfile.mkdtemp(prefix="simulator-", dir=memory if memory.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    unmet = folder / "unmet"
    unmet.mkdir()
    keys = create_keys(unmet, None)
    raw = _make_server(unmet, keys)
    programme = open_programme(raw, None)
    laptops = tuple(_make_laptop(folder, number, programme, raw) for number in range(LAPTOPS))
    met = folder / "met"
    shutil.copytree(unmet, met)
    _meet_all(met, keys, laptops)
    return Template(
        folder=folder,
        keys=keys,
        programme=programme,
        met=met,
        unmet=unmet,
        laptops=laptops,
    )


def settings_of(home: Path) -> Settings:
    """Give the settings of a server's home."""
    return Settings(home=home, db=f"sqlite:///{home / 'server.db'}")


def _bytes(name: str, size: int) -> bytes:
    return hashlib.shake_256(f"simulator {name}".encode()).digest(size)


def _make_server(home: Path, keys: ServerKeys) -> bytes:
    store = Store(settings_of(home).db)
    store.migrate()
    with store.write() as connection:
        for name, value in {
            "name": "Practice",
            "url": "http://127.0.0.1:9",
            "epoch": _bytes("epoch", 8).hex(),
        }.items():
            connection.execute(insert(meta).values(name=name, value=value))
        install_own_wordings(connection, now=MORNING)
        publish(connection, keys, now=MORNING)
        _, raw = newest_programme(connection)
    store.close()
    return raw


def _make_laptop(folder: Path, number: int, programme: Programme, raw: bytes) -> LaptopTemplate:
    keys = DeviceKeys(
        signing=SigningKey(_bytes(f"signing {number}", 32)),
        opening=OpeningKey(_bytes(f"opening {number}", 96)),
        incarnation=_bytes(f"life {number}", 8).hex(),
    )
    path = folder / f"laptop-{number}" / "enrollkit.db"

    def first_rows(tx: Tx) -> None:
        keep_fact(tx, Fact.SIGNING_KEY, keys.signing.to_bytes())
        keep_fact(tx, Fact.OPENING_KEY, keys.opening.to_bytes())
        begin_life(tx, keys.incarnation, at=MORNING)
        keep_programme(tx, raw, programme.serial, at=MORNING)
        add_operator(tx, 1, name="Sunita", role=Role.SUPERVISOR, at=MORNING)
        append_audit(tx, at=MORNING, operator=1, action="init")

    with Database.create(path, DATABASE_KEY) as database:
        database.write(first_rows)
    return LaptopTemplate(keys=keys, capture=CaptureSession(programme.vault), database=path)


def _meet_all(home: Path, keys: ServerKeys, laptops: tuple[LaptopTemplate, ...]) -> None:
    settings = settings_of(home)
    store = Store(settings.db)
    services = make_services(
        settings,
        store=store,
        keys=keys,
        log=Log(cast("TextIO", Silence())),
        clock=lambda: MORNING,
        is_draining=lambda: False,
    )
    for laptop in laptops:
        services.contact.greet(_first_hello(laptop))
        with store.write() as connection:
            code = approval_code(laptop.keys.signing.public.digest())
            approve_code(connection, keys, code, now=MORNING)
    store.close()


def _first_hello(laptop: LaptopTemplate) -> bytes:
    hello = Hello(
        version=1,
        device=laptop.keys.id,
        incarnation=laptop.keys.incarnation,
        last_batch=0,
        last_digest=NO_DIGEST,
        receipted_upto=0,
        cursor=0,
        programme_serial=1,
        time=MORNING,
        boot=bytes(8),
        monotonic=1,
        nonce=bytes(16),
        public_key=laptop.keys.signing.public.raw,
        seal_key=laptop.keys.opening.public.raw,
    )
    return sign_hello(hello, laptop.keys.signing)
