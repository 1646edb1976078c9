"""A laptop's disk is copied, or put back from an old copy: noticed, both kept, nothing doubled."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from enrollkit.app.results import Level
from journey_camp import Laptop, Office, open_office
from journey_people import people, visit
from sync.errors import ChainForked

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("journey-copied-laptop")]


@dataclass
class Camp:
    """One office, the people of every laptop by record id, and copies of data folders."""

    office: Office
    folder: Path
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)

    def enroll(self, laptop: Laptop, count: int, *, freeze: bool = False) -> list[str]:
        """Save people whom nobody has saved before, and a record for the first of them."""
        rows = people(len(self.known), count)
        with laptop.unlocked() as kit:
            ids = [str(kit.enrolling.submit_row(row).id) for row in rows]
            self.links.add(str(kit.links.add(ids[0], visit(len(self.known))).id))
            if freeze:
                assert laptop.freeze(kit) == 1
        self.known |= dict(zip(ids, rows, strict=True))
        return ids

    def copy(self, laptop: Laptop, name: str) -> Laptop:
        """Copy a laptop's whole data folder: another laptop that believes to be the first."""
        home = self.folder / name
        shutil.copytree(laptop.home, home)
        return replace(laptop, home=home)

    def put_back(self, copy: Laptop, laptop: Laptop) -> None:
        """Restore a laptop from a copy of its data folder."""
        shutil.rmtree(laptop.home)
        shutil.copytree(copy.home, laptop.home)

    def sync(self, laptop: Laptop, **expected: Any) -> dict[str, Any]:
        done = laptop.run("sync", "--json")
        assert done.code == 0, done
        told = done.object
        assert (told["waiting"], told["rejected"], told["held"]) == (0, 0, 0)
        assert {key: told[key] for key in expected} == expected
        return told

    def check(self, **laptops: tuple[Laptop, int]) -> None:
        """The server holds everybody once; each laptop holds and counts its own, all signed for."""
        there = [row["id"] for row in self.office.export()]
        assert sorted(there) == sorted(self.known)
        for row in self.office.export():
            assert row["name"] == self.known[row["id"]]["name"]
        links = [row["id"] for row in self.office.export("--links")]
        assert sorted(links) == sorted(self.links)
        status = self.office.status()
        assert status["enrollments"] == status["by_state"]["ACCEPTED"] == len(self.known)
        for laptop, total in laptops.values():
            here = laptop.status()
            assert here["total"] == here["signed_for"] == total
            assert (here["waiting"], here["links_waiting"], here["held"]) == (0, 0, 0)
            with laptop.unlocked() as kit:
                levels = {finding.code: finding.level for finding in kit.doctor()}
            assert levels["audit"] is levels["database"] is Level.OK


@pytest.fixture
def camp(tmp_path: Path) -> Iterator[Camp]:
    with open_office(tmp_path / "office") as office:
        yield Camp(office=office, folder=tmp_path)


@pytest.fixture
def first(camp: Camp) -> Laptop:
    """A laptop that has delivered three people."""
    laptop = camp.office.laptop(camp.folder / "first")
    camp.enroll(laptop, 3)
    camp.sync(laptop, accepted=4, forked=False)
    return laptop


def test_both_copies_of_a_laptop_are_used_and_both_are_kept(camp: Camp, first: Laptop) -> None:
    camp.enroll(first, 2)
    twin = camp.copy(first, "twin")
    camp.enroll(first, 2)
    camp.enroll(twin, 3)
    camp.sync(first, accepted=6, forked=False)
    # Three of its operations the first laptop has brought already; the twin's own are new.
    camp.sync(twin, accepted=4, duplicate=3, forked=True)
    camp.check(first=(first, 7), twin=(twin, 8))
    for _round in range(2):
        for laptop in (twin, first):
            camp.enroll(laptop, 1)
            camp.sync(laptop, accepted=2, duplicate=0, forked=False)
    camp.check(first=(first, 9), twin=(twin, 10))
    for laptop in (first, twin):
        camp.sync(laptop, sent=0, forked=False, rolled_back=False)


def test_a_copy_that_froze_what_the_other_froze_too_brings_its_own_chain(
    camp: Camp, first: Laptop
) -> None:
    camp.enroll(first, 2, freeze=True)
    twin = camp.copy(first, "twin")
    camp.enroll(first, 1, freeze=True)
    camp.enroll(twin, 2, freeze=True)
    camp.enroll(twin, 1, freeze=True)
    camp.sync(twin, accepted=8, forked=False)
    # The first batch is the same in both: its receipt is the first laptop's too.
    camp.sync(first, accepted=5, duplicate=0, forked=True)
    camp.check(first=(first, 6), twin=(twin, 8))


def test_three_copies_come_home_in_any_order(camp: Camp, first: Laptop) -> None:
    copies = [camp.copy(first, f"copy-{number}") for number in range(3)]
    for laptop in copies:
        camp.enroll(laptop, 2)
    told = [camp.sync(laptop, accepted=3) for laptop in copies]
    assert [one["forked"] for one in told] == [False, True, True]
    for laptop in reversed(copies):
        camp.enroll(laptop, 1)
        camp.sync(laptop, accepted=2, forked=False)
    camp.check(a=(copies[0], 6), b=(copies[1], 6), c=(copies[2], 6))


def test_the_office_sees_that_a_laptop_was_copied(camp: Camp, first: Laptop) -> None:
    twin = camp.copy(first, "twin")
    for laptop in (first, twin):
        camp.enroll(laptop, 1)
        camp.sync(laptop)
    (device,) = camp.office.run("device", "list", "--json").rows[0]
    assert device["device"] == first.device
    (fork,) = [life for life in device["chain"] if "fork" in life]
    assert fork["after"] == 1


def test_the_operator_hears_of_the_copy_once_and_in_words(camp: Camp, first: Laptop) -> None:
    twin = camp.copy(first, "twin")
    camp.enroll(first, 1)
    camp.sync(first)
    camp.enroll(twin, 1)
    told = twin.run("sync")
    assert told.code == 0, told
    assert ChainForked().text in told.out
    assert "2 people and records signed for by the server now." in told.out
    assert ChainForked().text not in twin.run("sync").out
    with twin.unlocked() as kit:
        (copied,) = [finding for finding in kit.doctor() if finding.code == "copied"]
    assert copied.level is Level.WARN


def test_a_laptop_put_back_from_an_old_copy_begins_a_new_life(camp: Camp, first: Laptop) -> None:
    old = camp.copy(first, "old")
    camp.enroll(first, 4)
    camp.sync(first, accepted=5)
    camp.put_back(old, first)
    camp.sync(first, sent=0, forked=True, rolled_back=False)
    assert camp.sync(first, sent=0, rolled_back=False)["bytes_up"] < 1_500
    # Four people are at the office alone now, and this laptop does not say otherwise.
    camp.check(first=(first, 3))
    camp.enroll(first, 2)
    camp.sync(first, accepted=3, duplicate=0, forked=False)
    camp.check(first=(first, 5))


def test_what_the_old_life_never_got_a_receipt_for_is_settled(camp: Camp, first: Laptop) -> None:
    camp.enroll(first, 2, freeze=True)
    old = camp.copy(first, "old")
    camp.enroll(first, 3)
    camp.sync(first, accepted=7)
    camp.put_back(old, first)
    assert first.status()["waiting"] == 2
    camp.enroll(first, 1)
    camp.sync(first, forked=True)
    camp.check(first=(first, 6))


def test_a_copy_that_is_older_than_the_first_delivery_is_no_fresh_laptop(camp: Camp) -> None:
    laptop = camp.office.laptop(camp.folder / "fresh")
    old = camp.copy(laptop, "old")
    camp.enroll(laptop, 2)
    camp.sync(laptop, accepted=3)
    camp.put_back(old, laptop)
    camp.enroll(laptop, 2)
    camp.sync(laptop, accepted=3, forked=True)
    camp.check(laptop=(laptop, 2))


def test_a_line_that_breaks_in_the_new_life_loses_and_doubles_nothing(
    camp: Camp, first: Laptop
) -> None:
    twin = camp.copy(first, "twin")
    camp.enroll(first, 2)
    camp.sync(first)
    camp.enroll(twin, 2, freeze=True)
    camp.enroll(twin, 2, freeze=True)
    size = 1_500
    for _cut in range(4):
        camp.office.relay.set_trap("up", size, lambda: None)
        twin.run("sync", "--json")
        size += 1_700
    camp.office.relay.clear_trap()
    camp.sync(twin)
    camp.check(first=(first, 5), twin=(twin, 7))
