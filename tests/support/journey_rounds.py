"""A laptop that goes through round after round of enrolling and syncing, however each one ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from journey_camp import Laptop, Office, agree, open_office
from journey_people import people, visit

__all__ = ["BATCHES", "PEOPLE_PER_BATCH", "POINTS", "Rounds", "open_rounds"]

BATCHES, PEOPLE_PER_BATCH = 6, 4
POINTS = [
    pytest.param("up", 0.0, id="first byte up"),
    pytest.param("up", 0.02, id="in the greeting"),
    pytest.param("up", 0.15, id="in the first batch"),
    pytest.param("up", 0.3, id="in an early batch"),
    pytest.param("up", 0.5, id="half-way up"),
    pytest.param("up", 0.7, id="in a late batch"),
    pytest.param("up", 0.95, id="last bytes up"),
    pytest.param("down", 0.0, id="first byte down"),
    pytest.param("down", 0.5, id="between receipts"),
    pytest.param("down", 0.9, id="in a late receipt"),
]


@dataclass(slots=True, kw_only=True)
class Rounds:
    """One laptop that goes through round after round; what it saved, by record id."""

    office: Office
    laptop: Laptop
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    size: dict[str, int] = field(default_factory=dict)

    def enroll_round(self) -> None:
        """Save people and a few links, sealed into several batches."""
        with self.laptop.unlocked() as kit:
            for _ in range(BATCHES):
                rows = people(len(self.known), PEOPLE_PER_BATCH)
                results = [kit.enrolling.submit_row(row) for row in rows]
                assert all(result.ok for result in results), results
                ids = [str(result.id) for result in results]
                self.known |= dict(zip(ids, rows, strict=True))
                linked = kit.links.add(ids[0], visit(len(self.known)))
                assert linked.ok, linked
                assert self.laptop.freeze(kit) == 1

    def byte(self, direction: str, share: float) -> int:
        return 1 + int(self.size[direction] * share)

    def finish(self) -> dict[str, Any]:
        """Sync until done, and look at both ends."""
        self.office.relay.clear_trap()
        self.check_honest()
        done = self.laptop.run("sync", "--json")
        assert done.code == 0, done
        agree(self.office, self.laptop, self.known)
        assert self.laptop.run("sync", "--json").object["sent"] == 0
        return done.object

    def check_honest(self) -> None:
        """Whoever is called signed for is at the server."""
        here, there = self.laptop.status(), self.office.status()
        assert here["total"] == len(self.known)
        assert here["signed_for"] <= there["enrollments"] <= len(self.known)
        assert here["signed_for"] + here["waiting"] == len(self.known)


@contextmanager
def open_rounds(folder: Path) -> Iterator[Rounds]:
    """Set up an office and a laptop, and measure one whole sync: that is where the points lie."""
    with open_office(folder / "office") as office:
        rounds = Rounds(office=office, laptop=office.laptop(folder / "laptop"))
        assert rounds.laptop.run("sync", "--json").code == 0
        rounds.enroll_round()
        office.relay.forget()
        assert rounds.laptop.run("sync", "--json").code == 0
        rounds.size = dict(zip(("up", "down"), office.relay.traffic(), strict=True))
        yield rounds
