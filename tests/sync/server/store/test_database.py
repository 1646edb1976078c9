from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateIndex, CreateTable

from sync.server.errors import DatabaseBusy, DatabaseTooNew, SettingsInvalid
from sync.server.store import Store, database, insert_once
from sync.server.store.tables import METADATA, links, meta


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/server.db")
    store.migrate()
    yield store
    store.close()


def test_the_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_the_database_knows_which_migration_is_the_newest() -> None:
    config = Config()
    config.set_main_option("script_location", "sync.server.store:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [database._NEWEST_REVISION]


def test_migrating_again_changes_nothing(store: Store) -> None:
    with store.write() as connection:
        insert_once(connection, meta, {"name": "a", "value": "b"})
    store.migrate()
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM meta").scalar_one() == 1


def test_a_database_of_a_newer_version_is_left_alone(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseTooNew):
        store.migrate()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("trusted_schema", 0)],
)
def test_sqlite_is_set_to_lose_nothing(store: Store, pragma: str, value: str | int) -> None:
    with store.read() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == value


def test_the_sqlite_in_use_is_a_current_one(store: Store) -> None:
    with store.read() as connection:
        text = connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
    assert tuple(int(part) for part in text.split(".")) >= (3, 51, 3)


def test_a_write_that_fails_leaves_nothing(store: Store) -> None:
    twice = meta.insert().values([{"name": "a", "value": "b"}] * 2)
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(twice)
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM meta").scalar_one() == 0


def test_insert_once_tells_who_was_first(store: Store) -> None:
    told: list[bool] = []
    start = threading.Barrier(4)

    def insert() -> None:
        start.wait()
        with store.write() as connection:
            told.append(insert_once(connection, meta, {"name": "a", "value": "b"}))

    threads = [threading.Thread(target=insert) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False, False, False, True]


def test_an_error_of_the_database_quotes_no_value(store: Store) -> None:
    with pytest.raises(IntegrityError) as caught, store.write() as connection:
        connection.execute(links.insert().values(enrollment="Quokka", link="Quokka", facility="",
            reference="", state="", device="", received_at=1, body="Quokka"))  # fmt: skip
    assert "Quokka" not in str(caught.value)


def test_a_file_that_cannot_be_opened_is_an_error_of_ours(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/nowhere/server.db")
    with pytest.raises(DatabaseBusy):
        store.migrate()
    store.close()


@pytest.mark.parametrize("url", ["", "nonsense", "oracle+what://x", "sqlite+nothing:///x"])
def test_an_impossible_address_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingsInvalid):
        Store(url)


def test_every_table_can_be_made_on_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in METADATA.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            text = str(CreateIndex(index).compile(dialect=dialect))
            assert ("WHERE" in text) == (index.name == "links_once")


def test_every_key_begins_with_a_device_or_an_enrollment() -> None:
    """What a cluster shards by; the small tables that are the same everywhere are named."""
    everywhere = {"anchors", "approvals", "callback_keys", "consents", "meta", "programmes"}
    for table in METADATA.sorted_tables:
        first = next(iter(table.primary_key.columns)).name
        assert (first in {"device", "enrollment"}) != (table.name in everywhere)


def test_a_writer_that_never_ends_keeps_the_others_waiting_no_longer_than_agreed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    heard: list[BaseException] = []

    def come_second() -> None:
        try:
            with store.write():
                pass
        except DatabaseBusy as error:
            heard.append(error)

    with store.write():
        second = threading.Thread(target=come_second, daemon=True)
        second.start()
        second.join(timeout=5)
        assert len(heard) == 1
    with store.write() as connection:
        assert insert_once(connection, meta, {"name": "after", "value": "1"})
