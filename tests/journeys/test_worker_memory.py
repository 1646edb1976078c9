"""What a worker that has worked and is idle still holds in memory of the numbers that it sent.

It overwrites the bytes that it opened them into. Python and the libraries below it promise no
more: what they copied on their way they free without clearing, and it goes when it is written over.
"""

from __future__ import annotations

import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from journey_camp import open_office, write_rows
from journey_people import aadhaar, people
from journey_worker import Nursery, Worker, Workers, configure, rows_of
from practice_abdm import practice_abdm

pytestmark = [
    pytest.mark.xdist_group("journey-abha-day"),
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
]

_PATIENCE_SECONDS = 60
_NUMBERS = [
    re.compile(b"9999".replace(b"9", b"9" + rest) + (rb"[0-9]" + re.escape(rest)) * 8)
    for rest in (b"", b"\x00", b"\x00\x00\x00")
]
"""Numbers of the test range, as text of each width; an expression that begins so is quick."""
_DONE = "SELECT count(*) AS n FROM abdm_jobs WHERE state = 'settled'"


def memory_of(pid: int) -> Iterator[bytes]:
    """Read all memory of a process that can be written to; the rest is programs and files."""
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for first, last in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw", maps, re.MULTILINE):
            memory.seek(int(first, 16))
            try:
                yield memory.read(int(last, 16) - int(first, 16))
            except OSError:
                continue  # the kernel's own pages


def numbers_of_the_test_range_in(data: bytes) -> set[str]:
    return {
        found[0].replace(b"\x00", b"").decode()
        for numbers in _NUMBERS
        for found in numbers.finditer(data)
    }


def wait_until_settled(home: Path, worker: Worker, count: int) -> None:
    pause = threading.Event()
    for _ in range(_PATIENCE_SECONDS * 10):
        assert not worker.is_over.is_set(), "it ended"
        if rows_of(home, _DONE)[0]["n"] == count:
            return
        pause.wait(0.1)
    raise AssertionError("it does not work")


@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le", "utf-32-le"])
def test_the_search_finds_a_number_of_any_width(encoding: str) -> None:
    number = aadhaar(7)
    hidden = bytes(100) + number.encode(encoding) + bytes(100)
    assert numbers_of_the_test_range_in(hidden) == {number}


def test_an_idle_worker_holds_no_number_and_ends_when_it_is_told(tmp_path: Path) -> None:
    rows = people(0, 25)
    numbers = {row["aadhaar"] for row in rows if row["aadhaar"]}
    with open_office(tmp_path / "office") as office, practice_abdm() as abdm:
        configure(office.home, abdm)
        laptop = office.laptop(tmp_path / "laptop")
        laptop.run("enroll", write_rows(tmp_path / "rows.jsonl", rows))
        laptop.run("sync")
        nursery = Nursery(office.home, tmp_path)
        workers = Workers(home=office.home, temporary=tmp_path, nursery=nursery)
        try:
            worker = workers.start()
            wait_until_settled(office.home, worker, len(rows))
            memory = list(memory_of(worker.pid))
            assert sum(map(len, memory)) > 10_000_000
            assert any(abdm.accounts[0]["abha_number"].encode() in data for data in memory), (
                "the search can find what is there"
            )
            held = {
                number for data in memory for number in numbers_of_the_test_range_in(data)
            } & numbers
            assert held == set(), f"{len(held)} of {len(numbers)}"
            worker.send(signal.SIGTERM)
            assert worker.wait() == 0
        finally:
            workers.end()
