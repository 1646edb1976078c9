"""By stick alone: everybody is somewhere after each step, and at the office once in the end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from journey_camp import open_office
from journey_sticks import Camp, statement_of


@pytest.fixture
def camp(tmp_path: Path) -> Iterator[Camp]:
    with open_office(tmp_path / "office", running=False) as office:
        yield Camp(office=office, folder=tmp_path)


def test_two_laptops_share_a_stick_and_the_office_reads_it_twice(camp: Camp) -> None:
    one, two, stick = camp.laptop("one"), camp.laptop("two"), camp.stick("stick")
    camp.enroll(one, 5, papers=2)
    camp.enroll(two, 3)
    before = statement_of(one)
    assert (before["total"], before["on_laptop"], before["on_sticks"]) == (5, 5, [])

    out = camp.export(one, stick)
    assert (out["people"], out["links"], out["operations"], len(out["files"])) == (5, 2, 7, 1)
    camp.export(two, stick)
    sent = statement_of(one)
    (row,) = sent["on_sticks"]
    assert (sent["on_laptop"], row["n"], row["people"], row["links"]) == (0, 1, 5, 2)
    assert one.status()["signed_for"] == 0

    first, again = camp.at_office(stick), camp.at_office(stick)
    assert first["operations"] == again["operations"]
    camp.everybody_arrived()

    for laptop, count in ((one, 7), (two, 4)):
        home = camp.home(laptop, stick)
        assert (home["operations"], home["accepted"], home["is_whole"]) == (count, count, True)
        assert home["taken"] == 1  # the other laptop's answer goes along
        assert camp.home(laptop, stick)["operations"] == 0
        told = statement_of(laptop)
        assert told["signed_for"] == told["total"]
        assert told["on_sticks"] == []
        assert laptop.status()["waiting"] == 0


def test_answers_come_home_in_any_order(camp: Camp) -> None:
    laptop = camp.laptop("laptop")
    sticks = [camp.stick(f"stick-{number}") for number in range(3)]
    for stick in sticks:
        camp.enroll(laptop, 2)
        camp.export(laptop, stick)
    for stick in (sticks[1], sticks[2], sticks[0]):
        camp.at_office(stick)
    camp.everybody_arrived()
    for number in (0, 2, 1, 2, 0):
        camp.home(laptop, sticks[number])
        statement_of(laptop)
    assert statement_of(laptop)["signed_for"] == 6
    assert laptop.status()["waiting"] == 0


def test_a_lost_stick_loses_nobody(camp: Camp) -> None:
    laptop, lost, found = camp.laptop("laptop"), camp.stick("lost"), camp.stick("found")
    camp.enroll(laptop, 4)
    camp.export(laptop, lost)
    camp.lose(lost)
    camp.enroll(laptop, 1, papers=0)
    told = statement_of(laptop)
    assert (told["on_laptop"], told["on_sticks"][0]["people"]) == (1, 4)

    out = camp.export(laptop, found)
    assert out["people"] == 5
    told = statement_of(laptop)
    assert [(stick["n"], stick["people"]) for stick in told["on_sticks"]] == [(2, 5)]
    camp.at_office(found)
    camp.home(laptop, found)
    camp.everybody_arrived()
    assert statement_of(laptop)["signed_for"] == 5


def test_the_network_delivers_first_and_the_stick_changes_nothing(camp: Camp) -> None:
    laptop, stick = camp.laptop("laptop"), camp.stick("stick")
    camp.enroll(laptop, 3)
    camp.export(laptop, stick)
    camp.office.start()
    assert laptop.run("sync", "--json").object["accepted"] == 4
    camp.office.kill()
    assert statement_of(laptop)["signed_for"] == 3

    camp.at_office(stick)
    home = camp.home(laptop, stick)
    assert (home["operations"], home["rolled_back"], home["forked"]) == (0, False, False)
    assert statement_of(laptop)["signed_for"] == 3
    camp.everybody_arrived()


def test_the_stick_delivers_first_and_the_network_changes_nothing(camp: Camp) -> None:
    laptop, stick = camp.laptop("laptop"), camp.stick("stick")
    camp.enroll(laptop, 3)
    camp.export(laptop, stick)
    camp.at_office(stick)
    camp.office.start()
    told = laptop.run("sync", "--json").object
    assert (told["sent"], told["accepted"], told["waiting"]) == (0, 4, 0)
    camp.home(laptop, stick)
    camp.everybody_arrived()
    told = laptop.run("sync", "--json").object
    assert (told["rolled_back"], told["forked"], told["waiting"]) == (False, False, 0)
    assert statement_of(laptop)["signed_for"] == 3


def test_a_laptop_that_was_never_online_is_approved_by_stick(camp: Camp) -> None:
    laptop, stick = camp.laptop("laptop", approved=False), camp.stick("stick")
    camp.enroll(laptop, 2)
    camp.export(laptop, stick)
    camp.at_office(stick)
    waits = laptop.run("receive", stick, "--json")
    assert laptop.approval_code in "".join(waits.object["words"])
    assert statement_of(laptop)["signed_for"] == 0

    camp.office.run("device", "approve", laptop.approval_code)
    camp.at_office(stick)
    camp.home(laptop, stick)
    camp.everybody_arrived()
    assert statement_of(laptop)["signed_for"] == 2


def test_news_come_home_by_stick_though_nothing_waits(camp: Camp) -> None:
    laptop, first, second = camp.laptop("laptop"), camp.stick("first"), camp.stick("second")
    camp.enroll(laptop, 1)
    camp.export(laptop, first)
    camp.at_office(first)
    camp.home(laptop, first)
    # A laptop that the office meets is news: the programme's list has grown.
    camp.export(camp.laptop("another"), camp.stick("third"))
    camp.at_office(camp.stick("third"))
    out = camp.export(laptop, second)
    assert (out["operations"], len(out["files"])) == (0, 1)
    camp.at_office(second)
    assert camp.home(laptop, second)["feed"] >= 1
    assert camp.home(laptop, second)["feed"] == 0


def test_a_server_restored_to_before_a_stick_is_given_everything_by_the_next(
    camp: Camp, tmp_path: Path
) -> None:
    laptop = camp.laptop("laptop")
    sticks = [camp.stick(f"stick-{number}") for number in range(4)]
    home, backup = camp.office.home, tmp_path / "backup"
    camp.enroll(laptop, 2)
    camp.export(laptop, sticks[0])
    camp.at_office(sticks[0])
    camp.home(laptop, sticks[0])
    shutil.copytree(home, backup)
    camp.enroll(laptop, 3)
    camp.export(laptop, sticks[1])
    camp.at_office(sticks[1])
    camp.home(laptop, sticks[1])
    assert laptop.status()["waiting"] == 0

    shutil.rmtree(home)
    shutil.copytree(backup, home)
    camp.enroll(laptop, 1)
    camp.export(laptop, sticks[2])
    camp.at_office(sticks[2])
    assert camp.home(laptop, sticks[2])["rolled_back"]
    statement_of(laptop)
    out = camp.export(laptop, sticks[3])
    assert out["people"] >= 3
    camp.at_office(sticks[3])
    assert not camp.home(laptop, sticks[3])["rolled_back"]
    camp.everybody_arrived()
    assert statement_of(laptop)["signed_for"] == 6
    assert camp.export(laptop, sticks[0])["operations"] == 0
