"""``sync --watch`` on a real laptop: it waits, sends when it can, and ends when it is asked to."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from enrollkit.app.kit import Kit
from enrollkit.app.system import System
from enrollkit.app.vigil import Round
from journey_camp import Laptop, Office, open_office, write_rows
from journey_people import people
from sync.errors import Offline

pytestmark = pytest.mark.xdist_group("journey-watch")


class Hurried(System):
    """The real machine, on which waiting takes no time."""

    def __init__(self) -> None:
        self.slept = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("watch") / "office") as office:
        yield office


@pytest.fixture
def laptop(office: Office, tmp_path: Path) -> Laptop:
    return office.laptop(tmp_path / "laptop")


def test_it_sends_when_the_network_comes_and_when_people_are_saved(
    office: Office, laptop: Laptop
) -> None:
    rows, rounds = people(0, 5), list[Round]()
    kit = Kit.at(laptop.home, system=Hurried())
    kit.unlock(laptop.passphrase)
    ids = [str(kit.enrolling.submit_row(row).id) for row in rows[:3]]
    office.relay.target = None

    def note(done: Round) -> None:
        rounds.append(done)
        if len(rounds) == 2:
            office.relay.target = office.server.port
        if done.error is None and len(ids) == 3:
            ids.extend(str(kit.enrolling.submit_row(row).id) for row in rows[3:])

    kit.delivery.watch(
        note, is_stopping=lambda: len(ids) == 5 and not rounds[-1].waiting and len(rounds) > 3
    )
    estimate = kit.delivery.estimate()
    kit.close()
    assert [isinstance(done.error, Offline) for done in rounds[:2]] == [True, True]
    assert [done.summary.accepted for done in rounds[2:] if done.summary] == [3, 2]
    assert estimate.bytes < 5000
    there = [row["id"] for row in office.export()]
    assert [there.count(one) for one in ids] == [1] * 5
    status = laptop.status()
    assert (status["signed_for"], status["waiting"]) == (5, 0)


def test_it_prints_one_object_a_session_and_ends_at_the_first_ctrl_c(
    laptop: Laptop, tmp_path: Path
) -> None:
    assert laptop.run("enroll", write_rows(tmp_path / "a.jsonl", people(0, 4))).code == 0
    process = laptop.start("sync", "--watch", "--json")
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, b""), err
    assert (first["accepted"], first["waiting"], first["stopped"]) == (4, 0, False)
    assert b"Traceback" not in err
    assert laptop.status()["signed_for"] == 4


def test_ctrl_c_in_a_sync_ends_it_after_the_batch_and_says_so(
    office: Office, laptop: Laptop
) -> None:
    with laptop.unlocked() as kit:
        for row in people(0, 12):
            assert kit.enrolling.submit_row(row).ok
            laptop.freeze(kit)
    trap = office.relay.set_trap("up", 6_000, lambda: process.send_signal(signal.SIGINT))
    process = laptop.start("sync", "--json")
    out, err = process.communicate(timeout=60)
    assert trap.sprung.is_set()
    assert process.returncode == 130, err
    told = json.loads(out)
    assert told["stopped"]
    assert told["accepted"] + told["waiting"] == 12
    status = laptop.status()
    assert status["signed_for"] == told["accepted"] < 12
    office.relay.clear_trap()
    assert laptop.run("sync", "--json").object["waiting"] == 0


def test_an_allowance_counts_what_travelled_before_today(laptop: Laptop, tmp_path: Path) -> None:
    assert laptop.run("enroll", write_rows(tmp_path / "a.jsonl", people(0, 2))).code == 0
    told = laptop.run("sync", "--json").object
    used = told["bytes_up"] + told["bytes_down"]
    assert told["used_today"] == used
    again = laptop.run("sync", "--json").object
    assert again["used_today"] == used + again["bytes_up"] + again["bytes_down"]
    kit, rounds = Kit.at(laptop.home, system=Hurried()), list[Round]()
    kit.unlock(laptop.passphrase)
    kit.delivery.watch(rounds.append, is_stopping=lambda: bool(rounds), limit_bytes=used)
    kit.close()
    assert [done.spent for done in rounds] == [True]
    assert rounds[0].rest_seconds > 0
