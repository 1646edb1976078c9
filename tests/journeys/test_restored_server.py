"""The server's database is put back to an earlier moment, and nobody is told: all comes back.

Two laptops work through a camp day. At five moments of it the server's home is copied aside. At the
end one of the copies takes its place. The laptops find out at their next sync, offer everything
again, read their news again, once, and the day goes on.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pytest

from enrollkit.app.incoming import inbox_of
from journey_camp import Laptop, Office, open_office
from journey_forked import fork_kit, fork_server
from journey_people import people, visit

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("journey-restored-server")]

DATABASE: Final = "enrollkit-server.db"
PENDING: Final = 64
MOMENTS: Final = (
    "before-the-first-contact",
    "after-the-approval",
    "in-the-middle-of-a-push",
    "after-the-push",
    "after-the-news",
)


@dataclass(slots=True, kw_only=True)
class Day:
    """An office and its two laptops, and everybody whom they saved, by record id."""

    office: Office
    laptops: tuple[Laptop, Laptop]
    folder: Path
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: int = 0
    wordings: list[str] = field(default_factory=list)

    def enroll(self, laptop: Laptop, batches: Sequence[int]) -> None:
        """Save so many people for each batch, and a record of the first one's."""
        with laptop.unlocked() as kit:
            for count in batches:
                rows = people(len(self.known), count)
                ids = [str(kit.enrolling.submit_row(row).id) for row in rows]
                self.known |= dict(zip(ids, rows, strict=True))
                assert kit.links.add(ids[0], visit(len(self.known))).ok
                self.links += 1
                assert laptop.freeze(kit) == 1

    def set_wording(self, text: str) -> None:
        """Let the office install a wording, which makes a new programme."""
        file = self.folder / "wording.txt"
        file.write_text(text, encoding="utf-8")
        self.office.run("consent", "set", file, "--version", "1.4", "--language", "ta")
        self.wordings.append(text)

    def sync(self) -> list[dict[str, Any]]:
        """Let both laptops sync, each in a process of its own."""
        return [_sync(laptop) for laptop in self.laptops]

    def check(self) -> None:
        """Both ends hold everybody and every record once, and each is signed for."""
        exported = self.office.export()
        assert sorted(row["id"] for row in exported) == sorted(self.known)
        assert all(row["name"] == self.known[row["id"]]["name"] for row in exported)
        linked = [row["id"] for row in self.office.export("--links")]
        assert len(linked) == len(set(linked)) == self.links
        for laptop in self.laptops:
            here = laptop.status()
            assert here["signed_for"] == here["total"] == here["by_state"]["ACCEPTED"]
            assert (here["waiting"], here["links_waiting"], here["returned"]) == (0, 0, 0)
        assert sum(laptop.status()["total"] for laptop in self.laptops) == len(self.known)

    def words_at(self, laptop: Laptop) -> set[str]:
        with laptop.unlocked() as kit:
            return {wording.text for wording in kit.wordings()}


@pytest.fixture(scope="module")
def whole_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """A day that went well, with the five copies beside it."""
    folder = tmp_path_factory.mktemp("day")
    with open_office(folder / "office", running=False) as office:
        first, second = (office.laptop(folder / name, approved=False) for name in ("a", "b"))
        day = Day(office=office, laptops=(first, second), folder=folder)
        with _serving(office):
            _copy(day, MOMENTS[0])
            _approve(day)
            assert [told["error"] for told in day.sync()] == ["", ""]
            _copy(day, MOMENTS[1])
            day.enroll(first, [3, 2, 4])
            day.enroll(second, [2, 2])
            _cut_in_the_middle(day)
            _copy(day, MOMENTS[2])
            assert [told["error"] for told in day.sync()] == ["", ""]
        _copy(day, MOMENTS[3])  # the server is stopped: plain files
        with _serving(office):
            day.set_wording("The first wording of the day.")
            day.sync()
            _copy(day, MOMENTS[4])
            day.enroll(first, [2])
            day.enroll(second, [3])
            day.set_wording("The second wording of the day.")
            day.sync()
            day.check()
        yield day


@pytest.fixture
def restored(whole_day: Day, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Day]:
    """The end of the day, with an earlier server in the place of the true one."""
    shutil.copytree(whole_day.folder / request.param, tmp_path / "office")
    for laptop in whole_day.laptops:
        shutil.copytree(laptop.home, tmp_path / laptop.home.name)
    laptops = [replace(one, home=tmp_path / one.home.name) for one in whole_day.laptops]
    office = replace(whole_day.office, home=tmp_path / "office")
    with _serving(office):
        yield replace(
            whole_day,
            office=office,
            laptops=(laptops[0], laptops[1]),
            folder=tmp_path,
            known=dict(whole_day.known),
            wordings=list(whole_day.wordings),
        )


@pytest.mark.parametrize("restored", MOMENTS, indirect=True)
def test_a_server_put_back_to_an_earlier_moment_gets_everything_again(
    restored: Day, request: pytest.FixtureRequest
) -> None:
    day = restored
    held_before = day.office.status()["enrollments"]
    assert held_before < len(day.known), "nothing was lost, so nothing is tested"
    news_before = [_news(laptop) for laptop in day.laptops]
    if "before-the-first-contact" in request.node.name:
        told = day.sync()
        assert [(one["code"], one["error"]) for one in told] == [(PENDING, "device-pending")] * 2
        assert day.office.status()["enrollments"] == 0
        _approve(day)
    told = day.sync()
    assert [one["error"] for one in told] == ["", ""]
    assert [one["rolled_back"] for one in told] == [True, True]
    assert [one["forked"] for one in told] == [False, False]
    assert sum(one["rejected"] + one["held"] for one in told) == 0
    day.check()
    _check_news(day, news_before)
    again = day.sync()
    quiet = {"sent": 0, "feed": 0, "rolled_back": False, "requests": 1}
    assert [{key: one[key] for key in quiet} for one in again] == [quiet, quiet]
    _go_on(day)


def _go_on(day: Day) -> None:
    """Work as if nothing had been: new people arrive, and new words of the office too."""
    for laptop in day.laptops:
        day.enroll(laptop, [1])
    day.set_wording("The wording after the restored copy.")
    told = day.sync()
    assert [(one["sent"], one["rolled_back"]) for one in told] == [(2, False)] * 2
    day.check()
    for laptop in day.laptops:
        assert day.wordings[-1] in day.words_at(laptop)


def _check_news(day: Day, before: list[list[str]]) -> None:
    """What was applied stays applied, nothing twice, and both ends count the same news."""
    heads = {
        row["device"]: row for row in json.loads(day.office.run("device", "list", "--json").out)
    }
    for laptop, known in zip(day.laptops, before, strict=True):
        assert heads[laptop.device]["state"] == "approved"
        now = _news(laptop)
        assert len(now) == len(set(now))
        assert now[: len(known)] == known
        with laptop.unlocked() as kit:
            cursor = inbox_of(kit._open()).cursor()
        assert cursor == _feed_head(day.office, laptop.device)


def _news(laptop: Laptop) -> list[str]:
    with laptop.unlocked() as kit:
        return [str(entry) for entry in laptop.ask(kit, "SELECT id FROM feed ORDER BY rowid")]


def _feed_head(office: Office, device: str) -> int:
    with contextlib.closing(sqlite3.connect(office.home / DATABASE)) as database:
        row = database.execute("SELECT feed_head FROM devices WHERE device = ?", (device,))
        return int(row.fetchone()[0])


def _approve(day: Day) -> None:
    for laptop in day.laptops:
        day.office.run("device", "approve", laptop.approval_code)


def _cut_in_the_middle(day: Day) -> None:
    """Hang up for good while the first laptop's batches are on their way."""
    relay = day.office.relay
    port = relay.target

    def hang_up() -> None:
        relay.target = None

    trap = relay.set_trap("down", 1500, hang_up)
    told = day.laptops[0].run("sync", "--json")
    assert trap.sprung.is_set()
    assert told.object["error"] == "offline"
    relay.target = port
    assert 0 < day.office.status()["enrollments"] < len(day.known)


def _copy(day: Day, moment: str) -> None:
    """Copy the server's home aside; a database that is in use by SQLite's own means."""
    home, copy = day.office.home, day.folder / moment
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns(f"{DATABASE}*"))
    with (
        contextlib.closing(sqlite3.connect(home / DATABASE)) as there,
        contextlib.closing(sqlite3.connect(copy / DATABASE)) as here,
    ):
        there.backup(here)


def _sync(laptop: Laptop) -> dict[str, Any]:
    process = fork_kit(laptop.home, "sync", "--json", passphrase=laptop.passphrase)
    process.begin()
    code, said = process.end()
    told: dict[str, Any] = json.loads(said)
    return {"error": "", **told, "code": code}


@contextlib.contextmanager
def _serving(office: Office) -> Iterator[None]:
    server = fork_server(office.home)
    server.begin()
    office.relay.target = server.listening()
    try:
        yield
    finally:
        office.relay.target = None
        server.end(signal.SIGTERM)
