"""A whole camp, its roads and its office in one process; an event is a method call away.

What happens is decided by the script; what must hold is asked of the oracles after each event.
"""

from __future__ import annotations

import contextlib
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias
from unittest.mock import patch

from enrollkit.store import freezing
from simulator.faults import Fault
from simulator.laptop import Laptop
from simulator.ledger import Ledger, Lost, batches_in
from simulator.office import Office
from simulator.oracles import (
    check_bytes,
    check_end,
    check_feed,
    check_idle,
    check_marks,
    check_office,
    check_privacy,
)
from simulator.replies import Records
from simulator.road import Road
from simulator.templates import template
from simulator.times import TrueTime
from sync.bundle import BUNDLE_SUFFIX
from sync.engine.account import Summary
from sync.protocol import LIMITS
from sync.server.approval import approve_code, revoke_device
from sync.server.errors import DeviceShutOut

__all__ = ["Between", "World", "small_batches", "told"]

_ROUNDS_MAX = 4
"""O4: contacts without faults after which no laptop may have anything left."""
_FUSES = {
    "power-cut-before-commit": "before",
    "power-cut-after-commit": "after",
    "torn-log": "after",
    "disk-full": "full",
    "database-busy": "busy",
}

Between: TypeAlias = "Callable[[World, Laptop, str], None]"


@contextlib.contextmanager
def small_batches(operations_max: int = 3) -> Iterator[None]:
    """Let few operations fill a batch, so that a camp of ten people has a chain of batches."""
    with patch.object(freezing, "LIMITS", replace(LIMITS, operations_per_batch_max=operations_max)):
        yield


def told(summary: Summary) -> str:
    """Say how a session ended, in one line without any number that a seed does not decide."""
    error = summary.error.code if summary.error else "done"
    notes = [
        name for name in ("rolled_back", "forked", "limited", "stopped") if getattr(summary, name)
    ]
    figures = f"sent {summary.sent} accepted {summary.accepted} held {summary.held}"
    return f"{error} {figures} news {summary.feed} waiting {summary.waiting} {' '.join(notes)}"


class World:
    """Everything of one run. ``folder`` must not exist; ``salt`` decides the dice of the world."""

    def __init__(self, folder: Path, *, salt: str, laptops: int, is_met: bool) -> None:
        made_from = template()
        folder.mkdir()
        self.folder = folder
        self.true = TrueTime()
        self.office = Office(folder / "office", made_from, is_met=is_met, true=self.true)
        self.laptops = [
            Laptop(
                f"L{number}",
                folder / f"L{number}",
                made_from=made_from.laptops[number],
                whole=made_from,
                true=self.true,
                salt=salt,
            )
            for number in range(laptops)
        ]
        self.sticks = folder / "sticks"
        self.sticks.mkdir()
        self.kept_files: list[tuple[str, bytes]] = []
        """Copies of files that somebody made of a stick, and may bring again."""
        self.snapshots: list[bytes] = [self.office.snapshot()]
        self.records = Records()
        self.ledger = Ledger()
        self.dice = random.Random(f"world {salt}")
        self.trace: list[str] = []
        self.disasters: set[str] = set()
        """Places that the event under way destroys on purpose."""
        self.between: Between = lambda world, _laptop, _rule: world.true.pass_by(1)
        """What happens between two requests of a session, by the rule of its fault."""
        self.deliver_sticks: Callable[[World], None] = lambda _world: None
        """How all sticks reach the office and home, at the end."""
        self._places = self.places()

    def close(self) -> None:
        """End everything and leave no file."""
        for laptop in self.laptops:
            laptop.close()
        self.office.close()
        shutil.rmtree(self.folder)

    def places(self) -> dict[str, set[bytes]]:
        """Give every place that keeps operations, and which."""
        found = {laptop.name: self.ledger.read_laptop(laptop) for laptop in self.laptops}
        found["office"] = self.ledger.read_office(self.office)
        for laptop in self.laptops:
            found[laptop.name] |= self.ledger.in_batches(batches_in(laptop.carried()))
        for stick in self.sticks.iterdir():
            files = (path.read_bytes() for path in stick.glob(f"*{BUNDLE_SUFFIX}"))
            found[stick.name] = self.ledger.in_batches(batches_in(files))
        return found

    def stick(self, name: str) -> Path:
        """Give a stick's folder; a lost one is replaced by a new one."""
        folder = self.sticks / name
        folder.mkdir(exist_ok=True)
        return folder

    def event(self, name: str, work: Callable[[], str]) -> None:
        """Let something happen, write it down, and ask the oracles."""
        self.disasters.clear()
        ended = work()
        self.trace.append(f"{self.true.now()} {name}: {ended}")
        self.check()

    def check(self) -> None:
        """Ask what must hold at all times."""
        places = self.places()
        self.ledger.check(places, self._places, self.disasters)
        self._places = places
        check_office(self.office, self.ledger)
        for laptop in self.laptops:
            check_marks(laptop, self.office, None)
            check_feed(laptop, self.office)

    def road(self, laptop: Laptop, faults: Sequence[Fault] = ()) -> Road:
        """Give a road for one session; what happens meanwhile is in ``between``."""
        return Road(
            self.office,
            self.records,
            device=laptop.device,
            faults=faults,
            fuse=laptop.fuse,
            meanwhile=lambda rule: self.between(self, laptop, rule),
        )

    def session(self, laptop: Laptop, faults: Sequence[Fault] = ()) -> str:
        """Let a laptop talk to the office over a road with faults; say how it ended."""
        road = self.road(laptop, faults)
        for fault in faults:
            if fault.rule in _FUSES:
                laptop.fuse.left = fault.count(14)
                laptop.fuse.how = _FUSES[fault.rule]
        tear = any(fault.rule == "torn-log" for fault in faults)
        ended = laptop.survive(lambda: told(laptop.sync(road)), tear=tear)
        road.end()
        check_marks(laptop, self.office, lambda raw, nonce: (raw, nonce) in road.brought)
        return ended

    def revoke(self, laptop: Laptop) -> None:
        """Shut a laptop out, and every copy of its disk."""
        with self.office.store.write() as connection:
            revoke_device(connection, self.office.keys, laptop.device, now=self.true.now())

    def settle(self) -> None:
        """Stop all faults and demand that everything drains: O4, O5, O6, O7, O10."""
        self.trace.append("--- no more faults")
        self.deliver_sticks(self)
        for _ in range(_ROUNDS_MAX):
            self._approve_all()
            for laptop in self.laptops:
                self.event(f"{laptop.name} syncs", partial(self._quiet, laptop))
            if all(self._is_drained(laptop) for laptop in self.laptops):
                break
        self.ledger.check_arrived(self._places["office"])
        for laptop in self.laptops:
            check_end(laptop, self.office)
            check_privacy(laptop, self.office, self.records)
        self._check_idle(self.laptops[0])

    def _quiet(self, laptop: Laptop) -> str:
        """Run a session without faults, and hold it to its budget."""
        held_upto = self._held_upto(laptop)
        road = self.road(laptop)
        lives = laptop.rows("SELECT count(*) FROM lives WHERE closed_at IS NOT NULL")[0][0]
        ended = laptop.survive(lambda: told(laptop.sync(road)))
        check_marks(laptop, self.office, lambda raw, nonce: (raw, nonce) in road.brought)
        if not lives and "forked" not in ended:
            # What sticks brought beyond a gap is offered again with what fills it.
            self.ledger.read_laptop(laptop)
            rows = laptop.rows("SELECT digest FROM batches WHERE number > ?", held_upto)
            check_bytes(laptop, road, sum(self.ledger.sizes[bytes(digest)] for (digest,) in rows))
        return ended

    def _check_idle(self, laptop: Laptop) -> None:
        road = self.road(laptop)
        is_forked = laptop.sync(road).forked  # a copy of this disk wrote on in its life
        if laptop.text("device.state") == "approved" and not is_forked:
            check_idle(laptop, road, 1 + len(laptop.open_closed_lives()))

    def _held_upto(self, laptop: Laptop) -> int:
        rows = self.office.rows(
            "SELECT held_upto FROM chains WHERE device = ? AND life = ?",
            laptop.device,
            laptop.text("incarnation"),
        )
        return int(rows[0][0]) if rows else 0

    def _is_drained(self, laptop: Laptop) -> bool:
        try:
            check_end(laptop, self.office)
        except Lost:
            return False
        return True

    def _approve_all(self) -> None:
        for laptop in self.laptops:
            with contextlib.suppress(DeviceShutOut), self.office.store.write() as connection:
                approve_code(
                    connection, self.office.keys, laptop.approval_code, now=self.true.now()
                )
