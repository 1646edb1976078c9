"""Roads without a network: sticks that are pulled, cut, flipped, mixed and lost, and couriers."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from unittest.mock import patch

from enrollkit.app import sticks as stick_module
from enrollkit.app.errands import carry_all
from enrollkit.app.sticks import Sticks
from simulator.faults import draw_faults
from simulator.laptop import Laptop
from simulator.office import ServerDied
from simulator.oracles import check_courier, check_marks
from simulator.world import World
from sync.bundle import BUNDLE_SUFFIX, RETURN_SUFFIX, write_file
from sync.errors import OperatorError, StickFull, StickGone

__all__ = [
    "carry_by_network",
    "export",
    "harm",
    "mix",
    "office_receives",
    "receive",
    "swap",
    "take_along",
]

_STICKS = 2


def export(world: World, dice: random.Random) -> str:
    """A laptop writes to a stick: it may be pulled, be full, or the power may fail."""
    laptop, stick = dice.choice(world.laptops), _stick(world, dice)
    fault = dice.choice(["", "", "", "pulled", "full", "power"])
    if fault == "power":
        laptop.fuse.left, laptop.fuse.how = dice.randrange(1, 12), dice.choice(["before", "after"])
    share = dice.random()

    def write(path: Path, data: bytes) -> None:
        if fault == "full":
            raise StickFull("simulated")
        if fault == "pulled":
            # The copy was under way: what FAT32 shows afterwards may be its beginning.
            path.write_bytes(data[: int(share * len(data))])
            raise StickGone("simulated")
        write_file(path, data)

    def work() -> str:
        with patch.object(stick_module, "write_file", write):
            done = Sticks(laptop.desk).export(stick)
        return f"{len(done.files)} files {done.people} people {done.carried} carried"

    ended = laptop.survive(lambda: _told(work))
    return f"{laptop.name} -> {stick.name} [{fault}] {ended}"


def office_receives(world: World, dice: random.Random) -> str:
    """The office takes a stick in and writes the answers onto it; the server may die meanwhile."""
    stick = _stick(world, dice)
    if dice.random() < 0.2:
        world.office.store.dies_at = dice.randrange(1, 8)
        world.office.store.dies_after = dice.random() < 0.5
    try:
        ended = world.office.receive(stick)
    except ServerDied:
        ended = ["the server died"]
        world.office.restart()
    world.office.store.dies_at = 0
    return f"{stick.name} {ended}"


def receive(world: World, dice: random.Random) -> str:
    """A laptop reads what came home on a stick: its own answers and those for others."""
    laptop, stick = dice.choice(world.laptops), _stick(world, dice)
    return f"{laptop.name} <- {stick.name} {bring_home(world, laptop, stick)}"


def bring_home(world: World, laptop: Laptop, stick: Path) -> str:
    """Let a laptop read the answers on a stick, and look at what it believed."""

    def work() -> str:
        done = Sticks(laptop.desk).receive(stick)
        notes = f"{'rolled back ' * done.rolled_back}{'forked' * done.forked}"
        return f"{done.operations} operations {done.feed} news {done.taken} taken {notes}"

    ended = laptop.survive(lambda: _told(work))
    nonces = {bytes(nonce) for (nonce,) in laptop.rows("SELECT nonce FROM bundles")}
    check_marks(laptop, world.office, lambda _raw, nonce: nonce in nonces)
    return ended


def take_along(world: World, dice: random.Random) -> str:
    """A courier takes along whatever lies on a stick for others."""
    laptop, stick = dice.choice(world.laptops), _stick(world, dice)

    def work() -> str:
        done = Sticks(laptop.desk).carry_from(stick)
        return f"{len(done.files)} files, passed over {len(done.passed_over)}"

    ended = laptop.survive(lambda: _told(work))
    check_courier(laptop)
    return f"{laptop.name} <- {stick.name} {ended}"


def carry_by_network(world: World, dice: random.Random) -> str:
    """A courier hands in what it carries, over a bad road."""
    laptop = dice.choice(world.laptops)
    road = world.road(laptop, draw_faults(dice))

    def work() -> str:
        done = carry_all(laptop.desk, road)
        error = done.error.code if done.error else "done"
        return f"{done.files} files {done.receipts} receipts {done.waiting} waiting {error}"

    ended = laptop.survive(lambda: _told(work))
    road.end()
    return f"{laptop.name} {ended}"


def harm(world: World, dice: random.Random) -> str:
    """A file on a stick is cut short or a bit of it flips; or the stick is lost."""
    stick = _stick(world, dice)
    files = sorted(path for path in stick.iterdir() if path.is_file())
    if not files:
        return "empty"
    world.disasters.add(stick.name)
    if dice.random() < 0.25:
        shutil.rmtree(stick)
        return f"{stick.name} lost"
    path = dice.choice(files)
    data = bytearray(path.read_bytes())
    place = dice.randrange(max(1, len(data)))
    if dice.random() < 0.5 or not data:
        path.write_bytes(data[:place])
        return f"{stick.name} cut at {place} of {len(data)}"
    data[place] ^= 1 << dice.randrange(8)
    path.write_bytes(data)
    return f"{stick.name} flipped at {place} of {len(data)}"


def mix(world: World, dice: random.Random) -> str:
    """Files are copied to the other stick, under names of another system."""
    source, other = _stick(world, dice), _stick(world, dice)
    if source == other:
        return "itself"
    for path in sorted(source.iterdir()):
        with suppress(OSError):
            (other / f"COPY~{path.name}").write_bytes(path.read_bytes())
    return f"{source.name} -> {other.name}"


def swap(world: World, dice: random.Random) -> str:
    """Old files are brought again: a copy of a stick as it was, or one is kept for later."""
    stick = _stick(world, dice)
    if dice.random() < 0.5 or not world.kept_files:
        world.kept_files += [(path.name, path.read_bytes()) for path in sorted(stick.iterdir())]
        return f"{stick.name} copied"
    name, data = dice.choice(world.kept_files)
    (stick / f"OLD~{name}").write_bytes(data)
    return f"{stick.name} gets an old {name[-4:]}"


def deliver_all(world: World) -> None:
    """Bring every stick to the office and home, couriers' files included: the end of a run."""
    last = world.stick("last")
    for laptop in world.laptops:
        world.event(
            f"{laptop.name} -> last",
            partial(laptop.survive, partial(_told, partial(_export, laptop, last))),
        )
    for stick in sorted(world.sticks.iterdir()):
        world.event(f"office <- {stick.name}", partial(_taken_in, world, stick))
    for laptop in world.laptops:
        for stick in sorted(world.sticks.iterdir()):
            world.event(
                f"{laptop.name} <- {stick.name}",
                partial(bring_home, world, laptop, stick),
            )


def has_files(world: World) -> bool:
    """Whether anything of this run lies on a stick or with a courier."""
    on_sticks = any(
        path.suffix in {BUNDLE_SUFFIX, RETURN_SUFFIX} for path in world.sticks.rglob("*")
    )
    return on_sticks or any(
        laptop.rows("SELECT count(*) FROM carried")[0][0] for laptop in world.laptops
    )


def _export(laptop: Laptop, stick: Path) -> str:
    done = Sticks(laptop.desk).export(stick)
    return f"{len(done.files)} files {done.carried} carried"


def _stick(world: World, dice: random.Random) -> Path:
    return world.stick(f"S{dice.randrange(_STICKS)}")


def _taken_in(world: World, stick: Path) -> str:
    return str(world.office.receive(stick))


def _told(work: Callable[[], str]) -> str:
    """Do it, and give the code of what an operator would be told instead."""
    try:
        return work()
    except OperatorError as error:
        return error.code
