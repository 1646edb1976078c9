"""The encrypted database: one connection, used by one thread, in one transaction at a time.

Callers hand in a function of ``tx`` and wait for its value. A write is committed, with the disk's
word for it, before the caller hears of it; anything else leaves no trace.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar, cast

import sqlite_utils
from sqlcipher3 import dbapi2

from enrollkit.errors import AlreadyInitialised, NotInitialised, StoreDamaged, VaultLocked
from enrollkit.store.faults import mapped
from enrollkit.store.migrations import migrate
from enrollkit.vault.files import sync_folder
from sync.ports import Clock

__all__ = ["Database", "Tx"]

_T = TypeVar("_T")
_Job: TypeAlias = "tuple[Callable[[], Any], Future[Any]] | None"

_KEY_BYTES: Final = 32
_BUSY_TIMEOUT_MS: Final = 5000

# What each pragma is set to, and what SQLite says when it holds.
_PRAGMAS: Final = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("secure_delete", "ON", 1),
    ("temp_store", "MEMORY", 2),
    ("foreign_keys", "ON", 1),
    ("trusted_schema", "OFF", 0),
    ("cell_size_check", "ON", 1),
)


class Tx(sqlite_utils.Database):
    """An open transaction. It must not outlive the function that it was handed to.

    ``clock`` is the machine's: what is written may have to say what it showed.
    """

    clock: Clock | None = None


class Database:
    """One open SQLCipher file. Thread-safe; two processes may have the same file open.

    ``clock``: every operation that goes into the outbox is preceded by a reading of it when that
    is due (:mod:`enrollkit.store.clocks`).
    """

    def __init__(
        self,
        path: Path,
        key: bytes,
        *,
        busy_timeout_ms: int = _BUSY_TIMEOUT_MS,
        clock: Clock | None = None,
    ) -> None:
        if len(key) != _KEY_BYTES:
            raise ValueError("a database key has 32 bytes")
        self.path = path
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._clock = clock
        self._tx: Tx | None = None
        self._thread = threading.Thread(target=self._work, name="enrollkit-store", daemon=True)
        self._thread.start()
        try:
            self._ask(lambda: self._connect(key, busy_timeout_ms))
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"Database({self.path.name}, <withheld>)"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @classmethod
    def create(
        cls,
        path: Path,
        key: bytes,
        *,
        busy_timeout_ms: int = _BUSY_TIMEOUT_MS,
        clock: Clock | None = None,
    ) -> Database:
        """Make the file (0600, in a folder 0700) with its tables, whole or not at all; open it."""
        if path.exists():
            raise AlreadyInitialised(path.name)
        fresh = path.with_name(path.name + ".new")
        with mapped():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.chmod(0o700)
            for left in (fresh, *_companions(fresh)):
                left.unlink(missing_ok=True)
            os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            cls(fresh, key).close()
            fresh.rename(path)
            sync_folder(path.parent)
        return cls(path, key, busy_timeout_ms=busy_timeout_ms, clock=clock)

    @classmethod
    def open(
        cls,
        path: Path,
        key: bytes,
        *,
        busy_timeout_ms: int = _BUSY_TIMEOUT_MS,
        clock: Clock | None = None,
    ) -> Database:
        """Open the file and bring its tables up to date.

        ``StoreDamaged`` for a wrong key or a damaged file, ``StoreTooNew`` for a newer schema,
        ``StoreBusy`` when another process holds it too long.
        """
        if not path.is_file():
            raise NotInitialised(path.name)
        with mapped():
            path.chmod(0o600)
            # SQLite would take an empty file for a new database, and hide that people are gone.
            if path.stat().st_size == 0:
                raise StoreDamaged("empty file")
        return cls(path, key, busy_timeout_ms=busy_timeout_ms, clock=clock)

    def write(self, work: Callable[[Tx], _T]) -> _T:
        """Run ``work`` in one immediate transaction and commit; any exception takes it back."""
        return cast("_T", self._ask(lambda: self._transact(work, begin="BEGIN IMMEDIATE")))

    def read(self, work: Callable[[Tx], _T]) -> _T:
        """Run ``work`` on one unchanging view of the data; it cannot write."""
        return cast("_T", self._ask(lambda: self._look(work)))

    def close(self) -> None:
        """Fold the write-ahead log into the file, close, drop the key. Again does nothing."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            ended: Future[Any] = Future()
            self._jobs.put((self._disconnect, ended))
            self._jobs.put(None)
        ended.result()
        self._thread.join()

    def _ask(self, job: Callable[[], Any]) -> Any:
        assert threading.current_thread() is not self._thread, "a transaction inside a transaction"  # noqa: S101 - a deadlock otherwise
        answer: Future[Any] = Future()
        with self._gate:
            if self._closed:
                raise VaultLocked("the database is closed")
            self._jobs.put((job, answer))
        return answer.result()

    def _work(self) -> None:
        while (item := self._jobs.get()) is not None:
            job, answer = item
            try:
                with mapped():
                    answer.set_result(job())
            except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
                answer.set_exception(error)
            # An idle thread must not keep the last person in memory.
            del item, job, answer

    def _connect(self, key: bytes, busy_timeout_ms: int) -> None:
        connection = dbapi2.connect(
            str(self.path), timeout=busy_timeout_ms / 1000, isolation_level=None
        )
        try:
            # Before the key: SQLCipher's log goes to standard error and would tear the screen.
            connection.execute("PRAGMA cipher_log_level = NONE")
            connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            _set_pragmas(connection)
            tx = Tx(connection, execute_plugins=False)
            tx.clock = self._clock
            self._tx = tx
            self._transact(migrate, begin="BEGIN IMMEDIATE")
        except BaseException:
            self._tx = None
            connection.close()
            raise

    def _transact(self, work: Callable[[Tx], _T], *, begin: str) -> _T:
        tx = self._open_tx()
        connection: Any = tx.conn
        connection.execute(begin)
        try:
            value = work(tx)
            connection.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself after some errors; then this does nothing.
            tx.rollback()
            raise
        return value

    def _look(self, work: Callable[[Tx], _T]) -> _T:
        connection: Any = self._open_tx().conn
        connection.execute("PRAGMA query_only = ON")
        try:
            return self._transact(work, begin="BEGIN")
        finally:
            connection.execute("PRAGMA query_only = OFF")

    def _disconnect(self) -> None:
        if self._tx is None:
            return
        connection: Any = self._tx.conn
        self._tx = None
        # Without the checkpoint all is still in the log beside the file, and is found there.
        with contextlib.suppress(dbapi2.OperationalError):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        connection.close()

    def _open_tx(self) -> Tx:
        assert self._tx is not None, "connected before the first job"  # noqa: S101 - our own order
        return self._tx


def _set_pragmas(connection: Any) -> None:
    for name, wanted, answer in _PRAGMAS:
        connection.execute(f"PRAGMA {name} = {wanted}").close()
        if connection.execute(f"PRAGMA {name}").fetchone()[0] != answer:
            raise StoreDamaged(f"pragma {name} was not taken")


def _companions(path: Path) -> tuple[Path, ...]:
    return tuple(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))
