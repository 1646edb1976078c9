"""Linked records of each facility and month against the base levels of NHA's incentive scheme.

The rules are data with dates and sources (``data/incentive_rules.json``): the scheme has changed
before, and what it says today was not found. A month is one of India's calendar.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, select

from schemas.formats import is_hfr_id
from sync.server.calling import INDIA
from sync.server.errors import FacilitiesInvalid, FileUnusable
from sync.server.store.tables import links

__all__ = [
    "Facility",
    "MonthRow",
    "Rule",
    "RuleBook",
    "Standing",
    "count_linked",
    "load_rules",
    "read_facilities",
    "report",
    "rows_with_words",
]

KINDS: Final = ("hospital", "laboratory", "clinic", "pharmacy")
_LINKED: Final = "LINKED"
_COLUMNS: Final = ["facility", "kind", "beds"]
_BEDS_MAX: Final = 20_000
_FILE_BYTES_MAX: Final = 20_000_000


class Standing(StrEnum):
    """How sure a row's figures are."""

    KNOWN = "rules known"
    UNSURE = "rules of this month not known"
    """The month is later than what was found out; the last known rules are used."""
    NO_RULE = "no rule for it"
    """The scheme had no base level for such a facility in that month."""
    UNKNOWN_KIND = "kind of facility not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """What the rules ask about a facility: its kind, and its beds."""

    kind: str
    beds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """From which day on how many records a month are expected, and what each above them earns."""

    id: str
    kind: str
    beds_min: int
    since: date
    base: int
    base_per_bed: int
    rupees: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """The rules and how far they are known. ``company_share_percent``: of what facilities earn."""

    scheme: str
    known_until: date
    company_share_percent: int
    notes: tuple[str, ...]
    rules: tuple[Rule, ...]

    def rule_for(self, facility: Facility, month: str) -> Rule | None:
        """Give the newest rule that holds in a month (``YYYY-MM``)."""
        fitting = [
            rule
            for rule in self.rules
            if rule.kind == facility.kind
            and rule.beds_min <= facility.beds
            and f"{rule.since:%Y-%m}" <= month
        ]
        return max(fitting, key=lambda rule: rule.since, default=None)

    def is_known_for(self, month: str) -> bool:
        """Whether what the scheme says in a month was found out."""
        return month <= f"{self.known_until:%Y-%m}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthRow:
    """One facility in one month; ``base`` and what follows is ``None`` without a rule.

    ``rupees`` is the facility's, ``company_rupees`` comes on top for the maker of its software.
    """

    month: str
    facility: str
    linked: int
    standing: Standing
    base: int | None = None
    above: int | None = None
    rupees: int | None = None
    company_rupees: float | None = None
    rule: str | None = None


def load_rules() -> RuleBook:
    """Read the rules that come with this program."""
    text = files("sync.server").joinpath("data/incentive_rules.json").read_text(encoding="utf-8")
    raw: dict[str, Any] = json.loads(text)
    return RuleBook(
        scheme=raw["scheme"],
        known_until=date.fromisoformat(raw["known_until"]),
        company_share_percent=raw["company_share_percent"],
        notes=tuple(raw["notes"]),
        rules=tuple(_rule(each) for each in raw["rules"]),
    )


def read_facilities(path: Path) -> dict[str, Facility]:
    """Read a CSV file with the columns ``facility``, ``kind`` and ``beds``.

    ``FacilitiesInvalid`` names the line that is not right.
    """
    try:
        if path.stat().st_size > _FILE_BYTES_MAX:
            raise FacilitiesInvalid("too large")
        with path.open(encoding="utf-8-sig", newline="") as file:
            return dict(_facilities(csv.DictReader(file, strict=True)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FacilitiesInvalid("not CSV in UTF-8") from error
    except OSError as error:
        raise FileUnusable("facilities") from error


def count_linked(connection: Connection, *, month: str | None = None) -> Counter[tuple[str, str]]:
    """Count the linked records by month (of India) and facility; one month's, or all."""
    query = select(links.c.facility, links.c.linked_at).where(
        links.c.state == _LINKED, links.c.linked_at.is_not(None)
    )
    counts: Counter[tuple[str, str]] = Counter()
    for row in connection.execute(query, execution_options={"yield_per": 1000}):
        instant = datetime.fromtimestamp(row.linked_at / 1000, UTC)
        when = f"{instant.astimezone(INDIA):%Y-%m}"
        if month in {None, when}:
            counts[when, row.facility] += 1
    return counts


def report(
    counts: Mapping[tuple[str, str], int],
    facilities: Mapping[str, Facility],
    rules: RuleBook,
) -> Sequence[MonthRow]:
    """Hold the counts against the rules, month by month."""
    return [
        _row(rules, month, facility, linked, facilities.get(facility))
        for (month, facility), linked in sorted(counts.items())
    ]


def _row(
    rules: RuleBook, month: str, facility: str, linked: int, known: Facility | None
) -> MonthRow:
    if known is None:
        return MonthRow(
            month=month, facility=facility, linked=linked, standing=Standing.UNKNOWN_KIND
        )
    rule = rules.rule_for(known, month)
    if rule is None:
        return MonthRow(month=month, facility=facility, linked=linked, standing=Standing.NO_RULE)
    base = rule.base + rule.base_per_bed * known.beds
    above = max(0, linked - base)
    rupees = above * rule.rupees
    return MonthRow(
        month=month,
        facility=facility,
        linked=linked,
        standing=Standing.KNOWN if rules.is_known_for(month) else Standing.UNSURE,
        base=base,
        above=above,
        rupees=rupees,
        company_rupees=rupees * rules.company_share_percent / 100,
        rule=rule.id,
    )


def _rule(raw: Mapping[str, Any]) -> Rule:
    return Rule(
        id=raw["id"],
        kind=raw["kind"],
        beds_min=raw["beds_min"],
        since=date.fromisoformat(raw["from"]),
        base=raw["base"],
        base_per_bed=raw["base_per_bed"],
        rupees=raw["rupees"],
    )


def _facilities(rows: csv.DictReader[str]) -> Iterator[tuple[str, Facility]]:
    missing = set(_COLUMNS).difference(rows.fieldnames or ())
    if missing:
        raise FacilitiesInvalid(f"column {min(missing)} is missing")
    seen: set[str] = set()
    for row in rows:
        # Cells that a short line lacks are None.
        facility, kind, beds = ((row[name] or "").strip() for name in _COLUMNS)
        is_right = (
            is_hfr_id(facility)
            and facility not in seen
            and kind in KINDS
            and _is_number(beds or "0", most=_BEDS_MAX)
        )
        if not is_right:
            raise FacilitiesInvalid(f"line {rows.line_num}")
        seen.add(facility)
        yield facility, Facility(kind=kind, beds=int(beds or "0"))


def _is_number(text: str, *, most: int) -> bool:
    is_short = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    return is_short and int(text) <= most


def rows_with_words(rows: Iterable[MonthRow]) -> Iterator[str]:
    """Give a table for people."""
    yield f"{'month':<8}  {'facility':<12}  {'linked':>7}  {'base':>7}  {'above':>7}  {'rupees':>9}"
    for row in rows:
        figures = (row.linked, row.base, row.above, row.rupees)
        linked, base, above, rupees = ("-" if each is None else str(each) for each in figures)
        yield (
            f"{row.month:<8}  {row.facility:<12}  {linked:>7}  {base:>7}  {above:>7}  "
            f"{rupees:>9}  {'' if row.standing is Standing.KNOWN else row.standing.value}"
        ).rstrip()
