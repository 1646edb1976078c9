"""What people read when they work with sticks, and how the commands end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from journey_camp import Laptop, open_office
from journey_sticks import Camp, statement_of


@pytest.fixture
def camp(tmp_path: Path) -> Iterator[Camp]:
    with open_office(tmp_path / "office", running=False) as office:
        yield Camp(office=office, folder=tmp_path)


def test_a_day_by_stick_in_words(camp: Camp) -> None:
    laptop, neighbour = camp.laptop("laptop"), camp.laptop("neighbour")
    stick, paper = camp.stick("stick"), camp.folder / "statement.pdf"
    camp.enroll(laptop, 3, papers=2)
    out = laptop.run("export", stick)
    assert out.code == 0
    assert "3 people and 2 records are on the stick, sealed." in out.out
    assert "Write on the stick: 1" in out.out

    (bundle,) = stick.glob("*.ekb")
    wrong = laptop.run("receive", bundle)
    assert (wrong.code, wrong.out) == (37, "")
    assert "goes to the office" in wrong.err
    assert laptop.run("courier", bundle).code == 39
    assert "taken along" in neighbour.run("courier", bundle).out
    assert "carried before" in neighbour.run("courier", stick).out

    told = laptop.run("status", "--statement", "-o", paper)
    assert told.code == 0, told.err
    assert "On stick 1 of" in told.out
    assert "Captured on this laptop" in told.out
    assert laptop.run("verify", paper).code == 0
    figures = laptop.run("verify", paper).out
    assert "On sticks, not signed for: 3" in figures

    camp.at_office(stick)
    home = laptop.run("receive", stick)
    assert home.code == 0
    assert "5 people and records signed for by the server now." in home.out
    again = laptop.run("export", stick)
    assert "Nothing waits here." in again.out


def test_a_day_can_be_named(camp: Camp) -> None:
    laptop = camp.laptop("laptop")
    camp.enroll(laptop, 1)
    other_day = laptop.run("status", "--statement", "--date", "2019-01-01", "--json").object
    assert (other_day["total"], other_day["day"]) == (0, "2019-01-01")
    assert statement_of(laptop)["total"] == 1
    for wrong in (
        ["--statement", "--date", "1.1.2019"],
        ["--date", "2019-01-01"],
        ["--statement", "-o", "statement.txt"],
    ):
        assert laptop.run("status", *wrong).code == 2


def test_a_stick_that_is_not_there_has_words(camp: Camp) -> None:
    laptop, nowhere = camp.laptop("laptop"), camp.folder / "nowhere"
    for command in (["export", nowhere], ["receive", nowhere], ["courier", nowhere]):
        told = laptop.run(*command)
        assert (told.code, told.out) == (59, "")
        assert "stick" in told.err
    empty = camp.stick("empty")
    assert "no answer of the office" in laptop.run("receive", empty).out
    assert "no file of another laptop" in laptop.run("courier", empty).out


def test_a_bad_file_on_the_stick_does_not_keep_the_good_one_back(camp: Camp) -> None:
    laptop, stick = camp.laptop("laptop"), camp.stick("stick")
    camp.enroll(laptop, 2, papers=0)
    camp.export(laptop, stick)
    camp.at_office(stick)
    (stick / "A-BAD-ONE.EKR").write_bytes(b"PK\x03\x04 not ours")
    (good,) = stick.glob("*.ekr")
    good.rename(good.with_suffix(".EKR"))
    told = laptop.run("receive", stick)
    assert told.code == 1
    assert "A-BAD-ONE.EKR" in told.err
    assert statement_of(laptop)["signed_for"] == 2


def test_two_windows_may_write_to_one_stick_at_once(camp: Camp) -> None:
    laptop, stick = camp.laptop("laptop"), camp.stick("stick")
    camp.enroll(laptop, 3)
    started = [laptop.start("export", stick, "--json") for _ in range(2)]
    for process in started:
        _out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    with laptop.unlocked() as kit:
        assert Laptop.ask(kit, "SELECT n FROM bundles WHERE written_at IS NOT NULL") == [1, 2]
    camp.at_office(stick)
    camp.home(laptop, stick)
    camp.everybody_arrived()
    assert statement_of(laptop)["signed_for"] == 3
