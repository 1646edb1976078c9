"""One laptop of the camp: the real store, outbox, inbox and engine, on a disk in memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

from enrollkit.app.delivery import ports_of
from enrollkit.app.desk import Desk
from enrollkit.app.home import Home
from enrollkit.app.results import Operator
from enrollkit.errors import KitError
from enrollkit.reference.places import Places
from enrollkit.store.database import Tx
from enrollkit.store.lives import closed_lives
from schemas.numbers import approval_code
from simulator.fuses import FragileDatabase, Fuse, PowerCut
from simulator.templates import DATABASE_KEY, LaptopTemplate, Template
from simulator.times import Machine, TrueTime
from sync.engine.account import Summary
from sync.engine.pacing import Pacing
from sync.engine.runner import deliver
from sync.errors import SyncBusy
from sync.ports import Transport

__all__ = ["PACING", "Laptop"]

_T = TypeVar("_T")

PACING = Pacing(tries_max=3, first_tries_max=2, push_bytes_min=2048, push_bytes_max=16 * 1024)
"""Small requests, so that a camp of ten people needs several."""


class Laptop:
    """A laptop. ``name`` tells copies of one disk apart; they share keys and device id."""

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        made_from: LaptopTemplate,
        whole: Template,
        true: TrueTime,
        salt: str,
    ) -> None:
        self.name = name
        self.folder = folder
        self.made_from = made_from
        self.machine = Machine(true, f"{salt} {name}")
        self.fuse = Fuse()
        self.backups: list[bytes] = []
        self.receipts_seen: dict[tuple[str, int], bytes] = {}
        """Receipts that an oracle has looked at already, by life and batch."""
        self._whole = whole
        self._true = true
        self._salt = salt
        if not folder.exists():
            folder.mkdir()
            shutil.copy(made_from.database, folder / "enrollkit.db")
        self._open()

    @property
    def device(self) -> str:
        """The device id."""
        return self.made_from.keys.id

    @property
    def approval_code(self) -> str:
        """What the operator reads to the office."""
        return approval_code(self.made_from.keys.signing.public.digest())

    @property
    def database(self) -> FragileDatabase:
        """The open database."""
        return cast("FragileDatabase", self.desk.database)

    def _open(self) -> None:
        home = Home(self.folder)
        database = cast(
            "FragileDatabase",
            FragileDatabase.open(home.database, DATABASE_KEY, clock=self.machine),
        )
        database.fuse = self.fuse
        self.desk = Desk(
            home=home,
            system=self.machine,
            database=database,
            operator=Operator(slot=1, name="Sunita"),
            keys=self.made_from.keys,
            programme=self._whole.programme,
            capture=self.made_from.capture,
            places=cast("Places", None),
        )

    def close(self) -> None:
        """Shut the laptop down."""
        self.desk.database.close()

    def write(self, work: Callable[[Tx], _T]) -> _T:
        """Do something at the laptop, in one transaction."""
        return self.database.write(work)

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Give what a question to the database answers: for the oracles."""
        return self.database.rows(sql, *values)

    def carried(self) -> list[bytes]:
        """Give the sealed files of other laptops that this one carries."""
        return [bytes(data) for (data,) in self.rows("SELECT data FROM carried")]

    def open_closed_lives(self) -> list[str]:
        """Give the closed lives that a session still asks for."""
        return self.database.read(closed_lives)

    def fact(self, key: str) -> bytes | None:
        """Give one remembered value."""
        found = self.rows("SELECT value FROM meta WHERE key = ?", key)
        return bytes(found[0][0]) if found else None

    def text(self, key: str) -> str:
        """Give one remembered value as text; empty when there is none."""
        return (self.fact(key) or b"").decode()

    def number(self, key: str) -> int:
        """Give one remembered number; 0 when there is none."""
        return int(self.text(key) or 0)

    def survive(self, work: Callable[[], str], *, tear: bool = False) -> str:
        """Do something and say how it ended; after a power cut the laptop starts from its disk."""
        try:
            return work()
        except PowerCut:
            self.lose_power(tear=tear)
            return "power cut"
        except KitError as error:
            return error.code
        except SyncBusy as error:
            return error.code
        finally:
            self.fuse.left, self.fuse.blown = 0, False

    def lose_power(self, *, tear: bool = False) -> None:
        """Go on from what lies on the disk; ``tear`` leaves half a page at the log's end."""
        left = {
            end: path.read_bytes()
            for end in ("", "-wal")
            if (path := self.folder / f"enrollkit.db{end}").exists()
        }
        self.desk.database.close()
        for end in ("", "-wal", "-shm"):
            (self.folder / f"enrollkit.db{end}").unlink(missing_ok=True)
        for end, data in left.items():
            torn = self.machine.token(700) if tear and end == "-wal" and data else b""
            (self.folder / f"enrollkit.db{end}").write_bytes(data + torn)
        self.machine.reboot()
        self._open()

    def back_up(self) -> None:
        """Keep a copy of the disk."""
        self.backups.append(self.disk())

    def disk(self) -> bytes:
        """Give the database file as it would be after a clean end."""
        self.database.close()
        data = (self.folder / "enrollkit.db").read_bytes()
        self._open()
        return data

    def put_back(self, disk: bytes) -> None:
        """Let an older copy be the disk."""
        self.close()
        for end in ("", "-wal", "-shm"):
            (self.folder / f"enrollkit.db{end}").unlink(missing_ok=True)
        (self.folder / "enrollkit.db").write_bytes(disk)
        self.receipts_seen.clear()
        self.machine.reboot()
        self._open()

    def copy(self, name: str) -> Laptop:
        """Give another laptop with a copy of this one's disk."""
        folder = self.folder.with_name(name)
        folder.mkdir()
        (folder / "enrollkit.db").write_bytes(self.disk())
        return Laptop(
            name,
            folder,
            made_from=self.made_from,
            whole=self._whole,
            true=self._true,
            salt=self._salt,
        )

    def sync(self, road: Transport, *, tries_max: int = PACING.tries_max) -> Summary:
        """Run one session."""
        return deliver(
            ports_of(self.desk, road),
            approval_code=self.approval_code,
            pacing=replace(PACING, tries_max=tries_max),
        )
