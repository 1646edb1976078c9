"""Write the kit's list of states and districts from two files of the Local Government Directory.

    python scripts/make_places.py STATES.csv DISTRICTS.csv --date 2022-03-11 -o OUT.json

The files are the own downloads of the directory (https://lgdirectory.gov.in, *All States of India*
and *All Districts of India*), saved as CSV; ``--date`` is the day of the download. The directory is
published under the Government Open Data License – India, which the written file says again.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

SOURCE = "Local Government Directory, https://lgdirectory.gov.in"
LICENCE = "Government Open Data License - India (GODL-India)"


def main() -> int:
    """Read both files, check them against each other, write one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("states", type=Path, metavar="STATES.csv")
    parser.add_argument("districts", type=Path, metavar="DISTRICTS.csv")
    parser.add_argument("--date", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.json")
    given = parser.parse_args()
    places = read_places(given.states, given.districts)
    lines = ",\n".join(
        "  " + json.dumps(state, ensure_ascii=False, separators=(",", ":")) for state in places
    )
    head = json.dumps(
        {"source": SOURCE, "date": given.date.isoformat(), "licence": LICENCE}, indent=1
    ).removesuffix("\n}")
    given.output.write_text(f'{head},\n "states": [\n{lines}\n ]\n}}\n', encoding="utf-8")
    found = sum(len(state["districts"]) for state in places)
    print(f"{given.output}: {len(places)} states, {found} districts")
    return 0


def read_places(states_file: Path, districts_file: Path) -> list[dict[str, Any]]:
    """Give each state with its code, name and districts, all by code; exit on a gap."""
    states = {
        int(row["State Code"]): {"code": int(row["State Code"]), "name": row["State Name"].strip()}
        for row in _rows(states_file)
    }
    districts: dict[int, list[list[Any]]] = {code: [] for code in states}
    for row in _rows(districts_file):
        state = int(row["State Code"])
        if state not in states:
            sys.exit(f"District {row['District Code']} names a state that is not listed: {state}")
        districts[state].append([int(row["District Code"]), row["District Name"].strip()])
    return [
        {**states[code], "districts": sorted(districts[code], key=lambda one: one[0])}
        for code in sorted(states)
    ]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    sys.exit(main())
