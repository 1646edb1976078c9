"""Whoever writes to a stick, or reads one, is killed at any system call by which it writes.

A stick makes one round: out of the laptop, through the office, home again. Each of the three
commands is killed at a call that writes; the same command is given once more, and the round goes
on. The whole list is run by hand (``-m soak -s``).
"""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from journey_camp import Laptop, open_office
from journey_forked import Forked, fork_kit, fork_server
from journey_sticks import Camp, statement_of
from journey_strace import Point, points_of, watched, why_not
from sync.bundle import BUNDLE_SUFFIX, RETURN_SUFFIX, decode_bundle, decode_return

pytestmark = pytest.mark.xdist_group("journey-killed-with-a-stick")

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

    def export(self) -> Forked:
        return self._kit("export", str(self.stick), "--json")

    def at_office(self) -> Forked:
        stick = str(self.stick)
        return fork_server(self.camp.office.home, "receive", stick, "-o", stick, "--json")

    def home(self) -> Forked:
        return self._kit("receive", str(self.stick), "--json")

    def go_on(self, start: int) -> None:
        """Do again what was cut off, and the rest of the round; then all is as it should be."""
        steps: tuple[Callable[[], object], ...] = (
            lambda: self.camp.export(self.laptop, self.stick),
            lambda: self.camp.at_office(self.stick),
            lambda: self.camp.home(self.laptop, self.stick),
        )
        for step in steps[start:]:
            step()
            self.check_files()
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

    def _kit(self, *arguments: str) -> Forked:
        return fork_kit(self.laptop.home, *arguments, passphrase=self.laptop.passphrase)


LEGS = (Round.export, Round.at_office, Round.home)
NAMES = ("export", "at-the-office", "home")


@dataclass(slots=True, kw_only=True)
class Leg:
    """One command of the round: how things stand before it, and every call of it that writes."""

    number: int
    before: Round
    points: list[Point]


@pytest.fixture(scope="module")
def legs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Leg]]:
    if why_not():
        pytest.skip(why_not())
    folder = tmp_path_factory.mktemp("rounds")
    with open_office(folder / "0" / "office", running=False) as office:
        camp = Camp(office=office, folder=folder / "0")
        laptop = camp.laptop("laptop")
        camp.enroll(laptop, _PEOPLE, papers=_PAPERS)
        camp.stick("stick")
        stands, found = Round(camp=camp, laptop=laptop), []
        for number, command in enumerate(LEGS):
            after = stands.copy(folder / str(number + 1))
            points = _watch(after, command)
            found.append(Leg(number=number, before=stands, points=points))
            stands = after
        yield found


@pytest.mark.parametrize("number", range(len(LEGS)), ids=NAMES)
def test_a_command_killed_at_a_write_to_a_stick_is_given_once_more(
    legs: list[Leg], tmp_path: Path, number: int
) -> None:
    leg = legs[number]
    assert len(leg.points) > 20
    some = random.sample(leg.points, _TRIES)
    assert any(_kill(leg, point, tmp_path / "copy") for point in some)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(len(LEGS)), ids=NAMES)
def test_a_command_killed_at_every_write_to_a_stick_is_given_once_more(
    legs: list[Leg], tmp_path: Path, number: int
) -> None:
    leg, start = legs[number], time.monotonic()
    missed = [point for point in leg.points if not _kill(leg, point, tmp_path / "copy")]
    seconds = time.monotonic() - start
    print(f"\n{NAMES[number]}: killed at {len(leg.points) - len(missed)} points in {seconds:.0f} s")  # noqa: T201 - for the record
    assert len(missed) <= _MISSED_MAX, missed


def _watch(round_: Round, command: Callable[[Round], Forked]) -> list[Point]:
    process, log = command(round_), round_.camp.folder.parent / "strace.log"
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
    process = LEGS[leg.number](round_)
    with watched(process.pid, folder / "killed.log", home=folder, point=point):
        process.begin()
        code, _said = process.end()
    assert code in {-signal.SIGKILL, 0}, (point, code)
    with _blamed(point):
        round_.check_files()
        round_.go_on(leg.number)
    shutil.rmtree(folder)
    return code == -signal.SIGKILL


@contextlib.contextmanager
def _blamed(point: Point) -> Iterator[None]:
    try:
        yield
    except AssertionError as broken:
        broken.add_note(f"killed at: {point}")
        raise
