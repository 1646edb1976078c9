"""What happens at the office, and what strangers send to it."""

from __future__ import annotations

import random
from typing import Final

from simulator.road import replay
from simulator.world import World
from sync.protocol import FeedKind
from sync.sealing import SigningKey
from sync.sealing.signed import read_unverified, sign
from sync.server import feed
from sync.server.approval import approve_code
from sync.server.errors import DeviceShutOut
from sync.server.programme import publish

__all__ = [
    "approve",
    "attack",
    "back_up_server",
    "publish_programme",
    "replay_request",
    "restore_server",
    "revoke",
    "snapshot_server",
    "tell_news",
]

_NEWS: Final[tuple[tuple[FeedKind, dict[str, str]], ...]] = (
    (FeedKind.ABHA_ISSUED, {"abha_number": "91-1234-5678-9012"}),
    (FeedKind.ENROLLMENT_RETURNED, {"code": "name:unclear", "pointer": "/name"}),
    (FeedKind.ENROLLMENT_DUPLICATE, {}),
    (FeedKind.NEEDS_PERSON, {}),
)


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
    world.revoke(laptop)
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
