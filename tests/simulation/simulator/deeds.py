"""What can happen in a run, by name: at the laptops, at the office, to the disks, on the road.

``EVENTS`` is the second table of docs/SIMULATION.md. Each deed draws what it needs from the dice
of its own event, so that leaving another event out of a script does not change it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from simulator import people, sticks
from simulator.faults import draw_faults
from simulator.laptop import Laptop
from simulator.ledger import Lost
from simulator.oracles import check_marks
from simulator.road import replay
from simulator.world import World
from sync.errors import SyncBusy
from sync.protocol import FeedKind
from sync.sealing import SigningKey
from sync.sealing.signed import read_unverified, sign
from sync.server import feed
from sync.server.approval import approve_code, revoke_device
from sync.server.errors import DeviceShutOut
from sync.server.programme import publish

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
            restore_server(world, world.dice)
        case "clock-jumps-meanwhile":
            laptop.machine.offset += world.dice.choice([-86400 * 400, 3600, 86400 * 3650])
        case "news-meanwhile":
            tell_news(world, world.dice)
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


def tell_news(world: World, dice: random.Random) -> str:
    """The office has news about some records."""
    rows = world.office.rows("SELECT enrollment, device FROM enrollments ORDER BY enrollment")
    for record, device in dice.sample(rows, min(len(rows), 2)):
        kind, body = dice.choice(_NEWS)
        with world.office.store.write() as connection:
            feed.append(connection, device, kind, body, at=world.true.now(), record=record)
    return f"{min(len(rows), 2)} news"


def publish_programme(world: World, dice: random.Random) -> str:
    """The office changes its programme."""
    with world.office.store.write() as connection:
        publish(connection, world.office.keys, now=world.true.now())
    return f"{dice.random():.1f}"


def approve(world: World, dice: random.Random) -> str:
    """The office approves a laptop that waits, or that has not called yet."""
    laptop = dice.choice(world.laptops)
    with world.office.store.write() as connection:
        try:
            approve_code(connection, world.office.keys, laptop.approval_code, now=world.true.now())
        except DeviceShutOut:
            return f"{laptop.name} stays out"
    return laptop.name


def revoke(world: World, dice: random.Random) -> str:
    """The office shuts a laptop out."""
    laptop = dice.choice(world.laptops)
    known = world.office.rows("SELECT 1 FROM devices WHERE device = ?", laptop.device)
    if not known:
        return "nobody"
    with world.office.store.write() as connection:
        revoke_device(connection, world.office.keys, laptop.device, now=world.true.now())
    return laptop.name


def snapshot_server(world: World, _dice: random.Random) -> str:
    """Somebody copies the server's disk; the server does not know of it."""
    world.snapshots.append(world.office.snapshot())
    return f"snapshot {len(world.snapshots) - 1}"


def back_up_server(world: World, _dice: random.Random) -> str:
    """The office makes a checked backup; laptops hear what is durable now."""
    world.true.pass_by(60)
    world.snapshots.append(world.office.back_up(world.folder / "backups"))
    return f"snapshot {len(world.snapshots) - 1}"


def restore_server(world: World, dice: random.Random) -> str:
    """The server goes back to any earlier snapshot; half the time nobody tells it."""
    number = dice.randrange(len(world.snapshots))
    is_told = dice.random() < 0.5
    world.disasters.add("office")
    world.office.put_back(
        world.snapshots[number], epoch=dice.randbytes(8).hex() if is_told else None
    )
    return f"snapshot {number} {'told' if is_told else 'untold'}"


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


def replay_request(world: World, dice: random.Random) -> str:
    """A proxy sends again what it recorded long ago."""
    if not world.records.requests:
        return "nothing"
    kind, messages, context = dice.choice(world.records.requests)
    replay(world.office, kind, messages, context)
    return f"{kind} of {len(messages)}"


def attack(world: World, dice: random.Random) -> str:
    """Somebody sends what is not theirs: another's batch re-signed, rubbish, a stranger's hello."""
    laptop, thief = dice.choice(world.laptops), SigningKey(dice.randbytes(32))
    rows = laptop.rows("SELECT data FROM batches ORDER BY number DESC LIMIT 1")
    what = dice.choice(["relay", "rubbish", "stranger"])
    if what == "relay" and rows:
        kid, meaning, payload = read_unverified(bytes(rows[0][0]))
        replay(world.office, "push", [sign(payload, meaning, thief)], bytes(16))
        return f"{what} {len(kid)}"
    message = dice.randbytes(300)
    for kind in ("hello", "push", "feed"):
        replay(world.office, kind, [message], 0 if kind == "feed" else bytes(16))
    return what


EVENTS: Final[Mapping[str, tuple[int, Deed]]] = MappingProxyType({
    "work": (12, work),
    "sync": (16, sync),
    "news": (4, tell_news),
    "programme": (1, publish_programme),
    "approve": (2, approve),
    "revoke": (1, revoke),
    "server-snapshot": (4, snapshot_server),
    "server-backup": (2, back_up_server),
    "server-restored": (3, restore_server),
    "laptop-backup": (2, back_up_laptop),
    "laptop-restored": (2, restore_laptop),
    "laptop-cloned": (1, clone_laptop),
    "power-cut": (2, cut_power),
    "clock-jump": (2, jump_clock),
    "time-passes": (2, let_time_pass),
    "request-replayed-long-after": (2, replay_request),
    "attack": (1, attack),
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

_NEWS: Final = (
    (FeedKind.ABHA_ISSUED, {"abha_number": "91-1234-5678-9012"}),
    (FeedKind.ENROLLMENT_RETURNED, {"code": "name:unclear", "pointer": "/name"}),
    (FeedKind.ENROLLMENT_DUPLICATE, {}),
    (FeedKind.NEEDS_PERSON, {}),
)


def _work_at(world: World, laptop: Laptop, dice: random.Random) -> str:
    """Do one deed of an operator; give its name, or nothing when it could not be done."""
    desk = laptop.desk
    known = [record for (record,) in laptop.rows("SELECT id FROM enrollments ORDER BY n")]
    links = laptop.rows("SELECT id, enrollment FROM links ORDER BY n")
    what = dice.choice(
        ["enroll"] * 5 + ["amend"] * 3 + ["link"] * 2 + ["withdraw", "unlink", "photo", "newer"]
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
