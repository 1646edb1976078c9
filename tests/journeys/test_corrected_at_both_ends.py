"""A person corrected on two laptops and at the office: nothing is lost, nothing decided in silence.

The second laptop is a copy of the first one's disk, which is the one way in which two laptops can
hold the same person.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from enrollkit.app.results import PersonPage, Saved
from enrollkit.domain.enrollment import State
from journey_camp import Laptop, Office, open_office
from journey_people import people
from schemas.pointers import with_value
from sync.protocol import FeedKind
from sync.server import feed
from sync.server.settings import load_settings
from sync.server.site import open_store

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("journey-corrected")]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_office(tmp_path / "office") as opened:
        yield opened


@pytest.fixture
def laptop(office: Office, tmp_path: Path) -> Laptop:
    """Give a laptop with one person, whom the server has."""
    made = office.laptop(tmp_path / "laptop")
    with made.unlocked() as kit:
        assert kit.enrolling.submit_row(people(0, 1)[0]).ok
    send(made)
    return made


def send(laptop: Laptop) -> dict[str, Any]:
    outcome = laptop.run("sync", "--json")
    assert outcome.code == 0, outcome
    return outcome.object


def correct(laptop: Laptop, **changes: Any) -> None:
    (record,) = laptop.ids()
    with laptop.unlocked() as kit:
        row = dict(kit.corrections.start(record).row)
        for name, value in changes.items():
            row = with_value(row, "/" + name.replace("__", "/"), value)
        kit.drafts.save(record, row, "review")
        assert isinstance(kit.enrolling.submit_draft(record), Saved)


def page(laptop: Laptop) -> PersonPage:
    (record,) = laptop.ids()
    with laptop.unlocked() as kit:
        return kit.people.page(record)


def copy(laptop: Laptop, to: Path) -> Laptop:
    shutil.copytree(laptop.home, to)
    return replace(laptop, home=to)


def test_a_correction_arrives_as_the_next_version(office: Office, laptop: Laptop) -> None:
    correct(laptop, name="Asha Rani", mobile="9000000077")
    assert send(laptop)["accepted"] == 1
    (row,) = office.export()
    assert (row["name"], row["mobile"]) == ("Asha Rani", "9000000077")
    now = page(laptop)
    assert (now.state, now.version) == (State.ACCEPTED, 2)


def test_what_two_laptops_changed_in_different_fields_is_brought_together(
    office: Office, laptop: Laptop, tmp_path: Path
) -> None:
    other = copy(laptop, tmp_path / "copy")
    correct(laptop, name="Asha Rani")
    correct(other, address__village="Tilhar")
    send(laptop)
    send(other)
    for one in (laptop, other):
        send(one)
        now = page(one)
        person = now.enrollment.person
        assert (now.state, person.name, person.address.village) == (
            State.ACCEPTED,
            "Asha Rani",
            "Tilhar",
        )
    (row,) = office.export()
    assert (row["name"], row["address"]["village"]) == ("Asha Rani", "Tilhar")


def test_what_both_changed_comes_home_with_both_values_until_somebody_decides(
    office: Office, laptop: Laptop, tmp_path: Path
) -> None:
    other = copy(laptop, tmp_path / "copy")
    correct(laptop, name="Asha Rani", address__village="Tilhar")
    correct(other, name="Aasha Kumari", mobile="9000000077")
    send(laptop)
    assert send(other)["held"] == 1
    send(other)  # the news of it may come with the next session
    now = page(other)
    assert now.state is State.RETURNED
    assert [(one.yours, one.theirs) for one in now.conflicts] == [("Aasha Kumari", "Asha Rani")]
    assert now.enrollment.person.address.village == "Tilhar"
    assert office.export()[0]["name"] == "Asha Rani"
    correct(other)
    assert send(other)["accepted"] == 1
    assert page(other).state is State.ACCEPTED
    person = page(other).enrollment.person
    assert (person.name, person.mobile, person.address.village) == (
        "Aasha Kumari",
        "9000000077",
        "Tilhar",
    )
    (row,) = office.export()
    assert (row["name"], row["mobile"]) == ("Aasha Kumari", "9000000077")


def test_what_the_office_sends_back_is_corrected_and_sent_again(
    office: Office, laptop: Laptop
) -> None:
    (record,) = laptop.ids()
    told = {"code": "name-mismatch", "pointer": "/name"}
    settings = load_settings(office.home, {})
    with open_store(settings) as store, store.write() as connection:
        feed.append(
            connection, laptop.device, FeedKind.ENROLLMENT_RETURNED, told,
            at=int(time.time()), record=record,
        )  # fmt: skip
    send(laptop)
    with laptop.unlocked() as kit:
        (came,) = kit.corrections.returned()
    assert (came.reason.pointer, came.reason.value) == ("/name", came.name)
    assert "name-mismatch" in came.reason.text
    correct(laptop, name="Asha Rani")
    assert send(laptop)["accepted"] == 1
    assert page(laptop).state is State.ACCEPTED
    assert office.export()[0]["name"] == "Asha Rani"


def test_consent_taken_back_arrives_and_beats_a_correction_on_its_way(
    office: Office, laptop: Laptop, tmp_path: Path
) -> None:
    other = copy(laptop, tmp_path / "copy")
    (record,) = laptop.ids()
    with laptop.unlocked() as kit:
        kit.corrections.withdraw(record, "changed-mind")
    correct(other, name="Asha Rani")
    send(laptop)
    assert office.status()["by_state"] == {"WITHDRAWN": 1}
    send(other)
    assert office.status()["by_state"] == {"WITHDRAWN": 1}
    now = page(other)
    assert now.held
    assert now.reason is not None
    assert "took the consent back" in now.reason.text
