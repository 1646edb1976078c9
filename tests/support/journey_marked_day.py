"""A whole day of marked people, and everything that it leaves behind, kept for looking through."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from journey_camp import Laptop, Office, Outcome, open_office, write_rows
from journey_people import aadhaar, person, visit
from journey_search import files_under, forms_of_number, forms_of_text

__all__ = [
    "ALL_FORMS", "MOBILES", "NAMES", "NUMBERS", "NUMBER_FORMS", "OPERATOR", "TEXTS", "MarkedDay",
    "marked", "open_marked_day",
]  # fmt: skip

NAMES = (
    ("Zuqvanta Quillhopper", "झुक्वांता क्विलहोपर"),
    ("Wexomira Brindlefax", "वेक्सोमीरा ब्रिंडलफैक्स"),
    ("Yondrelka Thripswell", "योंड्रेल्का थ्रिप्सवेल"),
)
OPERATOR = "Operatrix Quaggasmith"
WITNESS, GUARDIAN = "Vimplonda Jexwright", "Gorbantha Muzzlewick"
VILLAGE, LINE, HANDLE = "Okapipurwa", "Pangolin Lane 77", "zuqvanta.qh"
MOBILES = ("9183746501", "9183746502", "9183746503", "9183746504")
NUMBERS = tuple(aadhaar(8_374_650 + place) for place in range(6))
TEXTS = (
    *(part for latin, native in NAMES for name in (latin, native) for part in name.split()),
    *WITNESS.split(), *GUARDIAN.split(), VILLAGE, "Pangolin", HANDLE,
)  # fmt: skip
TEXT_FORMS = {f"text {place}": forms_of_text(mark) for place, mark in enumerate(TEXTS)}
MOBILE_FORMS = {f"mobile {place}": forms_of_number(mark) for place, mark in enumerate(MOBILES)}
NUMBER_FORMS = {f"Aadhaar {place}": forms_of_number(mark) for place, mark in enumerate(NUMBERS)}
ALL_FORMS = {**TEXT_FORMS, **MOBILE_FORMS, **NUMBER_FORMS}
CRASH = """
import sys
from enrollkit.app.enrolling import Enrolling
def fail(self, row, **_):
    try:
        raise ValueError(f"cannot save {row}")
    except ValueError as error:
        raise RuntimeError(repr(row)) from error
Enrolling.submit_row = fail
from enrollkit.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def marked(place: int, **changes: Any) -> dict[str, Any]:
    """Give a row in which everything that could be told of a person is marked."""
    name, native = NAMES[place % len(NAMES)]
    given = person(900 + place)
    given |= {"name": name, "name_native": native, "aadhaar": NUMBERS[place]}
    given |= {"mobile": MOBILES[place], "abha_address_choice": HANDLE}
    given["address"] |= {"village": VILLAGE, "line": LINE}
    given["consent"] |= {"witness": WITNESS, "method": "verbal-witnessed"}
    given["guardian"] = {"name": GUARDIAN, "relation": "mother"}
    return {**given, **changes}


def namesake(number: int) -> dict[str, Any]:
    """Give somebody of the first name once more, of another age and without numbers."""
    known = {"birth": {"year": 1900 + number}, "household": f"HH-{number}"}
    return marked(0, **known, mobile=None, mobile_owner="none", aadhaar=None)


@dataclass(slots=True, kw_only=True)
class MarkedDay:
    """What a day left behind, everywhere."""

    folder: Path
    office: Office
    laptop: Laptop
    quiet: dict[str, Outcome] = field(default_factory=dict)
    """Commands that have no reason to say a name."""
    naming: dict[str, Outcome] = field(default_factory=dict)
    """Commands whose work it is to show a person."""
    snapshots: dict[str, bytes] = field(default_factory=dict)
    """Files of the laptop at different moments."""
    ids: dict[str, str] = field(default_factory=dict)
    """Record id -> Aadhaar number."""

    def run(self, *arguments: str | Path, crash: bool = False) -> Outcome:
        """Run a command as a process of its own, with a temporary folder of its own."""
        program = ["-c", CRASH] if crash else ["-m", "enrollkit"]
        environment = self.laptop.environment(TMPDIR=str(self.folder / "tmp"))
        done = subprocess.run(
            [sys.executable, *program, *map(str, arguments)],
            capture_output=True, check=False, timeout=120, env=environment,
            cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    def keep(self, moment: str) -> None:
        for path, data in files_under(self.laptop.home):
            self.snapshots[f"{moment}: {Path(path).name}"] = data

    def spend(self) -> None:
        self._enroll()
        self._type_a_draft()
        self._crash()
        self._die()
        self._deliver()
        self.keep("evening")

    def _enroll(self) -> None:
        bad = [
            marked(3, name=f"{NAMES[0][0]} 77"),
            marked(3, aadhaar=NUMBERS[3][:-1]),
            marked(3, aadhaar=NUMBERS[3][:-1] + str(9 - int(NUMBERS[3][-1]))),
            marked(3, mobile=MOBILES[3][:-1] + "O"),
            marked(3, aadhaar=NUMBERS[0]),
            marked(3, ration_card=VILLAGE),
        ]
        rows = [*(marked(place) for place in range(3)), *bad]
        file = write_rows(self.folder / "people.jsonl", rows)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(marked(3), ensure_ascii=False)[:300])
        self.quiet["enroll"] = told = self.run("enroll", file, "--json")
        self.quiet["enroll for people"] = self.laptop.run("enroll", file)
        saved = [row for row in told.rows if row["ok"]]
        assert len(saved) == 3, told
        self.ids = {row["id"]: NUMBERS[place] for place, row in enumerate(saved)}

    def _type_a_draft(self) -> None:
        """Type at the screen; the files are kept while the kit is open."""
        with self.laptop.unlocked() as kit:
            draft = kit.drafts.start()
            row = marked(3, aadhaar=None)
            kit.drafts.save(draft.id, row, "person")
            assert kit.drafts.seal_aadhaar(draft.id, NUMBERS[4]) == NUMBERS[4][-4:]
            self.keep("while open")
            other = kit.drafts.start(row)
            kit.drafts.discard(other.id)
            self.keep("draft discarded")
            (found,) = kit.people.search(NAMES[0][0])
            assert found.id in self.ids
            linked = kit.links.add(found.id, visit(1, display="Visit of the day"))
            assert linked.ok

    def _crash(self) -> None:
        file = write_rows(self.folder / "crash.jsonl", [marked(3)])
        self.quiet["crash"] = self.run("enroll", file, crash=True)

    def _die(self) -> None:
        """Take the power away with everything still in the write-ahead log."""
        rows = [namesake(number) for number in range(90)]
        file = write_rows(self.folder / "more.jsonl", rows)
        # Lines of JSON fill the small pipe: the program waits there, in the middle, to die.
        process = self.laptop.start(
            "enroll", file, "--json", stderr=subprocess.DEVNULL, pipesize=4096
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        process.kill()
        rest = process.stdout.read()
        process.stdout.close()
        assert process.wait() == -signal.SIGKILL
        self.quiet["killed"] = Outcome(0, (line + rest).decode(), "")
        self.keep("after the power cut")

    def _deliver(self) -> None:
        self.quiet["sync"] = self.run("sync", "--json")
        self.quiet["sync for people"] = self.laptop.run("sync")
        self.quiet["status"] = self.laptop.run("status")
        self.quiet["doctor"] = self.laptop.run("doctor")
        self.quiet["nobody"] = self.laptop.run("show", "7K2M-94QD-XV3T-8")
        first = next(iter(self.ids))
        self.naming["show"] = self.laptop.run("show", first, "--json")
        self.naming["search"] = self.laptop.run("search", VILLAGE)
        card = self.folder / "card.png"
        self.quiet["card"] = self.laptop.run("card", first, "-o", card, "--json")
        self.naming["verify"] = self.laptop.run("verify", card, "--json")
        assert self.quiet["sync"].object["waiting"] == 0


@contextmanager
def open_marked_day(folder: Path) -> Iterator[MarkedDay]:
    """Spend the day; the server goes on running."""
    for name in ("tmp", "server-tmp"):
        (folder / name).mkdir()
    with open_office(folder / "office", running=False) as office:
        with mock.patch.dict(os.environ, {"TMPDIR": str(folder / "server-tmp")}):
            office.start()
        laptop = Laptop.make(folder / "laptop", office.programme(), operator=OPERATOR)
        office.run("device", "approve", laptop.approval_code)
        day = MarkedDay(folder=folder, office=office, laptop=laptop)
        day.spend()
        yield day
