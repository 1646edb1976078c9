"""Stories that a seed once told and that broke a promise, told again by hand; all are mended."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator

import pytest

from simulator import people
from simulator.laptop import Laptop
from simulator.sticks import deliver_all
from simulator.templates import template
from simulator.world import World, small_batches

pytestmark = pytest.mark.xdist_group("simulator")

DICE = random.Random("stories")


@pytest.fixture
def world() -> Iterator[World]:
    folder = template().folder / "story"
    shutil.rmtree(folder, ignore_errors=True)
    with small_batches():
        world = World(folder, salt="story", laptops=1, is_met=True)
        world.deliver_sticks = deliver_all
        yield world
        world.close()


def enroll(laptop: Laptop) -> str:
    return laptop.write(lambda tx: people.enroll(tx, laptop.desk, DICE))


def sync(world: World, laptop: Laptop) -> str:
    told: list[str] = []
    world.event("sync", lambda: told.append(world.session(laptop)) or "")
    return told[0]


def copied(world: World, laptop: Laptop) -> Laptop:
    copy = laptop.copy("C1")
    world.laptops.append(copy)
    world.check()
    return copy


def test_a_fork_that_was_signed_for_is_offered_again_to_a_server_that_was_put_back(
    world: World,
) -> None:
    first = world.laptops[0]
    enroll(first)
    sync(world, first)
    copy = copied(world, first)
    enroll(first)
    sync(world, first)
    before = world.office.snapshot()
    enroll(copy)
    assert "forked" in sync(world, copy)
    world.disasters.add("office")
    world.office.put_back(before, epoch=None)
    world.settle()


def test_a_copy_of_a_revoked_laptop_still_brings_its_closed_life_home(world: World) -> None:
    first = world.laptops[0]
    enroll(first)
    sync(world, first)
    copy = copied(world, first)
    enroll(first)
    sync(world, first)
    enroll(copy)
    world.revoke(first)
    assert sync(world, copy).startswith("device-revoked")
    assert not copy.rows("SELECT 1 FROM batches WHERE receipted_at IS NULL")
    world.settle()


def test_a_closed_life_that_a_twin_wrote_on_in_costs_nothing_once_it_is_home(world: World) -> None:
    first = world.laptops[0]
    enroll(first)
    sync(world, first)
    copy = copied(world, first)
    enroll(copy)
    sync(world, copy)
    assert "forked" in sync(world, first)
    world.settle()
