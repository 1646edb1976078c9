"""``--limit-mb`` is money: whatever a session does, it ends a batch past the allowance at most."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from journey_camp import Laptop, Office, open_office
from journey_people import people

pytestmark = pytest.mark.xdist_group("journey-data-budget")

BATCH_BYTES = 4_000
"""What a batch of a few people and its receipt cost, with room to spare."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("budget") / "office") as office:
        yield office


def enroll(laptop: Laptop, batches: int, *, first: int = 0) -> None:
    """Save people, two to a batch."""
    with laptop.unlocked() as kit:
        for number in range(batches):
            for row in people(first + 2 * number, 2):
                assert kit.enrolling.submit_row(row).ok
            assert laptop.freeze(kit) == 1


def sync(laptop: Laptop, limit: int | None = None) -> tuple[dict[str, object], int]:
    """Run a session with an allowance; give what it told and what it used."""
    with laptop.unlocked() as kit:
        done = kit.delivery.run(limit_bytes=limit)
    told = done.counters() | {"carried": done.carried, "carried_waiting": done.carried_waiting}
    return told, done.bytes_up + done.bytes_down


def test_a_session_ends_at_its_allowance_and_the_next_goes_on(
    office: Office, tmp_path: Path
) -> None:
    laptop = office.laptop(tmp_path / "laptop")
    sync(laptop)
    enroll(laptop, 12)
    told, used = sync(laptop, limit=15_000)
    assert told["limited"]
    assert 15_000 <= used <= 15_000 + BATCH_BYTES
    assert isinstance(told["accepted"], int)
    assert 0 < told["accepted"] < 24
    assert told["waiting"] == 24 - told["accepted"]
    rest, _used = sync(laptop, limit=1_000_000)
    assert (rest["limited"], rest["waiting"]) == (False, 0)


def test_what_a_closed_life_brings_home_is_paid_from_the_same_allowance(
    office: Office, tmp_path: Path
) -> None:
    laptop = office.laptop(tmp_path / "laptop")
    sync(laptop)
    enroll(laptop, 1)
    shutil.copytree(laptop.home, tmp_path / "twin")
    twin = replace(laptop, home=tmp_path / "twin")
    enroll(laptop, 1, first=100)
    sync(laptop)
    enroll(twin, 10, first=200)
    told, used = sync(twin, limit=12_000)
    assert (told["forked"], told["limited"]) == (True, True)
    assert used <= 12_000 + BATCH_BYTES
    rest, _used = sync(twin)
    assert (rest["limited"], rest["waiting"]) == (False, 0)


def test_what_is_carried_for_others_is_paid_from_what_is_left(
    office: Office, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    origin, courier = office.laptop(tmp_path / "origin"), office.laptop(tmp_path / "courier")
    for laptop in (origin, courier) * 2:
        sync(laptop)  # the news that the office has for a new laptop come now
    idle = sync(courier)[1]
    enroll(origin, 12, first=300)
    assert origin.run("export", stick, "--json").code == 0
    assert courier.run("courier", stick, "--json").code == 0
    before, before_bytes = office.status()["enrollments"], estimate(courier)
    assert before_bytes > 12 * 1_000
    limit = idle + 8_000
    told, used = sync(courier, limit=limit)
    assert (told["limited"], told["carried"], told["carried_waiting"]) == (True, 0, 1), used
    assert used <= limit + 2 * BATCH_BYTES
    assert before < office.status()["enrollments"] < before + 24
    told, _used = sync(courier)
    assert (told["limited"], told["carried"], told["carried_waiting"]) == (False, 1, 0)
    assert office.status()["enrollments"] == before + 24
    assert estimate(courier) < before_bytes / 2


def estimate(laptop: Laptop) -> int:
    with laptop.unlocked() as kit:
        return kit.delivery.estimate().bytes
