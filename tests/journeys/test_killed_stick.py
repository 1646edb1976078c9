"""A laptop killed while it writes to a stick or reads from one: nobody lost, nobody twice.

An undisturbed run is watched first; each of its writing calls is a point where the next one dies.
A few points are taken in every run of the suite, all of them by hand (``-m soak``).
"""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from journey_camp import Laptop, open_office
from journey_forked import fork_kit
from journey_sticks import Camp, statement_of
from journey_strace import Point, points_of, watched, why_not

pytestmark = pytest.mark.xdist_group("journey-killed-stick")

_PEOPLE = 3
_THIRDS = range(3)


@dataclass(slots=True, kw_only=True)
class Deaths:
    """A camp whose laptops die: each on its own stick."""

    camp: Camp
    points: dict[str, list[Point]] = field(default_factory=dict)
    laptops: int = 0

    def ready(self, command: str) -> tuple[Laptop, Path]:
        """Give a laptop that is about to export, or to receive what the office answered."""
        self.laptops += 1
        laptop = self.camp.laptop(f"laptop-{self.laptops}")
        stick = self.camp.stick(f"stick-{self.laptops}")
        self.camp.enroll(laptop, _PEOPLE)
        if command == "receive":
            self.camp.export(laptop, stick)
            self.camp.at_office(stick)
        return laptop, stick

    def watch(self, command: str) -> list[Point]:
        """Give every writing call of the command; on the stick, by number alone."""
        if command not in self.points:
            laptop, stick = self.ready(command)
            log = self.camp.folder / "strace.log"
            process = fork_kit(laptop.home, command, str(stick), passphrase=laptop.passphrase)
            pid = process.pid
            with watched(pid, log, home=laptop.home):
                process.begin()
                assert process.end()[0] == 0
            self.points[command], _ = points_of(log, home=laptop.home, main_thread=pid)
            self._go_on(laptop, stick)
        return self.points[command]

    def kill(self, command: str, point: Point) -> bool:
        """Kill the command at a point and go on; whether it got as far as the point."""
        laptop, stick = self.ready(command)
        log = self.camp.folder / "killed.log"
        process = fork_kit(laptop.home, command, str(stick), passphrase=laptop.passphrase)
        with watched(process.pid, log, home=laptop.home, point=point):
            process.begin()
            code, _said = process.end()
        assert code in {-signal.SIGKILL, 0}, (point, code)
        try:
            self._go_on(laptop, stick)
        except AssertionError as broken:
            broken.add_note(f"killed at: {point}")
            raise
        return code == -signal.SIGKILL

    def _go_on(self, laptop: Laptop, stick: Path) -> None:
        told, status = statement_of(laptop), laptop.status()
        assert told["total"] == _PEOPLE
        if list(stick.glob("*.ekb")):
            assert status["by_state"]["SUBMITTED"] == 0, "a file out there that never left"
            self.camp.at_office(stick)
            # Whatever lies on the stick is answered, and the answer is known here.
            self.camp.home(laptop, stick)
            assert statement_of(laptop)["signed_for"] == _PEOPLE
        self.camp.export(laptop, stick)
        self.camp.at_office(stick)
        self.camp.home(laptop, stick)
        assert statement_of(laptop)["signed_for"] == _PEOPLE
        self.camp.everybody_arrived()


@pytest.fixture(scope="module")
def deaths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deaths]:
    if why_not():
        pytest.skip(why_not())
    folder = tmp_path_factory.mktemp("sticks")
    with open_office(folder / "office", running=False) as office:
        yield Deaths(camp=Camp(office=office, folder=folder))


@pytest.mark.parametrize("command", ["export", "receive"])
def test_the_points_are_on_the_disk_and_on_the_stick(deaths: Deaths, command: str) -> None:
    points = deaths.watch(command)
    assert sum(point.file == "enrollkit.db-wal" for point in points) >= 10
    if command == "export":
        on_stick = {point.name for point in points if point.file is None and point.is_main}
        assert {"write", "fsync", "rename"} <= on_stick


@pytest.mark.parametrize("third", _THIRDS)
@pytest.mark.parametrize("command", ["export", "receive"])
def test_a_laptop_that_dies_with_a_stick_goes_on(deaths: Deaths, command: str, third: int) -> None:
    assert deaths.kill(command, _some(deaths.watch(command), third))


def test_a_laptop_that_dies_while_the_file_gets_its_name_goes_on(deaths: Deaths) -> None:
    (rename,) = [point for point in deaths.watch("export") if point.name == "rename"]
    assert deaths.kill("export", rename)
    behind = [point for point in deaths.watch("export") if point.name == "fsync" and point.is_main]
    assert deaths.kill("export", behind[-1])


@pytest.mark.soak
@pytest.mark.parametrize("command", ["export", "receive"])
def test_a_laptop_that_dies_anywhere_with_a_stick_goes_on(deaths: Deaths, command: str) -> None:

    assert [str(point) for point in deaths.watch(command) if not deaths.kill(command, point)] == []


def _some(points: list[Point], third: int) -> Point:
    """Pick one of a third of the list; pytest-randomly's seed says which."""
    size = len(points) // len(_THIRDS)
    return random.choice(points[third * size : (third + 1) * size])
