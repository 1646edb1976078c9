"""Laptop and server are killed at any system call by which they write: exactly once afterwards.

An undisturbed sync is watched first; each of its writing calls is a point where the next process
dies. The whole list is run by hand (``-m soak -s`` prints the figures); every run of the suite
takes a few points of each side, other ones each time.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from journey_camp import Laptop, Office, open_office
from journey_forked import Forked, fork_kit, fork_server
from journey_people import people, visit
from journey_strace import Point, points_of, watched, why_not

pytestmark = pytest.mark.xdist_group("journey-killed-at-every-write")

_PEOPLE, _LINKS = 4, 2
_QUARTERS = range(4)
_TRIES = 3
_MISSED_MAX = 4
"""Keys are random, and so is by a page or two how much SQLite writes: the last calls of the list
may not be made by another run.
"""


@dataclass(slots=True, kw_only=True)
class Camp:
    """An office, and everybody that its laptops saved, by record id."""

    office: Office
    folder: Path
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    laptops: int = 0

    def laptop(self) -> Laptop:
        """Set up an approved laptop on which people and their records wait for its first sync."""
        self.laptops += 1
        laptop = self.office.laptop(self.folder / f"laptop-{self.laptops}")
        rows = people(len(self.known), _PEOPLE)
        with laptop.unlocked() as kit:
            ids = [str(kit.enrolling.submit_row(row).id) for row in rows]
            for number in range(_LINKS):
                assert kit.links.add(ids[number], visit(number)).ok
        self.known |= dict(zip(ids, rows, strict=True))
        return laptop

    def finish(self, laptop: Laptop) -> None:
        """Sync until done; then both ends hold everybody, each once, each signed for."""
        here, there = laptop.status(), self.office.status()
        assert here["total"] == _PEOPLE
        assert here["signed_for"] + here["waiting"] == _PEOPLE
        told_before = here["signed_for"] + len(self.known) - _PEOPLE
        assert told_before <= there["enrollments"] <= len(self.known), (
            "signed for means it is there"
        )
        done = laptop.run("sync", "--json")
        assert done.code == 0, done
        assert laptop.run("sync", "--json").object["sent"] == 0
        here = laptop.status()
        assert here["total"] == here["signed_for"] == here["by_state"]["ACCEPTED"] == _PEOPLE
        assert (here["waiting"], here["links_waiting"], here["returned"]) == (0, 0, 0)
        exported = self.office.export()
        assert sorted(row["id"] for row in exported) == sorted(self.known)
        assert all(row["name"] == self.known[row["id"]]["name"] for row in exported)
        links = [row["id"] for row in self.office.export("--links")]
        assert len(links) == len(set(links)) == len(self.known) // _PEOPLE * _LINKS
        assert set(laptop.link_ids()) <= set(links)


@dataclass(slots=True, kw_only=True)
class Site:
    """A camp whose server has never met its one laptop: copied anew for each death of a server."""

    camp: Camp
    laptop: Laptop
    copies: int = 0

    def copy(self) -> tuple[Camp, Laptop]:
        self.copies += 1
        folder = self.camp.folder / f"copy-{self.copies}"
        shutil.copytree(self.camp.office.home, folder / "office")
        shutil.copytree(self.laptop.home, folder / "laptop")
        office = replace(self.camp.office, home=folder / "office")
        camp = Camp(office=office, folder=folder, known=self.camp.known, laptops=1)
        return camp, replace(self.laptop, home=folder / "laptop")


@pytest.fixture(scope="module", autouse=True)
def _strace_works() -> None:
    if why_not():
        pytest.skip(why_not())


@pytest.fixture(scope="module")
def camp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Camp]:
    folder = tmp_path_factory.mktemp("laptops")
    with open_office(folder / "office", running=False) as office, _serving(office):
        yield Camp(office=office, folder=folder)


@pytest.fixture(scope="module")
def laptop_points(camp: Camp) -> list[Point]:
    """Every writing call of the first sync of a laptop."""
    laptop, log = camp.laptop(), camp.folder / "strace.log"
    process = _sync(laptop)
    pid = process.pid
    with watched(pid, log, home=laptop.home):
        process.begin()
        assert process.end()[0] == 0
    points, shadowed = points_of(log, home=laptop.home, main_thread=pid)
    assert shadowed == []
    return points


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("servers")
    with open_office(folder / "office", running=False) as office:
        camp = Camp(office=office, folder=folder)
        yield Site(camp=camp, laptop=camp.laptop())


@pytest.fixture(scope="module")
def server_points(site: Site) -> list[Point]:
    """Every writing call of a server from its start over a laptop's first sync to its end."""
    camp, laptop = site.copy()
    log, server = camp.folder / "strace.log", fork_server(camp.office.home)
    pid = server.pid
    with watched(pid, log, home=camp.office.home):
        server.begin()
        camp.office.relay.target = server.listening()
        assert laptop.run("sync", "--json").code == 0
        assert server.end(signal.SIGTERM) == (0, "")
    points, shadowed = points_of(log, home=camp.office.home, main_thread=pid)
    # Lines of the log, and threads that wake each other: nothing anybody keeps.
    assert {(point.name, point.file) for point in shadowed} <= {
        ("write", "stderr.log"),
        ("sendto", None),
    }
    return points


def test_the_list_of_points_names_the_files_and_the_road(
    laptop_points: list[Point], server_points: list[Point]
) -> None:
    """Were strace to see nothing, no death would follow and every test would be green."""
    for points, name in ((laptop_points, "enrollkit.db"), (server_points, "enrollkit-server.db")):
        met = Counter((point.name, point.file) for point in points)
        assert met["pwrite64", f"{name}-wal"] >= 20
        assert met["fsync", f"{name}-wal"] >= 3
        assert met["fsync", name] >= 1
        assert met["sendto", None] >= 4
        assert len(set(points)) == len(points)


@pytest.mark.parametrize("quarter", _QUARTERS)
def test_a_laptop_killed_at_a_write_ends_its_sync_the_next_time(
    camp: Camp, laptop_points: list[Point], quarter: int
) -> None:
    assert any(_kill_laptop(camp, _some(laptop_points, quarter)) for _try in range(_TRIES))


@pytest.mark.parametrize("quarter", _QUARTERS)
def test_a_server_killed_at_a_write_has_everybody_the_next_time(
    site: Site, server_points: list[Point], quarter: int
) -> None:
    assert any(_kill_server(site, _some(server_points, quarter)) for _try in range(_TRIES))


@pytest.mark.soak
def test_a_laptop_killed_at_every_write_ends_its_sync_the_next_time(
    camp: Camp, laptop_points: list[Point]
) -> None:
    with _counted("laptop", laptop_points) as missed:
        missed += [str(point) for point in laptop_points if not _kill_laptop(camp, point)]
    assert len(missed) <= _MISSED_MAX, missed


@pytest.mark.soak
def test_a_server_killed_at_every_write_has_everybody_the_next_time(
    site: Site, server_points: list[Point]
) -> None:
    with _counted("server", server_points) as missed:
        missed += [str(point) for point in server_points if not _kill_server(site, point)]
    assert len(missed) <= _MISSED_MAX, missed


def _kill_laptop(camp: Camp, point: Point) -> bool:
    """Kill a new laptop's sync at a point and let it go on; whether it got as far as the point."""
    laptop = camp.laptop()
    process = _sync(laptop)
    with watched(process.pid, camp.folder / "killed.log", home=laptop.home, point=point):
        process.begin()
        code, _said = process.end()
    assert code in {-signal.SIGKILL, 0}, (point, code)
    with _blamed(point):
        camp.finish(laptop)
    return code == -signal.SIGKILL


def _kill_server(site: Site, point: Point) -> bool:
    """Kill a server at a point of its day, start it again, and let the laptop go on."""
    camp, laptop = site.copy()
    server = fork_server(camp.office.home)
    with watched(server.pid, camp.folder / "killed.log", home=camp.office.home, point=point):
        server.begin()
        camp.office.relay.target = server.listening()  # none when it died before
        told = laptop.run("sync", "--json").code
        code, _said = server.end(signal.SIGTERM)
    camp.office.relay.target = None
    assert (code, told) in {(-signal.SIGKILL, 60), (-signal.SIGKILL, 0), (0, 0)}, (
        point,
        code,
        told,
    )
    with _blamed(point), _serving(camp.office):
        camp.finish(laptop)
    shutil.rmtree(camp.folder)
    return code == -signal.SIGKILL


def _some(points: list[Point], quarter: int) -> Point:
    """Pick one of a quarter of the list; pytest-randomly's seed says which."""
    size = len(points) // len(_QUARTERS)
    return random.choice(points[quarter * size : (quarter + 1) * size])


def _sync(laptop: Laptop) -> Forked:
    return fork_kit(laptop.home, "sync", "--json", passphrase=laptop.passphrase)


@contextlib.contextmanager
def _serving(office: Office) -> Iterator[None]:
    server = fork_server(office.home)
    server.begin()
    office.relay.target = server.listening()
    try:
        yield
    finally:
        office.relay.target = None
        server.end(signal.SIGKILL)


@contextlib.contextmanager
def _blamed(point: Point) -> Iterator[None]:
    try:
        yield
    except AssertionError as broken:
        broken.add_note(f"killed at: {point}")
        raise


@contextlib.contextmanager
def _counted(who: str, points: list[Point]) -> Iterator[list[str]]:
    start, missed = time.monotonic(), list[str]()
    yield missed
    seconds = time.monotonic() - start
    words = f"killed at {len(points) - len(missed)} of {len(points)} points in {seconds:.0f} s"
    print(f"\n{who}: {words}")  # noqa: T201 - for the record
