"""From a seed to a run: the events are drawn first, then played; a failure can be made smaller."""

from __future__ import annotations

import random
import shutil
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from simulator.deeds import EVENTS, between
from simulator.sticks import deliver_all
from simulator.templates import template
from simulator.world import World, small_batches

__all__ = ["Event", "Outcome", "Script", "draw", "play", "reduce"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event: its name and its own dice."""

    name: str
    salt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a seed decides before anything happens."""

    seed: int
    laptops: int
    is_met: bool
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run went. ``failure`` is empty when every oracle was content."""

    seed: int
    failure: str
    trace: tuple[str, ...]
    where: str = ""
    """The traceback, when the program itself broke."""


def draw(seed: int) -> Script:
    """Draw a script."""
    dice = random.Random(seed)
    names = sorted(EVENTS)
    weights = [EVENTS[name][0] for name in names]
    many = dice.randrange(8, 26)
    chosen = dice.choices(names, weights, k=many)
    return Script(
        seed=seed,
        laptops=dice.choice([1, 2, 2, 3]),
        is_met=dice.random() < 0.8,
        events=tuple(
            Event(name=name, salt=f"{seed}/{number}/{name}") for number, name in enumerate(chosen)
        ),
    )


def play(script: Script) -> Outcome:
    """Play a script to its end; nothing of it stays."""
    with _folder() as folder, small_batches():
        world = World(
            folder,
            salt=str(script.seed),
            laptops=script.laptops,
            is_met=script.is_met,
        )
        world.between = between
        world.deliver_sticks = deliver_all
        failure = where = ""
        try:
            for event in script.events:
                deed, dice = EVENTS[event.name][1], random.Random(event.salt)
                world.event(event.name, partial(deed, world, dice))
            world.settle()
        except AssertionError as lost:
            failure = str(lost) or "an assertion of the program"
            where = traceback.format_exc()
        except Exception as error:  # noqa: BLE001 - whatever breaks, breaks the run
            failure = f"crash {type(error).__name__}"
            where = traceback.format_exc()
        finally:
            world.close()
    return Outcome(seed=script.seed, failure=failure, trace=tuple(world.trace), where=where)


def reduce(script: Script) -> Script:
    """Give the shortest script found that still fails: events are left out one by one."""
    best = script
    is_shorter = True
    while is_shorter:
        is_shorter = False
        for place in range(len(best.events) - 1, -1, -1):
            events = best.events[:place] + best.events[place + 1 :]
            shorter = _with(best, events)
            if play(shorter).failure:
                best, is_shorter = shorter, True
    return best


def _with(script: Script, events: Sequence[Event]) -> Script:
    return Script(
        seed=script.seed, laptops=script.laptops, is_met=script.is_met, events=tuple(events)
    )


@contextmanager
def _folder() -> Iterator[Path]:
    # One name for all runs of a process: what is compiled for an address serves the next run.
    folder = template().folder / "run"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
