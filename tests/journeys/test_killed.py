"""The power goes at any byte of a sync, at either end: nothing is lost, nothing is doubled."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from journey_camp import Laptop, Office, agree, open_office, write_rows
from journey_people import people, visit

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("journey-killed")]

BATCHES, PEOPLE_PER_BATCH = 6, 4
POINTS = [
    pytest.param("up", 0.0, id="first byte up"),
    pytest.param("up", 0.02, id="in the greeting"),
    pytest.param("up", 0.15, id="in the first batch"),
    pytest.param("up", 0.3, id="in an early batch"),
    pytest.param("up", 0.5, id="half-way up"),
    pytest.param("up", 0.7, id="in a late batch"),
    pytest.param("up", 0.95, id="last bytes up"),
    pytest.param("down", 0.0, id="first byte down"),
    pytest.param("down", 0.5, id="between receipts"),
    pytest.param("down", 0.9, id="in a late receipt"),
]


@dataclass(slots=True, kw_only=True)
class Camp:
    """One laptop that goes through round after round; what it saved, by record id."""

    folder: Path
    office: Office
    laptop: Laptop
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    size: dict[str, int] = field(default_factory=dict)

    def enroll_round(self) -> None:
        """Save people and a few links, sealed into several batches."""
        with self.laptop.unlocked() as kit:
            for _ in range(BATCHES):
                rows = people(len(self.known), PEOPLE_PER_BATCH)
                results = [kit.enrolling.submit_row(row) for row in rows]
                assert all(result.ok for result in results), results
                ids = [str(result.id) for result in results]
                self.known |= dict(zip(ids, rows, strict=True))
                linked = kit.links.add(ids[0], visit(len(self.known)))
                assert linked.ok, linked
                assert self.laptop.freeze(kit) == 1

    def byte(self, direction: str, share: float) -> int:
        return 1 + int(self.size[direction] * share)

    def finish(self) -> dict[str, Any]:
        """Sync until done, and look at both ends."""
        self.office.relay.clear_trap()
        self.check_honest()
        done = self.laptop.run("sync", "--json")
        assert done.code == 0, done
        agree(self.office, self.laptop, self.known)
        assert self.laptop.run("sync", "--json").object["sent"] == 0
        return done.object

    def check_honest(self) -> None:
        """Whoever is called signed for is at the server."""
        here, there = self.laptop.status(), self.office.status()
        assert here["total"] == len(self.known)
        assert here["signed_for"] <= there["enrollments"] <= len(self.known)
        assert here["signed_for"] + here["waiting"] == len(self.known)


@pytest.fixture(scope="module")
def camp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Camp]:
    folder = tmp_path_factory.mktemp("killed")
    with open_office(folder / "office") as office:
        camp = Camp(folder=folder, office=office, laptop=office.laptop(folder / "laptop"))
        assert camp.laptop.run("sync", "--json").code == 0
        camp.enroll_round()
        office.relay.forget()
        assert camp.laptop.run("sync", "--json").code == 0
        camp.size = dict(zip(("up", "down"), office.relay.traffic(), strict=True))
        yield camp


@pytest.mark.parametrize(("direction", "share"), POINTS)
def test_a_laptop_that_dies_in_a_sync_ends_it_the_next_time(
    camp: Camp, direction: str, share: float
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


@pytest.mark.parametrize(("direction", "share"), POINTS)
def test_a_server_that_dies_in_a_sync_has_everybody_the_next_time(
    camp: Camp, direction: str, share: float
) -> None:
    camp.enroll_round()
    server = camp.office.server.process
    assert server is not None
    trap = camp.office.relay.set_trap(direction, camp.byte(direction, share), server.kill)
    broken = camp.laptop.run("sync", "--json")
    assert trap.sprung.wait(10)
    assert server.wait(timeout=30) == -signal.SIGKILL
    camp.office.kill()
    assert broken.object["error"] == "offline"
    assert broken.code == 60
    camp.office.start()
    camp.finish()


@pytest.mark.parametrize("share", [0.0, 0.4, 0.7, 0.95])
def test_answers_that_are_lost_are_asked_for_again(camp: Camp, share: float) -> None:
    camp.enroll_round()
    camp.office.relay.set_trap("down", camp.byte("down", share), _nothing)
    told = camp.laptop.run("sync", "--json")
    assert told.code == 0
    assert told.object["sent"] == told.object["accepted"] == BATCHES * (PEOPLE_PER_BATCH + 1)
    assert camp.finish()["sent"] == 0


def test_a_sync_that_arrives_twice_changes_nothing(camp: Camp) -> None:
    camp.enroll_round()
    camp.office.relay.forget()
    assert camp.laptop.run("sync", "--json").code == 0
    before = camp.office.status()
    for passage in list(camp.office.relay.passages):
        requests = passage.up.count(b" HTTP/1.1\r\n")
        assert requests >= 2
        for _ in range(2):
            answer = camp.office.relay.replay(passage)
            assert answer.count(b"HTTP/1.1 200 OK\r\n") == requests + 1
    assert camp.office.status() == before
    camp.finish()


def test_a_batch_that_is_cut_and_sent_again_is_one_batch(camp: Camp) -> None:
    """Two cuts in one session: the second hits the sync that mends the first."""
    camp.enroll_round()
    relay = camp.office.relay

    def cut_again() -> None:
        relay.set_trap("up", camp.byte("up", 0.3), _nothing)

    first = relay.set_trap("up", camp.byte("up", 0.6), cut_again)
    told = camp.laptop.run("sync", "--json")
    assert first.sprung.is_set()
    assert (told.code, told.object["accepted"]) == (0, BATCHES * (PEOPLE_PER_BATCH + 1))
    camp.finish()


@pytest.mark.parametrize("lines", [1, 25, 80])
def test_what_enroll_printed_before_it_died_is_saved(
    camp: Camp, tmp_path: Path, lines: int
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


def _nothing() -> None:
    """The cut alone."""
