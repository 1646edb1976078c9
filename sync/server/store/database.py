"""The one door to the database: a read, or a write that is one transaction from begin to end.

SQLite runs with WAL and ``synchronous=FULL``, and a write begins with ``BEGIN IMMEDIATE``: it never
finds in its middle that another has written. PostgreSQL needs none of this and gets none of it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlcipher3
from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InternalError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import NullPool

from sync.server.errors import DatabaseBusy, SettingsInvalid

__all__ = ["Store", "database_file", "insert_once", "open_copy"]

_BUSY_SECONDS: Final = 20
_NEWEST_REVISION: Final = "0005"
"""The last of the migrations: a database that says so needs none, and Alembic stays unloaded."""

_WRITES: Final = "enrollkit_writes"


class Store:
    """A database. ``read`` and ``write`` give a connection; both may raise ``DatabaseBusy``."""

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        is_sqlite = self._engine.dialect.name == "sqlite"
        # SQLite's writers would wake each other by sleeping; within one process a lock is quicker.
        self._lock = threading.Lock() if is_sqlite else None

    def migrate(self) -> None:
        """Bring the tables to this version; ``DatabaseTooNew`` when a newer one wrote them."""
        with self.read() as connection:
            if _revision(connection) == _NEWEST_REVISION:
                return
        from sync.server.store.migrating import upgrade  # noqa: PLC0415 - Alembic takes a second

        with self.write() as connection:
            upgrade(connection, _revision(connection))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for reading, in one transaction."""
        with _mapped(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in one transaction, committed at the end or rolled back whole."""
        with _mapped(), self._turn(), self._engine.connect() as connection:
            connection.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for this process's other writers, no longer than for those of another."""
        if self._lock is None:
            yield
            return
        if not self._lock.acquire(timeout=_BUSY_SECONDS):
            raise DatabaseBusy("writer")
        try:
            yield
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def database_file(url: str) -> Path | None:
    """Give the file of an SQLite database; ``None`` for one that is no file."""
    try:
        found = make_url(url)
    except ArgumentError as error:
        raise SettingsInvalid("db") from error
    is_file = found.get_backend_name() == "sqlite" and found.database not in (None, "", ":memory:")
    return Path(str(found.database)) if is_file else None


@contextmanager
def open_copy(path: Path) -> Iterator[Connection]:
    """Give a connection that reads an SQLite file and leaves not a byte of it changed."""

    def connect() -> Any:
        place = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        return sqlcipher3.dbapi2.connect(place, uri=True)

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    try:
        with _mapped(), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def insert_once(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless a UNIQUE constraint says it is there; tell whether it went in.

    The constraint decides, in the database, so two that come at once can never both be told yes.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(row).on_conflict_do_nothing()
    # A driver's row count of an INSERT is not to be relied on; a returned row is.
    key = next(iter(table.primary_key.columns))
    return connection.execute(statement.returning(key)).first() is not None


def _revision(connection: Connection) -> str | None:
    """Give the last migration that the database has seen; ``None`` for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar_one_or_none()
    return found


def _engine(url: str) -> Engine:
    try:
        dialect = make_url(url).get_dialect().name
        # hide_parameters: an error's text must not hold a person's values.
        if dialect != "sqlite":
            return create_engine(url, hide_parameters=True, pool_pre_ping=True)
        # The Python of many systems brings an SQLite whose WAL can lose a reset; sqlcipher3
        # brings a current one. No key is set: the file is plain SQLite.
        engine = create_engine(
            url,
            hide_parameters=True,
            module=sqlcipher3.dbapi2,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise SettingsInvalid("db") from error
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin by itself
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _mapped() -> Iterator[None]:
    """Turn what a driver says about locks, disks and lost connections into one error of ours."""
    try:
        yield
    except (OperationalError, InternalError) as error:
        raise DatabaseBusy(type(error.orig).__name__) from error
