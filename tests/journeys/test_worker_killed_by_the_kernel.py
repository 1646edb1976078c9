"""``kill -9`` of the worker at each kind of system call by which it writes or speaks.

A worker with one call at a time dies at its n-th such call; the next begins where it died. Which
call that is does not matter: all of them are met somewhere. In the end everybody has one account.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from journey_camp import open_office, write_rows
from journey_people import people
from journey_strace import why_not
from journey_worker import configure, rows_of
from practice_abdm import practice_abdm
from server_process import environment_without_settings

pytestmark = pytest.mark.soak

_COMMAND = (sys.executable, "-m", "sync.server", "worker", "--once")
_ROOT = Path(__file__).resolve().parents[2]
_POINTS = {
    "fdatasync": range(1, 12),
    "fsync": range(1, 12),
    "pwrite64": range(1, 40, 3),
    "sendto": range(1, 9),
    "recvfrom": range(1, 9),
    "write": range(1, 8),
}


def run_killed(home: Path, call: str, number: int) -> int:
    """Run a worker once under strace, which kills it at a call; give how it ended."""
    watch = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}"]
    inject = ["-e", f"inject={call}:signal=KILL:when={number}"]
    done = subprocess.run(
        [*watch, *inject, *_COMMAND, "--home", str(home)],
        capture_output=True,
        timeout=120,
        check=False,
        cwd=_ROOT,
        env=environment_without_settings(),
    )
    return done.returncode


def ask(home: Path, sql: str) -> None:
    with closing(sqlite3.connect(home / "enrollkit-server.db")) as database:
        database.execute(sql)
        database.commit()


def let_time_pass(home: Path) -> None:
    """Let leases end, and one more person come: a worker that lives leaves somebody to the next."""
    ask(home, "UPDATE abdm_jobs SET due_at = 0, claimed_until = 0")
    one = "SELECT enrollment FROM enrollments WHERE state = 'LATER' LIMIT 1"
    ask(home, f"UPDATE enrollments SET state = 'ACCEPTED' WHERE enrollment = ({one})")  # noqa: S608 - our own words


def points() -> Iterator[tuple[str, int]]:
    for call, numbers in _POINTS.items():
        for number in numbers:
            yield call, number


def test_wherever_it_dies_there_is_one_account_for_each_person(tmp_path: Path) -> None:
    if reason := why_not():
        pytest.skip(reason)
    rows = people(0, 60)
    with open_office(tmp_path / "office") as office, practice_abdm() as abdm:
        configure(office.home, abdm, concurrency=1, lease_seconds=30)
        laptop = office.laptop(tmp_path / "laptop")
        laptop.run("enroll", write_rows(tmp_path / "rows.jsonl", rows))
        laptop.run("sync")
        ask(office.home, "UPDATE enrollments SET state = 'LATER'")
        let_time_pass(office.home)
        deaths = 0
        for call, number in points():
            deaths += run_killed(office.home, call, number) == -9
            let_time_pass(office.home)
        ask(office.home, "UPDATE enrollments SET state = 'ACCEPTED' WHERE state = 'LATER'")
        for _ in range(3):
            run_killed(office.home, "reboot", 1)
            let_time_pass(office.home)
        assert deaths > 30
        numbered = [row for row in rows if row["aadhaar"]]
        assert [told["creations"] for told in abdm.people.values()] == [1] * len(numbered)
        states = rows_of(office.home, "SELECT state, count(*) AS n FROM enrollments GROUP BY state")
        assert {row["state"]: row["n"] for row in states} == {
            "ISSUED": len(numbered),
            "NEEDS_PERSON": len(rows) - len(numbered),
        }
        assert laptop.run("sync").code == 0
        told = {state: n for state, n in laptop.status()["by_state"].items() if n}
        assert told == {row["state"]: row["n"] for row in states}
