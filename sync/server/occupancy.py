"""Who works in a server's home: many at once, or one that replaces its database.

The lock is a file of SQLite's, which every system that runs SQLite can lock, and which a crash or a
power failure releases.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sync.server.errors import FileUnusable, HomeOccupied

__all__ = ["alone_in", "at_work_in"]

_FILE: Final = "in-use.lock"


@contextmanager
def at_work_in(home: Path) -> Iterator[None]:
    """Work in a home beside others; ``HomeOccupied`` while its database is being replaced."""
    with _held(home, "BEGIN", "SELECT count(*) FROM sqlite_master"):
        yield


@contextmanager
def alone_in(home: Path) -> Iterator[None]:
    """Have a home to oneself; ``HomeOccupied`` while a server or another command works in it."""
    with _held(home, "BEGIN EXCLUSIVE"):
        yield


@contextmanager
def _held(home: Path, *statements: str) -> Iterator[None]:
    path = home / _FILE
    try:
        if not path.exists():  # closing a file that this process has locked would unlock it
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise FileUnusable("lock") from error
    with closing(connection):
        try:
            for statement in statements:
                connection.execute(statement).fetchall()
        except sqlite3.Error as error:
            raise HomeOccupied from error
        yield
