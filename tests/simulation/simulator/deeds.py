"""What can happen in a run, by name: at the laptops, at the office, to the disks, on the road.

``EVENTS`` is the second table of docs/SIMULATION.md. Each deed draws what it needs from the dice
of its own event, so that leaving another event out of a script does not change it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, TypeAlias

from simulator import deskwork, people, sticks
from simulator.faults import draw_faults
from simulator.laptop import Laptop
from simulator.ledger import Lost
from simulator.oracles import check_marks
from simulator.world import World
from sync.errors import SyncBusy

__all__ = ["EVENTS", "Deed", "between"]

Deed: TypeAlias = Callable[[World, random.Random], str]

_COPIES_MAX = 4
"""Laptops and copies of their disks in one camp."""


def between(world: World, laptop: Laptop, rule: str) -> None:
    """Do what happens between two requests of a session."""
    match rule:
        case "saved-meanwhile":
            _work_at(world, laptop, world.dice)
        case "second-session":
            _second_session(world, laptop)
        case "server-restored-meanwhile":
            deskwork.restore_server(world, world.dice)
        case "clock-jumps-meanwhile":
            laptop.machine.offset += world.dice.choice([-86400 * 400, 3600, 86400 * 3650])
        case "news-meanwhile":
            deskwork.tell_news(world, world.dice)
        case _:
            world.true.pass_by(1)


def work(world: World, dice: random.Random) -> str:
    """Somebody works at a laptop; now and then its power fails in the middle."""
    laptop = dice.choice(world.laptops)
    if dice.random() < 0.15:
        laptop.fuse.left, laptop.fuse.how = dice.randrange(1, 4), dice.choice(["before", "after"])
    saved: list[str] = []

    def deeds() -> str:
        for _ in range(dice.randrange(1, 5)):
            saved.append(_work_at(world, laptop, dice))  # noqa: PERF401 - the power may fail between
        return "done"

    ended = laptop.survive(deeds)
    return f"{laptop.name} {' '.join(saved)} {ended}"


def sync(world: World, dice: random.Random) -> str:
    """A laptop talks to the office over a bad road."""
    laptop = dice.choice(world.laptops)
    faults = draw_faults(dice)
    ended = world.session(laptop, faults)
    return f"{laptop.name} [{' '.join(map(str, faults))}] {ended}"


def back_up_laptop(world: World, dice: random.Random) -> str:
    """Somebody copies a laptop's disk."""
    laptop = dice.choice(world.laptops)
    laptop.back_up()
    return laptop.name


def restore_laptop(world: World, dice: random.Random) -> str:
    """A laptop's disk is lost; an older copy takes its place."""
    laptop = dice.choice(world.laptops)
    if not laptop.backups:
        return "no copy"
    world.disasters.add(laptop.name)
    laptop.put_back(dice.choice(laptop.backups))
    check_marks(laptop, world.office, None)
    return laptop.name


def clone_laptop(world: World, dice: random.Random) -> str:
    """A laptop's disk is copied into another one, and both go on."""
    if len(world.laptops) >= _COPIES_MAX:
        return "enough"
    laptop = dice.choice(world.laptops)
    copy = laptop.copy(f"C{len(world.laptops)}")
    world.laptops.append(copy)
    return f"{laptop.name} -> {copy.name}"


def correct_at_both(world: World, dice: random.Random) -> str:
    """One person is corrected on a laptop and on a copy of its disk, each not knowing of it."""
    if not any(laptop.name.startswith("C") for laptop in world.laptops):
        clone_laptop(world, dice)
    known = {
        laptop: {record for (record,) in laptop.rows("SELECT id FROM enrollments")}
        for laptop in world.laptops
    }
    copy = world.laptops[-1]
    pairs = [(twin, sorted(known[twin] & known[copy])) for twin in world.laptops[:-1]]
    shared = [(twin, records) for twin, records in pairs if records]
    if not shared:
        return "nobody is known to both"
    twin, records = dice.choice(shared)
    record = dice.choice(records)
    done = [
        laptop.write(partial(people.amend, desk=laptop.desk, record=record, dice=dice))
        for laptop in (twin, copy)
    ]
    return f"{twin.name} and {copy.name}: {sum(done)} corrections"


def cut_power(world: World, dice: random.Random) -> str:
    """A laptop's power fails while nobody works at it."""
    laptop = dice.choice(world.laptops)
    laptop.lose_power(tear=dice.random() < 0.5)
    return laptop.name


def jump_clock(world: World, dice: random.Random) -> str:
    """A laptop's clock jumps: a dead battery, a helpful operator."""
    laptop = dice.choice(world.laptops)
    laptop.machine.offset = dice.choice([0, -world.true.now(), -86400 * 2800, 3600, 86400 * 3650])
    if dice.random() < 0.5:
        laptop.machine.reboot()
    return f"{laptop.name} {laptop.machine.offset}"


def let_time_pass(world: World, dice: random.Random) -> str:
    """Hours or days go by."""
    world.true.pass_by(dice.choice([600, 40_000, 86_400 * 3, 86_400 * 60]))
    return str(world.true.now())


EVENTS: Final[Mapping[str, tuple[int, Deed]]] = MappingProxyType({
    "work": (12, work),
    "sync": (16, sync),
    "news": (4, deskwork.tell_news),
    "programme": (1, deskwork.publish_programme),
    "approve": (2, deskwork.approve),
    "revoke": (1, deskwork.revoke),
    "server-snapshot": (4, deskwork.snapshot_server),
    "server-backup": (2, deskwork.back_up_server),
    "server-restored": (3, deskwork.restore_server),
    "laptop-backup": (2, back_up_laptop),
    "laptop-restored": (2, restore_laptop),
    "laptop-cloned": (3, clone_laptop),
    "corrected-at-both": (3, correct_at_both),
    "power-cut": (2, cut_power),
    "clock-jump": (2, jump_clock),
    "time-passes": (2, let_time_pass),
    "request-replayed-long-after": (2, deskwork.replay_request),
    "attack": (1, deskwork.attack),
    "stick-written": (4, sticks.export),
    "stick-at-office": (4, sticks.office_receives),
    "stick-home": (4, sticks.receive),
    "stick-harmed": (2, sticks.harm),
    "sticks-mixed": (1, sticks.mix),
    "stick-replayed": (1, sticks.swap),
    "courier-takes": (2, sticks.take_along),
    "courier-calls": (2, sticks.carry_by_network),
})  # fmt: skip
"""Weight and deed of each event."""


def _work_at(world: World, laptop: Laptop, dice: random.Random) -> str:
    """Do one deed of an operator; give its name, or nothing when it could not be done."""
    desk = laptop.desk
    known = [record for (record,) in laptop.rows("SELECT id FROM enrollments ORDER BY n")]
    links = laptop.rows("SELECT id, enrollment FROM links ORDER BY n")
    what = dice.choice(
        ["enroll"] * 5 + ["amend"] * 4 + ["link"] * 2 + ["withdraw", "unlink", "photo", "newer"]
    )
    if what == "photo":
        laptop.write(lambda tx: people.keep_photo(tx, desk, dice))
    elif what == "newer":
        laptop.write(lambda tx: people.say_something_newer(tx, desk, dice))
    elif what == "enroll" or not known:
        what = "enroll"
        laptop.write(lambda tx: people.enroll(tx, desk, dice))
    elif what == "unlink" and links:
        link, record = dice.choice(links)
        done = laptop.write(lambda tx: people.remove_link(tx, desk, link, record))
        what = what if done else "-"
    else:
        record = dice.choice(known)
        deed = {
            "amend": lambda tx: people.amend(tx, desk, record, dice),
            "withdraw": lambda tx: people.withdraw(tx, desk, record),
        }.get(what, lambda tx: people.add_link(tx, desk, record, dice))
        what = what if laptop.write(deed) else "-"
    world.true.pass_by(dice.randrange(5, 400))
    return what


def _second_session(world: World, laptop: Laptop) -> None:
    try:
        laptop.sync(world.road(laptop))
    except SyncBusy:
        return
    raise Lost("two sessions of one laptop at once")
