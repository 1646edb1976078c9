"""The page about the simulator lists what the simulator does, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from simulator.deeds import EVENTS
from simulator.faults import FAULTS
from simulator.mutations import KNOWN

PAGE = (Path(__file__).parents[2] / "docs" / "SIMULATION.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, list[str]]:
    """Give the table under a heading: the first cell's name, then the other cells."""
    section = PAGE.split(f"## {heading}\n", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]
    found = re.findall(r"^\| `([\w-]+)` \| (.*) \|$", section, re.MULTILINE)
    return {name: rest.split(" | ") for name, rest in found}


def test_the_page_lists_every_event_with_its_weight_and_every_fault() -> None:
    listed = rows("What happens")
    assert set(listed) == set(EVENTS) | set(FAULTS)
    assert {name: int(listed[name][0]) for name in EVENTS} == {
        name: weight for name, (weight, _) in EVENTS.items()
    }


def test_the_page_lists_every_deliberate_bug_with_the_seeds_that_find_it() -> None:
    listed = {name: cells[1] for name, cells in rows("Deliberate bugs").items()}
    assert listed == {name: ", ".join(map(str, seeds)) for name, seeds in KNOWN.items()}
