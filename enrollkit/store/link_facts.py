"""What the last session taught of the link, and what the day's sessions have used of the money."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from enrollkit.store.database import Tx
from enrollkit.store.meta import Fact, find_text, keep_text

__all__ = ["LinkFacts", "bytes_used_on", "find_link", "keep_link", "note_traffic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """A link as it was measured last: bytes a second, seconds, bytes."""

    goodput: float
    round_trip_seconds: float | None
    push_bytes: int


def keep_link(tx: Tx, facts: LinkFacts) -> None:
    """Remember the link, in place of the one before."""
    known = {
        "goodput": facts.goodput,
        "round_trip": facts.round_trip_seconds,
        "push_bytes": facts.push_bytes,
    }
    keep_text(tx, Fact.LINK, json.dumps(known))


def find_link(tx: Tx) -> LinkFacts | None:
    """Give the link of the last session that measured one."""
    known = _object(tx, Fact.LINK)
    try:
        trip = known["round_trip"]
        return LinkFacts(
            goodput=float(known["goodput"]),
            round_trip_seconds=None if trip is None else float(trip),
            push_bytes=int(known["push_bytes"]),
        )
    except (KeyError, TypeError, ValueError):
        return None  # an estimate is no reason to stop: the next session measures again


def note_traffic(tx: Tx, day: str, count: int) -> int:
    """Add bytes to those of a day (ISO date) and give the day's sum; other days are forgotten."""
    used = bytes_used_on(tx, day) + count
    keep_text(tx, Fact.TRAFFIC, json.dumps({"day": day, "bytes": used}))
    return used


def bytes_used_on(tx: Tx, day: str) -> int:
    """Give how many bytes travelled on a day, up and down."""
    known = _object(tx, Fact.TRAFFIC)
    used = known.get("bytes")
    return used if known.get("day") == day and isinstance(used, int) else 0


def _object(tx: Tx, fact: Fact) -> dict[str, Any]:
    try:
        value = json.loads(find_text(tx, fact) or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
