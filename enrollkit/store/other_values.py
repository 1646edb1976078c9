"""What the office has in a field where this laptop has something else: kept until it is decided."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from enrollkit.store.database import Tx

__all__ = ["drop_other_values", "has_other_values", "keep_other_values", "other_values"]


def keep_other_values(tx: Tx, record: str, values: Mapping[str, Any], *, at: int) -> None:
    """Keep the office's values by JSON Pointer, in place of what was kept before."""
    drop_other_values(tx, record)
    for pointer, value in values.items():
        tx.execute(
            "INSERT OR REPLACE INTO other_values (record, pointer, value, at) VALUES (?, ?, ?, ?)",
            (record, pointer, json.dumps(value, ensure_ascii=False), at),
        )


def other_values(tx: Tx, record: str) -> dict[str, Any]:
    """Give the office's values by JSON Pointer; ``None`` where the office has nothing."""
    rows = tx.execute(
        "SELECT pointer, value FROM other_values WHERE record = ? ORDER BY pointer", (record,)
    )
    return {pointer: json.loads(value) for pointer, value in rows.fetchall()}


def has_other_values(tx: Tx, record: str) -> bool:
    """Whether something is open between this laptop and the office."""
    found = tx.execute("SELECT 1 FROM other_values WHERE record = ? LIMIT 1", (record,))
    return found.fetchone() is not None


def drop_other_values(tx: Tx, record: str) -> None:
    """Forget what was open: somebody decided."""
    tx.execute("DELETE FROM other_values WHERE record = ?", (record,))
