"""What it costs to save one person, beside a bare sqlite3 commit of the same bytes, in one run.

Usage: save.py [PEOPLE]. Budget: p50 at most 4 times the bare commit's, p99 at most 10 ms. The two
take turns, so that a busy machine disturbs both alike.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # Beside this file lies sync.py, which is not the package of that name.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from enrollkit.app.kit import Kit
from enrollkit.cli.stage.people import demo_people
from enrollkit.vault.kdf import KdfParameters
from sync.programme import Programme, Wording, sign_programme
from sync.sealing import OpeningKey, SigningKey


def main(arguments: list[str]) -> int:
    """Save people both ways and print the figures."""
    count = int(arguments[0]) if arguments else 500
    with tempfile.TemporaryDirectory() as folder:
        kit, bare = _kit(Path(folder) / "kit"), _bare(Path(folder) / "bare.db")
        times: dict[str, list[float]] = {"bare sqlite3": [], "enrollkit": []}
        for number in range(count):
            row = _person(number)
            text = json.dumps(row, ensure_ascii=False)
            times["bare sqlite3"].append(_seconds(partial(_insert, bare, text)))
            times["enrollkit"].append(_seconds(partial(_submit, kit, row)))
        kit.close()
        bare.close()
    for name, seconds in times.items():
        ordered = sorted(seconds)
        p50, p99 = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
        print(f"{name:<13} p50 {p50 * 1000:6.2f} ms   p99 {p99 * 1000:6.2f} ms")
    ratio = statistics.median(times["enrollkit"]) / statistics.median(times["bare sqlite3"])
    print(f"ratio of p50  {ratio:6.2f}")
    return 0


def _kit(folder: Path) -> Kit:
    key = SigningKey.generate()
    programme = Programme(
        name="Bench",
        url="http://127.0.0.1:1",
        serial=1,
        issued=int(time.time()),
        signing=key.public,
        ingest=OpeningKey.generate().public,
        vault=OpeningKey.generate().public,
        recovery=OpeningKey.generate().public,
        consents=(
            Wording(code="abha-enrollment", version="1.4", language="hi", text="-", official=False),
        ),
        devices=(),
    )
    kit = Kit.at(folder)
    # Whatever opens it: the key derivation is not what is measured here.
    cheap = KdfParameters(memory_kib=64, iterations=1, lanes=1)
    kit.initialise(
        sign_programme(programme, key), operator="Bench", passphrase=folder.name, kdf=cheap
    )
    return kit


def _bare(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE person (row TEXT)")
    return connection


def _insert(connection: sqlite3.Connection, text: str) -> None:
    connection.execute("INSERT INTO person VALUES (?)", (text,))


def _submit(kit: Kit, row: dict[str, Any]) -> None:
    result = kit.enrolling.submit_row(row)
    if not result.ok:
        raise SystemExit(f"not saved: {[problem.code for problem in result.problems]}")


def _person(number: int) -> dict[str, Any]:
    """Give another person each time: a name of syllables, a birth, a number of its own."""
    syllables = ("ka", "ri", "mo", "sha", "tu", "ne", "vi", "la", "po", "du")
    word = "".join(syllables[int(digit)] for digit in f"{number:05d}").title()
    row = dict(demo_people()[0])
    row |= {
        "name": f"{word} Devi",
        "name_native": None,
        "birth": {"year": 1930 + number % 70, "month": 1 + number % 12, "day": 1 + number % 28},
        "mobile": f"9{number:09d}",
        "aadhaar": None,
    }
    return row


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
