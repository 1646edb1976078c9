"""The power goes at the laptop, at any byte of a sync or in the middle of a file."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from journey_camp import Laptop, write_rows
from journey_people import people
from journey_rounds import POINTS, Rounds, open_rounds

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("journey-killed-laptop")]


@pytest.fixture(scope="module")
def camp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rounds]:
    with open_rounds(tmp_path_factory.mktemp("rounds")) as rounds:
        yield rounds


@pytest.mark.parametrize(("direction", "share"), POINTS)
def test_a_laptop_that_dies_in_a_sync_ends_it_the_next_time(
    camp: Rounds, direction: str, share: float
) -> None:
    camp.enroll_round()
    victim: Future[subprocess.Popen[bytes]] = Future()
    trap = camp.office.relay.set_trap(
        direction, camp.byte(direction, share), lambda: victim.result(30).kill()
    )
    process = camp.laptop.start("sync", "--json")
    victim.set_result(process)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (-signal.SIGKILL, b"")
    assert trap.sprung.wait(10)
    camp.finish()


@pytest.mark.parametrize("lines", [1, 25, 80])
def test_what_enroll_printed_before_it_died_is_saved(
    camp: Rounds, tmp_path: Path, lines: int
) -> None:
    rows = people(10_000, 160)
    file = write_rows(tmp_path / "camp.jsonl", rows)
    laptop = camp.office.laptop(tmp_path / "laptop", approved=False)
    # A pipe of one page holds the command back: it cannot run to its end before it is killed.
    process = laptop.start("enroll", file, "--json", stderr=subprocess.DEVNULL, pipesize=4096)
    assert process.stdout is not None
    printed = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    printed += process.stdout.read().splitlines(keepends=True)
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    told = [json.loads(line) for line in printed if line.endswith(b"\n")]
    assert lines <= len(told) < len(rows)
    _check_saved(laptop, told)
    again = laptop.run("enroll", file, "--json")
    assert again.code == 0
    ids = {row["row"]: row["id"] for row in again.rows}
    assert list(ids) == list(range(1, len(rows) + 1))
    assert ids | {row["row"]: row["id"] for row in told} == ids
    assert sorted(laptop.ids()) == sorted(ids.values())
    assert laptop.status()["total"] == len(rows)


def _check_saved(laptop: Laptop, told: list[dict[str, Any]]) -> None:
    there = laptop.ids()
    assert [row["id"] for row in told] == there[: len(told)]
    assert len(there) <= len(told) + 1, "at most one was saved and not yet told"
