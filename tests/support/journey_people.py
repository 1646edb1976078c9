"""People of tests who do not exist, in any number, and the faults that their rows may have."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.formats import is_aadhaar

__all__ = ["SHARED", "Intake", "aadhaar", "corpus", "invented", "people", "person", "visit"]

SHARED = Path(__file__).resolve().parents[3] / "shared" / "corpus"

_FIRST = (
    ("Asha", "आशा"), ("Bimla", "बिमला"), ("Chanda", "चंदा"), ("Deepa", "दीपा"),
    ("Gauri", "गौरी"), ("Hema", "हेमा"), ("Ishita", "इशिता"), ("Jyoti", "ज्योति"),
    ("Kusum", "कुसुम"), ("Lata", "लता"), ("Madhu", "मधु"), ("Neha", "नेहा"),
    ("Omana", "ओमना"), ("Pushpa", "पुष्पा"), ("Rekha", "रेखा"), ("Tulsi", "तुलसी"),
)  # fmt: skip
_LAST = (
    ("Bairwa", "बैरवा"), ("Choudhary", "चौधरी"), ("Dhobi", "धोबी"), ("Gurjar", "गुर्जर"),
    ("Harijan", "हरिजन"), ("Jatav", "जाटव"), ("Kumhar", "कुम्हार"), ("Lohar", "लोहार"),
    ("Meena", "मीणा"), ("Nayak", "नायक"), ("Paswan", "पासवान"), ("Rawat", "रावत"),
    ("Saini", "सैनी"), ("Teli", "तेली"), ("Verma", "वर्मा"), ("Yogi", "योगी"),
    ("Ahirwar", "अहिरवार"), ("Bhil", "भील"), ("Mahto", "महतो"), ("Oraon", "उरांव"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Intake:
    """A camp's files: clean rows, lines with faults, what is wrong with those, record links."""

    people: Path
    dirty: Path
    faults: list[dict[str, Any]]
    links: Path

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in _lines(self.people)]

    @property
    def link_rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in _lines(self.links)]

    @property
    def dirty_rows(self) -> list[dict[str, Any] | None]:
        """The dirty file's rows; ``None`` for a line that is cut short."""
        listed = {fault["row"]: fault["_fault"] for fault in self.faults}
        return [
            None if listed.get(number) == "truncated-line" else json.loads(line)
            for number, line in enumerate(_lines(self.dirty), start=1)
        ]


def aadhaar(number: int) -> str:
    """Give a valid number of the test range."""
    stem = f"9999{number:07d}"
    return next(stem + str(digit) for digit in range(10) if is_aadhaar(stem + str(digit)))


def person(number: int, **changes: Any) -> dict[str, Any]:
    """Give a correct row; every number another person."""
    first, last = _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST) % len(_LAST)]
    row: dict[str, Any] = {
        "name": f"{first[0]} {last[0]}",
        "name_native": f"{first[1]} {last[1]}",
        "gender": "F",
        "birth": {"year": 1950 + number % 50, "month": 1 + number % 12, "day": 1 + number % 28},
        "mobile": f"98{number:08d}",
        "mobile_owner": "self",
        "address": {
            "line": f"House {number}",
            "village": "Garhi",
            "pincode": "327023",
            "state": 8,
            "district": 88,
        },
        "guardian": None,
        "aadhaar": aadhaar(number) if number % 5 else None,
        "consent": {
            "version": "1.4",
            "language": "hi",
            "method": "signature",
            "given_at": f"2026-11-11T1{number % 10}:{number % 60:02d}:00+05:30",
            "witness": None,
        },
        "abha_address_choice": None,
        "language": "hi",
        "household": f"HH-{number:04d}",
        "camp": "CAMP-08-088-1111",
    }
    return {**row, **changes}


def people(first: int, count: int) -> list[dict[str, Any]]:
    """Give ``count`` correct rows of different people."""
    return [person(number) for number in range(first, first + count)]


def visit(number: int, **where: Any) -> dict[str, Any]:
    """Give a record link; ``where`` names the person (``person`` or ``person_row``)."""
    return {
        "hi_type": "OPConsultation",
        "facility": "IN0812966769",
        "professional": None,
        "date": "2026-11-11",
        "display": "OPD visit, 11 Nov 2026",
        "reference": f"OPD/{number:05d}",
        "observations": None,
        **where,
    }


def corpus() -> Intake | None:
    """Give the shared synthetic camp, where it is."""
    if not SHARED.is_dir():
        return None
    faults = SHARED / "camp_dirty_60.faults.jsonl"
    return Intake(
        people=SHARED / "camp_200.jsonl",
        dirty=SHARED / "camp_dirty_60.jsonl",
        faults=[json.loads(line) for line in _lines(faults)],
        links=SHARED / "camp_200_links.jsonl",
    )


def invented(folder: Path) -> Intake:
    """Write a camp of our own: 40 people, one line for each fault between clean ones, links."""
    clean, dirty = folder / "own.jsonl", folder / "own_dirty.jsonl"
    links = folder / "own_links.jsonl"
    _write(clean, people(0, 40))
    _write(links, [visit(number, person_row=1 + number % 40) for number in range(60)])
    rows, faults = _with_faults(first=100)
    _write(dirty, rows)
    with dirty.open("a", encoding="utf-8") as file:
        file.write(json.dumps(person(190), ensure_ascii=False)[:200])
    cut = {"row": len(rows) + 1, "_fault": "truncated-line", "pointer": "", "expect": "refuse"}
    return Intake(people=clean, dirty=dirty, faults=[*faults, cut], links=links)


def _with_faults(first: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    faults: list[dict[str, Any]] = []
    for place, (code, pointer, expect, spoil) in enumerate(_FAULTS):
        rows.append(person(first + 2 * place))
        spoilt = person(first + 2 * place + 1)
        value = spoil(spoilt, rows)
        rows.append(spoilt)
        fault = {"row": len(rows), "_fault": code, "pointer": pointer, "expect": expect}
        faults.append(fault | ({"value": value} if expect == "normalise" else {}))
    return rows, faults


def _put(pointer: str, value: Any, stored: Any = None) -> Callable[..., Any]:
    """Spoil one field; give what should be stored in the end."""

    def spoil(row: dict[str, Any], _before: list[dict[str, Any]]) -> Any:
        *path, last = pointer.split("/")[1:]
        inner = row
        for key in path:
            inner = inner[key]
        inner[last] = deepcopy(value)
        return stored

    return spoil


def _drop_consent(row: dict[str, Any], _before: list[dict[str, Any]]) -> None:
    del row["consent"]


def _seventh(row: dict[str, Any], before: list[dict[str, Any]]) -> None:
    for earlier in before[::2][-6:]:  # the correct ones
        earlier["mobile"] = "9700000000"
    row["mobile"] = "9700000000"


def _same_number(row: dict[str, Any], before: list[dict[str, Any]]) -> None:
    row["aadhaar"] = before[0]["aadhaar"] = aadhaar(77)


def _same_person(row: dict[str, Any], before: list[dict[str, Any]]) -> None:
    """The last clean row once more, by another spelling, from another form."""
    twin = before[-1]
    row |= {key: deepcopy(twin[key]) for key in ("gender", "birth", "address", "guardian")}
    row |= {"name": twin["name"].replace("Chanda", "Chandaa"), "aadhaar": None}
    row |= {"name_native": twin["name_native"]}


_LONG = "A" * 1000
_NO_DAY = {"year": 1991, "month": 2, "day": 29}
_CHILD = {"year": 2019, "month": 5, "day": 5}
_FAULTS: tuple[tuple[str, str, str, Callable[..., Any]], ...] = (
    ("aadhaar-check-digit", "/aadhaar", "refuse", _put("/aadhaar", "999900000009")),
    ("aadhaar-11-digits", "/aadhaar", "refuse", _put("/aadhaar", "99990000000")),
    ("birth-in-future", "/birth/year", "refuse", _put("/birth/year", 2040)),
    ("birth-no-such-day", "/birth/day", "refuse", _put("/birth", _NO_DAY)),
    ("birth-month-without-day", "/birth/day", "accept", _put("/birth", {"year": 1991, "month": 2})),
    ("birth-day-without-month", "/birth/month", "refuse", _put("/birth", {"year": 1991, "day": 2})),
    ("district-not-in-state", "/address/district", "refuse", _put("/address/district", 212)),
    ("mobile-letters", "/mobile", "refuse", _put("/mobile", "98OOO12345")),
    ("mobile-starts-with-1", "/mobile", "refuse", _put("/mobile", "1800000001")),
    ("mobile-seventh-person", "/mobile", "refuse", _seventh),
    ("consent-missing", "/consent", "refuse", _drop_consent),
    ("consent-version-unknown", "/consent/version", "refuse", _put("/consent/version", "9.9")),
    ("minor-without-guardian", "/guardian", "refuse", _put("/birth", _CHILD)),
    ("name-empty", "/name", "refuse", _put("/name", "   ")),
    ("name-digits", "/name", "refuse", _put("/name", "Asha 123")),
    ("name-300-characters", "/name", "refuse", _put("/name", "A" * 300)),
    ("name-control-character", "/name", "refuse", _put("/name", "Asha\u001b[31m Devi")),
    ("name-bidi-override", "/name", "refuse", _put("/name", "Asha \u202eDevi")),
    ("name-emoji", "/name", "refuse", _put("/name", "Asha 🌼")),
    ("address-1000-characters", "/address/line", "refuse", _put("/address/line", _LONG)),
    ("wrong-type", "/mobile", "refuse", _put("/mobile", ["9800000000"])),
    ("name-outer-spaces", "/name", "normalise", _put("/name", "  Uma Joshi ", "Uma Joshi")),
    ("name-decomposed", "/name_native", "normalise",
        _put("/name_native", unicodedata.normalize("NFD", "ত্রিলোচন কো"), "ত্রিলোচন কো")),
    ("gender-lower-case", "/gender", "normalise", _put("/gender", "f", "F")),
    ("duplicate-aadhaar", "/aadhaar", "review", _same_number),
    ("duplicate-person", "/name", "review", _same_person),
    ("unknown-key", "/ration_card", "review", _put("/ration_card", "RC-1")),
)  # fmt: skip


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[: _line_count(path)]


def _line_count(path: Path) -> int:
    text = path.read_text(encoding="utf-8")
    return text.count("\n") + (not text.endswith("\n"))


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")
