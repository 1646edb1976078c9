"""The lives of this device: one writes, earlier ones are still brought home.

A restored or copied disk begins another life, so that two laptops never number their batches alike
for long. What an earlier life froze stays its own and is offered unchanged.
"""

from __future__ import annotations

from enrollkit.errors import NotInitialised
from enrollkit.store.audit import append_audit
from enrollkit.store.database import Tx
from enrollkit.store.events import NOBODY
from enrollkit.store.meta import Fact, find_text, forget_fact, keep_text

__all__ = ["begin_life", "closed_lives", "incarnation_of", "newest_rebirth"]


def begin_life(tx: Tx, incarnation: str, *, at: int) -> None:
    """Open a life of this device (16 hex digits) and close the one before, if any."""
    before = find_text(tx, Fact.INCARNATION)
    tx.execute("UPDATE lives SET closed_at = ? WHERE closed_at IS NULL", (at,))
    tx.execute("INSERT INTO lives (incarnation, begun_at) VALUES (?, ?)", (incarnation, at))
    keep_text(tx, Fact.INCARNATION, incarnation)
    # The new life's server half may lie elsewhere: it is told the clocks once more.
    forget_fact(tx, Fact.CLOCK)
    if before is not None:
        append_audit(tx, at=at, operator=NOBODY, action="device.new-life")


def incarnation_of(tx: Tx) -> str:
    """Give which life of this device is writing; ``NotInitialised`` before the first."""
    incarnation = find_text(tx, Fact.INCARNATION)
    if incarnation is None:
        raise NotInitialised("no incarnation")
    return incarnation


def closed_lives(tx: Tx) -> list[str]:
    """Give the closed lives, oldest first, that have a batch which is not durable yet."""
    rows = tx.execute(
        "SELECT incarnation FROM lives WHERE closed_at IS NOT NULL AND EXISTS (SELECT 1 FROM "
        "batches b WHERE b.incarnation = lives.incarnation AND b.durable = 0) ORDER BY n"
    )
    return [str(incarnation) for (incarnation,) in rows.fetchall()]


def newest_rebirth(tx: Tx) -> int | None:
    """Give when the newest life began, unless it is the first."""
    began, lives = tx.execute("SELECT max(begun_at), count(*) FROM lives").fetchone()
    return int(began) if lives > 1 else None
