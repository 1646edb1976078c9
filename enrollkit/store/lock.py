"""One sync at a time on one laptop, by a lock that dies with its process.

A lock file with a process number in it outlives a crash; SQLite's own lock on a small plain file
does not, and works alike on Linux, macOS and Windows.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from enrollkit.errors import StoreError
from sync.errors import SyncBusy

__all__ = ["SyncLock"]


class SyncLock:
    """The lock at one path; satisfies :class:`sync.ports.Guard`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the one session; ``SyncBusy`` when another process or window holds it."""
        with closing(self._connect()) as connection:
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                    raise SyncBusy from error
                raise StoreError(error.sqlite_errorname) from error
            try:
                yield
            finally:
                connection.execute("ROLLBACK")

    def _connect(self) -> sqlite3.Connection:
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            return sqlite3.connect(self._path, timeout=0, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(self._path.name) from error
