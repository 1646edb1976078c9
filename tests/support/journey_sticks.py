"""A stick between laptops and an office: a folder, and the steps that people take with it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from journey_camp import Laptop, Office
from journey_people import people, visit

__all__ = ["Camp", "statement_of"]

PARTS = ("on_laptop", "signed_for", "returned", "withdrawn")


def statement_of(laptop: Laptop) -> dict[str, Any]:
    """Give a laptop's statement, whose sum is checked here by its plain figures."""
    told = laptop.run("status", "--statement", "--json")
    assert told.code == 0, told.err
    figures = told.object
    assert figures["adds_up"]
    on_sticks = sum(stick["people"] for stick in figures["on_sticks"])
    assert sum(figures[part] for part in PARTS) + on_sticks == figures["total"]
    papers = figures["links"]
    assert sum(papers[part] for part in (*PARTS, "on_sticks")) == papers["total"]
    return figures


@dataclass(slots=True, kw_only=True)
class Camp:
    """An office without a network, its laptops, and the sticks between them."""

    office: Office
    folder: Path
    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def laptop(self, name: str, *, approved: bool = True) -> Laptop:
        return self.office.laptop(self.folder / name, approved=approved)

    def stick(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(exist_ok=True)
        return path

    def enroll(self, laptop: Laptop, count: int, *, papers: int = 1) -> list[str]:
        """Save people nobody else has, and some papers of the first; give their record ids."""
        with laptop.unlocked() as kit:
            rows = people(len(self.known), count)
            ids = []
            for row in rows:
                result = kit.enrolling.submit_row(row)
                assert result.ok, result
                ids.append(str(result.id))
                self.known[str(result.id)] = row
            for number in range(papers):
                linked = kit.links.add(ids[0], visit(1000 * len(self.known) + number))
                assert linked.ok, linked
        return ids

    def export(self, laptop: Laptop, stick: Path) -> dict[str, Any]:
        told = laptop.run("export", stick, "--json")
        assert told.code == 0, told.err
        return told.object

    def at_office(self, stick: Path) -> dict[str, Any]:
        """Let the office read a stick and write its answers onto it."""
        return self.office.run("receive", stick, "-o", stick, "--json").object

    def home(self, laptop: Laptop, stick: Path) -> dict[str, Any]:
        told = laptop.run("receive", stick, "--json")
        assert told.code == 0, told.out + told.err
        return told.object

    def lose(self, stick: Path) -> None:
        shutil.rmtree(stick)

    def everybody_arrived(self) -> None:
        """The office has exactly the people who were saved, each once, as they were saved."""
        exported = self.office.export()
        assert sorted(row["id"] for row in exported) == sorted(self.known)
        for row in exported:
            assert row["name"] == self.known[row["id"]]["name"]
