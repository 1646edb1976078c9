"""The central server in this process: the real intake, contact and store on a file in memory.

What only a simulation can do is added around it: to die before or after a commit, to be copied and
put back at any moment, and to remember everything it ever signed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TextIO, cast

from sqlalchemy import Connection, update
from sqlcipher3 import dbapi2

from simulator.templates import Silence, Template, settings_of
from simulator.times import TrueTime
from sync.bundle import BUNDLE_SUFFIX, RETURN_SUFFIX, decode_return
from sync.errors import SyncError
from sync.protocol import Verdict
from sync.sealing import open_receipt
from sync.server.backup import DATABASE_NAME, backup
from sync.server.logs import Log
from sync.server.receiving import receive_files
from sync.server.serving import make_services
from sync.server.store import Store
from sync.server.store.tables import meta

__all__ = ["FragileStore", "Office", "ServerDied"]


class ServerDied(BaseException):
    """The server's process is gone; it starts again at once."""


class FragileStore(Store):
    """The real store. ``fuse`` dies at the k-th write, ``interlude`` comes in before one."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.dies_at = 0
        self.dies_after = False
        self.interlude: Callable[[], None] | None = None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a transaction as the store does, unless the server is to die in it."""
        interlude, self.interlude = self.interlude, None
        if interlude is not None:
            interlude()
        dies = self.dies_at == 1
        self.dies_at = max(0, self.dies_at - 1)
        with super().write() as connection:
            yield connection
            if dies and not self.dies_after:
                raise ServerDied
        if dies:
            raise ServerDied


@cache
def _store(url: str) -> FragileStore:
    """Give the store of an address. It is kept over runs, with the SQL that it has compiled."""
    return FragileStore(url)


class Office:
    """The server and the people who run it."""

    def __init__(self, folder: Path, made_from: Template, *, is_met: bool, true: TrueTime) -> None:
        self.folder = folder
        self.keys = made_from.keys
        self.log = Silence()
        self.signed: dict[bytes, set[tuple[Verdict, ...]]] = {}
        """Verdicts ever signed, by digest of the batch."""
        self._true = true
        shutil.copytree(made_from.met if is_met else made_from.unmet, folder)
        self._open()

    @property
    def file(self) -> Path:
        """Where the database lies."""
        return self.folder / "server.db"

    def _open(self) -> None:
        settings = settings_of(self.folder)
        self.store = _store(settings.db)
        self.services = make_services(
            settings,
            store=self.store,
            keys=self.keys,
            log=Log(cast("TextIO", self.log)),
            clock=self._true.now,
            is_draining=lambda: False,
        )

    def close(self) -> None:
        """Stop serving."""
        self.store.dies_at, self.store.interlude = 0, None
        self.store.close()

    def restart(self) -> None:
        """End and begin again on the same disk."""
        self.close()
        self._open()

    def greet(self, message: bytes) -> tuple[bytes, ...]:
        """Answer a hello."""
        signed = self.services.contact.greet(message).signed
        self._note(signed[1:])
        return signed

    def take(self, batch: bytes, nonce: bytes) -> bytes:
        """Take a batch in and give its receipt."""
        signed = self.services.intake.take(batch, nonce).signed
        self._note([signed])
        return signed

    def reception(self) -> Callable[[bytes, bool], list[bytes]]:
        """Begin to take a courier's bundle in, item by item: ``(item, is it the last)``."""
        reception = self.services.receiver.open_reception()
        has_begun = False

        def take(item: bytes, is_last: bool) -> list[bytes]:  # noqa: FBT001 - a callback
            nonlocal has_begun
            signed = list(reception.take(item) if has_begun else reception.begin(item))
            self._note(signed if has_begun else signed[1:])
            has_begun = True
            return [*signed, *reception.finish()] if is_last else signed

        return take

    def receive(self, stick: Path) -> list[str]:
        """Take every bundle on a stick in and leave the answers there; give what became of each."""
        files = sorted(stick.glob(f"*{BUNDLE_SUFFIX}"))
        receiver = self.services.receiver
        reports = receive_files(receiver, files, stick, lambda _name, _number, _all: None)
        ended = [report.problem.code if report.problem else report.state for report in reports]
        for answer in sorted(stick.glob(f"*{RETURN_SUFFIX}")):
            with suppress(SyncError):
                self._note(decode_return(answer.read_bytes()).receipts)
        return ended

    def _note(self, receipts: Iterable[bytes]) -> None:
        """Remember what was said of each batch."""
        for raw in receipts:
            with suppress(SyncError):
                receipt = open_receipt(raw, self.keys.signing.public)
                self.signed.setdefault(receipt.digest, set()).add(receipt.verdicts)

    def page(self, request: bytes, after: int) -> bytes:
        """Answer a feed request."""
        return self.services.contact.page(request, after)

    def snapshot(self) -> bytes:
        """Give the database as it is now, whole."""
        connection = dbapi2.connect(str(self.file), isolation_level=None)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.close()
        return self.file.read_bytes()

    def back_up(self, dest: Path) -> bytes:
        """Make a checked backup, as the command does, and give its database.

        What lies in it counts as durable from now on.
        """
        done = backup(settings_of(self.folder), dest, now=self._true.now())
        return (done.folder / DATABASE_NAME).read_bytes()

    def put_back(self, snapshot: bytes, *, epoch: str | None) -> None:
        """Go back to a snapshot; ``epoch`` is a new one unless nobody told the server."""
        self.close()
        for end in ("", "-wal", "-shm"):
            self.file.with_name(self.file.name + end).unlink(missing_ok=True)
        self.file.write_bytes(snapshot)
        self._open()
        if epoch is not None:
            with self.store.write() as connection:
                connection.execute(update(meta).where(meta.c.name == "epoch").values(value=epoch))
            self.restart()

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Give what a question to the database answers: for the oracles."""
        with self.store.read() as connection:
            return list(connection.exec_driver_sql(sql, values).all())
