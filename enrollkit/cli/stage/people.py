"""Who is enrolled in the demo: invented people, and records of one of them."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

__all__ = ["DEMO_RECORDS", "demo_people"]

DEMO_RECORDS: Final = (
    {
        "hi_type": "WellnessRecord",
        "facility": "IN0910000001",
        "date": "2026-11-20",
        "display": "Camp check 20 Nov 2026",
        "reference": "CAMP-0001",
    },
    {
        "hi_type": "Prescription",
        "facility": "IN0910000001",
        "date": "2026-11-20",
        "display": "Prescription 20 Nov 2026",
        "reference": "CAMP-0002",
    },
)


def demo_people() -> list[dict[str, Any]]:
    """Read the twelve invented people, as intake rows."""
    text = (files("enrollkit.cli.stage") / "people.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
