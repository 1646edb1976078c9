"""The office's server is killed at any call by which it writes while it reads a stick and answers.

A stick makes one round: out of the laptop, through the office, home again. The command at the
office dies at a call that writes, is given once more, and the round goes on. The whole list is run
by hand (``-m soak -s``); what kills the laptop's commands is in ``test_killed_stick.py``.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from journey_camp import Laptop, open_office
from journey_forked import Forked, fork_server
from journey_sticks import Camp, statement_of
from journey_strace import Point, points_of, watched, why_not
from sync.bundle import BUNDLE_SUFFIX, RETURN_SUFFIX, decode_bundle, decode_return

pytestmark = pytest.mark.xdist_group("journey-killed-office-with-a-stick")

_PEOPLE, _PAPERS = 3, 2
_TRIES = 3
_MISSED_MAX = 4
"""How many pages SQLite writes is a little different in each run."""


@dataclass(slots=True, kw_only=True)
class Round:
    """A camp of one laptop and one stick, in a folder that can be copied as it stands."""

    camp: Camp
    laptop: Laptop

    @property
    def stick(self) -> Path:
        return self.camp.folder / "stick"

    def copy(self, folder: Path) -> Round:
        shutil.copytree(self.camp.folder, folder)
        office = replace(self.camp.office, home=folder / "office")
        camp = replace(self.camp, office=office, folder=folder)
        return Round(camp=camp, laptop=replace(self.laptop, home=folder / "laptop"))

    def at_office(self) -> Forked:
        stick = str(self.stick)
        return fork_server(self.camp.office.home, "receive", stick, "-o", stick, "--json")

    def go_on(self) -> None:
        """Do again what was cut off, and the rest of the round; then all is as it should be."""
        self.camp.at_office(self.stick)
        self.check_files()
        self.camp.home(self.laptop, self.stick)
        self.camp.everybody_arrived()
        links = [row["id"] for row in self.camp.office.export("--links")]
        assert sorted(links) == sorted(self.laptop.link_ids())
        told = statement_of(self.laptop)
        assert (told["signed_for"], told["on_sticks"]) == (_PEOPLE, [])
        here = self.laptop.status()
        assert (here["waiting"], here["links_waiting"], here["returned"]) == (0, 0, 0)

    def check_files(self) -> None:
        """Under a name of ours there stands a whole file or none."""
        for path in self.stick.iterdir():
            if path.suffix == BUNDLE_SUFFIX:
                assert decode_bundle(path.read_bytes()).is_whole
            if path.suffix == RETURN_SUFFIX:
                assert decode_return(path.read_bytes()).is_whole


@dataclass(slots=True, kw_only=True)
class Leg:
    """How things stand before the office reads the stick, and every call of it that writes."""

    before: Round
    points: list[Point]


@pytest.fixture(scope="module")
def leg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leg]:
    if why_not():
        pytest.skip(why_not())
    folder = tmp_path_factory.mktemp("rounds")
    with open_office(folder / "before" / "office", running=False) as office:
        camp = Camp(office=office, folder=folder / "before")
        laptop = camp.laptop("laptop")
        camp.enroll(laptop, _PEOPLE, papers=_PAPERS)
        before = Round(camp=camp, laptop=laptop)
        camp.export(laptop, camp.stick("stick"))
        yield Leg(before=before, points=_watch(before.copy(folder / "after")))


def test_an_office_killed_at_a_write_reads_the_stick_once_more(leg: Leg, tmp_path: Path) -> None:
    assert len(leg.points) > 20
    some = random.sample(leg.points, _TRIES)
    assert any(_kill(leg, point, tmp_path / "copy") for point in some)


@pytest.mark.soak
def test_an_office_killed_at_every_write_reads_the_stick_once_more(
    leg: Leg, tmp_path: Path
) -> None:
    start = time.monotonic()
    missed = [point for point in leg.points if not _kill(leg, point, tmp_path / "copy")]
    seconds = time.monotonic() - start
    print(f"\noffice: killed at {len(leg.points) - len(missed)} points in {seconds:.0f} s")  # noqa: T201 - for the record
    assert len(missed) <= _MISSED_MAX, missed


def _watch(round_: Round) -> list[Point]:
    process, log = round_.at_office(), round_.camp.folder.parent / "strace.log"
    pid = process.pid
    with watched(pid, log, home=round_.camp.folder):
        process.begin()
        code, said = process.end()
    assert code == 0, said
    points, shadowed = points_of(log, home=round_.camp.folder, main_thread=pid)
    assert shadowed == []
    return points


def _kill(leg: Leg, point: Point, folder: Path) -> bool:
    """Kill the command of a leg at a point and go on; whether it got as far as the point."""
    round_ = leg.before.copy(folder)
    process = round_.at_office()
    with watched(process.pid, folder / "killed.log", home=folder, point=point):
        process.begin()
        code, _said = process.end()
    assert code in {-signal.SIGKILL, 0}, (point, code)
    with _blamed(point):
        round_.check_files()
        round_.go_on()
    shutil.rmtree(folder)
    return code == -signal.SIGKILL


@contextlib.contextmanager
def _blamed(point: Point) -> Iterator[None]:
    try:
        yield
    except AssertionError as broken:
        broken.add_note(f"killed at: {point}")
        raise
