from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from enrollkit.store.audit import verify_audit
from enrollkit.store.database import Database, Tx
from enrollkit.store.enrollments import all_ids
from enrollkit.store.lock import SyncLock
from enrollkit.store.operations import operations_of
from store_samples import INCARNATION, KEY, Ends, new_database, person, record_id, save_person
from sync.errors import SyncBusy

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")

SUBMIT = """
import sys
from pathlib import Path
from store_samples import KEY, person, save_person
from enrollkit.store.database import Database
database = Database.open(Path(sys.argv[1]), KEY)
for number in range(int(sys.argv[2]), 100_000):
    database.write(lambda tx: save_person(tx, person(number)))
    print(number, flush=True)
"""

FREEZE = """
import sys
from pathlib import Path
from store_samples import INCARNATION, KEY, Ends
from enrollkit.store.database import Database
ends = Ends(Database.open(Path(sys.argv[1]), KEY))
print("ready", flush=True)
ends.outbox.freeze()
for batch in ends.outbox.batches_after(INCARNATION, 0, bytes_max=10**9):
    print(batch.number, batch.digest.hex(), flush=True)
"""

HOLD = """
import sys
from pathlib import Path
from enrollkit.store.lock import SyncLock
with SyncLock(Path(sys.argv[1])).exclusive():
    print("held", flush=True)
    sys.stdin.read()
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    support = Path(__file__).parents[2] / "support"
    paths = os.pathsep.join([str(support), str(support.parents[1])])
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )


def kill_after(process: subprocess.Popen[str], lines: int) -> list[str]:
    """Kill without warning after so many lines; give all that it had said by then."""
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    # Not communicate(): it would pass over what readline() has read ahead.
    with process:
        return said + process.stdout.read().splitlines()


def whole(tx: Tx, records: Sequence[str]) -> bool:
    """Whether each person has a search entry, a version, a history and exactly one operation."""
    for record in records:
        n = tx.execute("SELECT n FROM enrollments WHERE id = ?", (record,)).fetchone()[0]
        parts = [
            len(operations_of(tx, record)) == 1,
            tx.execute("SELECT 1 FROM people_fts WHERE rowid = ?", (n,)).fetchone(),
            tx.execute("SELECT 1 FROM events WHERE record = ?", (record,)).fetchone(),
            tx.execute("SELECT 1 FROM enrollment_versions WHERE id = ?", (record,)).fetchone(),
            tx.execute("SELECT 1 FROM audit WHERE record = ?", (record,)).fetchone(),
        ]
        if not all(parts):
            return False
    counts = [
        tx.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - three plain names
        for table in ("operations", "enrollment_versions", "people_fts")
    ]
    return counts == [len(records)] * 3


def test_a_kill_in_the_middle_of_submits_keeps_each_acknowledged_one_and_no_half_one(
    tmp_path: Path,
) -> None:
    with new_database(tmp_path) as database:
        path = database.path
    acknowledged: list[int] = []
    following = 1
    for lines in (1, 7, 23, 40):
        said = kill_after(start(SUBMIT, path, following), lines)
        acknowledged += [int(word) for word in said]
        with Database.open(path, KEY) as database:
            found = database.read(all_ids)
            assert set(found) >= {record_id(number) for number in acknowledged}
            # At most the one whose word was on its way when the power went.
            assert len(found) <= following + len(said)
            assert database.read(lambda tx, found=found: whole(tx, found))
            assert database.read(verify_audit) is None
        following = len(found) + 1
        acknowledged = list(range(1, following))


def test_a_kill_while_freezing_leaves_every_operation_in_exactly_one_batch(
    tmp_path: Path,
) -> None:
    with new_database(tmp_path) as database:
        path = database.path

        def save_many(tx: Tx) -> None:
            for number in range(1, 1501):
                save_person(tx, person(number))

        database.write(save_many)
    kill_after(start(FREEZE, path), 1)
    said = kill_after(start(FREEZE, path), 2)
    with Database.open(path, KEY) as database:
        ends = Ends(database)
        ends.outbox.freeze()
        batches = ends.outbox.batches_after(INCARNATION, 0, bytes_max=10**9)
        seqs = [seq for b in batches for seq in range(b.first_seq, b.first_seq + b.count)]
        assert seqs == list(range(1, 1501))
        assert said[1] == f"1 {batches[0].digest.hex()}"


def test_two_processes_save_at_once_and_neither_loses_anybody(tmp_path: Path) -> None:
    with new_database(tmp_path) as database:
        path = database.path
        first, second = start(SUBMIT, path, 1), start(SUBMIT, path, 50_001)
        said = kill_after(first, 25) + kill_after(second, 25)
        found = database.read(all_ids)
        assert {record_id(int(word)) for word in said} <= set(found)
        assert database.read(lambda tx: whole(tx, found))
        assert database.read(verify_audit) is None


def test_one_sync_at_a_time_and_a_dead_process_holds_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "sync.lock"
    holder = start(HOLD, path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(SyncBusy), SyncLock(path).exclusive():
        pass
    kill_after(holder, 0)
    with SyncLock(path).exclusive(), pytest.raises(SyncBusy), SyncLock(path).exclusive():
        pass
    with SyncLock(path).exclusive():
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_lock_is_given_back_when_the_session_fails(tmp_path: Path) -> None:
    lock = SyncLock(tmp_path / "sync.lock")
    with pytest.raises(LookupError), lock.exclusive():
        raise LookupError
    with lock.exclusive():
        pass
