from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils
from sqlcipher3 import dbapi2

from enrollkit.errors import (
    AlreadyInitialised,
    NotInitialised,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreTooNew,
    VaultLocked,
)
from enrollkit.store.audit import verify_audit
from enrollkit.store.database import Database, Tx
from enrollkit.store.enrollments import all_ids
from enrollkit.store.faults import store_fault
from enrollkit.store.meta import Fact, find_text, keep_text
from enrollkit.store.migrations import STEPS, migrate
from enrollkit.store.standing import standing
from store_samples import KEY, MARK, new_database, person, record_id, save_person


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_database(tmp_path) as opened:
        yield opened


def pragma(name: str) -> Callable[[Tx], Any]:
    return lambda tx: tx.execute(f"PRAGMA {name}").fetchone()[0]


def people(tx: Tx) -> int:
    return standing(tx, today_since=0).total


def test_the_pragmas_of_the_design_hold(database: Database) -> None:
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "temp_store": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "busy_timeout": 5000,
    }
    assert {name: database.read(pragma(name)) for name in wanted} == wanted
    assert database.read(pragma("cipher_log_level")) == "NONE"


def test_a_write_is_there_after_reopening_and_its_value_comes_back(database: Database) -> None:
    seq = database.write(lambda tx: save_person(tx, person(1)))
    path = database.path
    database.close()
    with Database.open(path, KEY) as again:
        assert again.read(all_ids) == [record_id(1)]
        assert again.write(lambda tx: save_person(tx, person(2))) == seq + 1


def test_a_failed_write_leaves_no_trace_and_its_error_comes_back(database: Database) -> None:
    def fail(tx: Tx) -> None:
        save_person(tx, person(1))
        raise LookupError("after the insert")

    with pytest.raises(LookupError):
        database.write(fail)
    assert database.read(people) == 0
    database.write(lambda tx: save_person(tx, person(1)))
    assert database.read(people) == 1


def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises((dbapi2.OperationalError, StoreError)):
        database.read(lambda tx: save_person(tx, person(1)))
    assert database.read(people) == 0


def test_a_transaction_inside_a_transaction_is_a_mistake_and_no_deadlock(
    database: Database,
) -> None:
    with pytest.raises(AssertionError):
        database.write(lambda _tx: database.read(people))


def test_many_threads_share_one_database(database: Database) -> None:
    def work(number: int) -> None:
        database.write(lambda tx: save_person(tx, person(number)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 21)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.read(people) == 20
    assert database.read(verify_audit) is None


@pytest.mark.parametrize("key", [bytes(32), bytes([1, *range(1, 32)]), b"\xff" * 32])
def test_a_wrong_key_opens_nothing_and_harms_nothing(database: Database, key: bytes) -> None:
    database.write(lambda tx: save_person(tx, person(1)))
    database.close()
    with pytest.raises(StoreDamaged):
        Database.open(database.path, key)
    with Database.open(database.path, KEY) as again:
        assert again.read(people) == 1


def test_a_damaged_file_is_said_to_be_damaged(database: Database) -> None:
    database.write(lambda tx: save_person(tx, person(1)))
    database.close()
    data = bytearray(database.path.read_bytes())
    for place in range(100, len(data), 4096):
        data[place] ^= 0xFF
    database.path.write_bytes(data)
    with pytest.raises(StoreDamaged):
        Database.open(database.path, KEY)


@pytest.mark.parametrize("data", [b"", b"not a database" * 1000, bytes(8192)])
def test_a_foreign_file_is_never_taken_for_people(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "enrollkit.db"
    path.write_bytes(data)
    with pytest.raises(StoreDamaged):
        Database.open(path, KEY)
    assert path.read_bytes() == data


def test_every_damaged_page_is_an_error_and_never_other_data(tmp_path: Path) -> None:
    with new_database(tmp_path) as database:
        for number in range(1, 6):
            database.write(lambda tx, number=number: save_person(tx, person(number)))
        path = database.path
    good = path.read_bytes()
    for page in range(len(good) // 4096):
        place = page * 4096 + 2048
        path.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        try:
            with Database.open(path, KEY) as opened:
                assert opened.read(all_ids) == [record_id(number) for number in range(1, 6)]
                assert opened.read(verify_audit) is None
        except StoreDamaged:
            continue


def test_no_database_and_a_second_set_up_are_refused(tmp_path: Path, database: Database) -> None:
    with pytest.raises(NotInitialised):
        Database.open(tmp_path / "nowhere.db", KEY)
    with pytest.raises(AlreadyInitialised):
        Database.create(database.path, KEY)


def test_a_set_up_that_was_cut_short_can_be_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "enrollkit.db"
    path.with_name("enrollkit.db.new").write_bytes(b"half")
    path.with_name("enrollkit.db.new-wal").write_bytes(b"half")
    with Database.create(path, KEY) as database:
        assert database.read(people) == 0
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["enrollkit.db"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
def test_only_the_owner_may_read_the_files(database: Database) -> None:
    database.write(lambda tx: save_person(tx, person(1)))
    assert stat.S_IMODE(database.path.parent.stat().st_mode) == 0o700
    modes = {
        entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in database.path.parent.iterdir()
    }
    assert set(modes) == {"enrollkit.db", "enrollkit.db-wal", "enrollkit.db-shm"}
    assert set(modes.values()) == {0o600}


def test_closing_folds_the_log_into_the_file_and_locks(database: Database) -> None:
    database.write(lambda tx: save_person(tx, person(1)))
    database.close()
    database.close()
    assert [entry.name for entry in database.path.parent.iterdir()] == ["enrollkit.db"]
    with pytest.raises(VaultLocked):
        database.read(people)
    with pytest.raises(VaultLocked):
        database.write(people)


def test_no_person_is_readable_in_any_file(database: Database) -> None:
    marked = person(1, name=f"{MARK} Devi", name_native="ज़्ज़मार्क", mobile="9876501234")
    database.write(lambda tx: save_person(tx, marked))
    folder = database.path.parent

    def readable() -> list[str]:
        needles = [MARK.encode(), MARK.encode("utf-16-le"), "ज़्ज़मार्क".encode(), b"9876501234",
                   marked.provisional.encode(), b"CREATE TABLE", b"SQLite format"]  # fmt: skip
        return [
            entry.name
            for entry in folder.iterdir()
            for needle in needles
            if needle.lower() in entry.read_bytes().lower()
        ]

    assert (folder / "enrollkit.db-wal").stat().st_size > 0
    assert readable() == []
    database.close()
    assert readable() == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    def schema(tx: Tx) -> list[Any]:
        return tx.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()

    before = database.read(schema)
    database.write(migrate)
    database.write(migrate)
    assert database.read(schema) == before
    assert database.read(lambda tx: [step.name for step in STEPS.applied(tx)]) == [
        "m0001_first_tables",
        "m0002_lives_and_sticks",
        "m0003_calls",
        "m0004_anchors",
    ]


def test_a_step_that_fails_leaves_the_tables_as_they_were(tmp_path: Path) -> None:
    connection = dbapi2.connect(str(tmp_path / "half.db"), isolation_level=None)
    tx = sqlite_utils.Database(connection, execute_plugins=False)
    connection.execute("CREATE TABLE feed (x)")
    connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(dbapi2.OperationalError):
        migrate(tx)
    tx.rollback()
    assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["feed"]
    tx.close()


def test_a_newer_schema_is_left_alone(database: Database) -> None:
    database.write(
        lambda tx: tx.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES ('enrollkit', 'm9999_of_the_future', '')"
        )
    )
    database.close()
    with pytest.raises(StoreTooNew):
        Database.open(database.path, KEY)


def test_a_second_process_that_writes_too_long_is_busy_and_nothing_is_lost(
    database: Database,
) -> None:
    with Database.open(database.path, KEY, busy_timeout_ms=50) as other:
        started, finish = threading.Event(), threading.Event()

        def hold(tx: Tx) -> None:
            save_person(tx, person(1))
            started.set()
            finish.wait(10)

        holder = threading.Thread(target=lambda: database.write(hold))
        holder.start()
        started.wait(10)
        assert other.read(people) == 0
        with pytest.raises(StoreBusy):
            other.write(lambda tx: save_person(tx, person(2)))
        finish.set()
        holder.join()
        other.write(lambda tx: save_person(tx, person(2)))
        assert other.read(people) == 2


def test_a_write_has_its_place_from_its_first_look(database: Database) -> None:
    """Nobody may write between what a transaction reads and what it writes because of it."""
    with Database.open(database.path, KEY, busy_timeout_ms=50) as other:
        looked, finish = threading.Event(), threading.Event()

        def look_then_write(tx: Tx) -> None:
            people(tx)
            looked.set()
            finish.wait(10)
            save_person(tx, person(1))

        holder = threading.Thread(target=lambda: database.write(look_then_write))
        holder.start()
        looked.wait(10)
        with pytest.raises(StoreBusy):
            other.write(lambda tx: save_person(tx, person(2)))
        finish.set()
        holder.join()
        assert other.read(all_ids) == [record_id(1)]


def test_a_full_database_refuses_and_keeps_everything_before(database: Database) -> None:
    used = database.read(pragma("page_count"))
    database.write(lambda tx: tx.execute(f"PRAGMA max_page_count = {used + 12}").fetchone())
    saved = 0

    def fill() -> None:
        nonlocal saved
        for number in range(1, 1000):
            database.write(lambda tx, number=number: save_person(tx, person(number)))
            saved = number

    with pytest.raises(StoreFull):
        fill()
    assert saved > 0
    assert database.read(people) == saved
    assert database.read(verify_audit) is None
    path = database.path
    database.close()
    with Database.open(path, KEY) as again:
        assert again.read(people) == saved
        again.write(lambda tx: save_person(tx, person(saved + 1)))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a process's file size")
def test_a_disk_that_takes_no_more_bytes_loses_nothing_that_was_acknowledged(
    tmp_path: Path,
) -> None:
    """A real write fails in the middle of a real file, again and again, in another process."""
    with new_database(tmp_path) as database:
        path = database.path
    script = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        from store_samples import KEY, person, save_person
        from enrollkit.errors import StoreError
        from enrollkit.store.database import Database
        database = Database.open(Path(sys.argv[1]), KEY)
        resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, 700_000))
        refused = 0
        for number in range(1, 200):
            try:
                database.write(lambda tx: save_person(tx, person(number)))
            except StoreError:
                refused += 1
            else:
                print(number, flush=True)
        print("refused", refused, flush=True)
        """
    )
    done = run(script, path)
    lines = done.stdout.split("\n")
    acknowledged = [int(line) for line in lines if line.isdecimal()]
    assert done.returncode == 0, done.stderr
    assert acknowledged
    assert f"refused {199 - len(acknowledged)}" in lines
    assert len(acknowledged) < 199
    with Database.open(path, KEY) as again:
        assert again.read(all_ids) == [record_id(number) for number in acknowledged]
        assert again.read(verify_audit) is None


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    support = Path(__file__).parents[2] / "support"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(support), str(support.parents[1])]),
    }
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )


def test_facts_are_kept_in_place_of_older_ones(database: Database) -> None:
    database.write(lambda tx: keep_text(tx, Fact.INCARNATION, "first"))
    database.write(lambda tx: keep_text(tx, Fact.INCARNATION, "second"))
    assert database.read(lambda tx: find_text(tx, Fact.INCARNATION)) == "second"
    assert database.read(lambda tx: find_text(tx, Fact.EPOCH)) is None


def test_every_result_code_of_sqlite_has_its_place() -> None:
    """Mistakes in our SQL stay what they are; everything else becomes a StoreError."""
    ours = {1, 19, 20, 21, 25}
    for code in range(1, 29):
        error = dbapi2.OperationalError("a value that must not be repeated")
        error.sqlite_errorcode = code | 0x100
        error.sqlite_errorname = "SQLITE_X"
        fault = store_fault(error)
        assert (fault is None) == (code in ours)
        assert fault is None or "value" not in str(fault)
    assert store_fault(dbapi2.OperationalError("no code")) is None


def test_nothing_prints_the_key(database: Database) -> None:
    assert KEY.hex() not in repr(database)
    assert "withheld" in repr(database)
