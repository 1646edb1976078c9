"""How it stands: counts of people, each of which can be shown to be so.

``total = waiting + signed_for + refused``: every person's newest operation has either no receipt,
or a receipt that takes or keeps it, or one that refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from enrollkit.domain.enrollment import State
from enrollkit.store.database import Tx
from enrollkit.store.enrollments import counts_by_state
from enrollkit.store.meta import Fact, find_text

__all__ = ["StoredStanding", "standing"]

_NEWEST: Final = "enrollments e LEFT JOIN operations o ON o.seq = e.newest_seq"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStanding:
    """Counts of people unless the name says otherwise.

    ``waiting``: the newest word about them has no verified receipt. ``signed_for``: it has one
    that does not refuse it; ``durable``: and lies in a verified backup of the server; ``held``:
    and the server holds it back. ``refused``: its receipt refuses it. ``returned``: to be
    corrected, whoever said so. ``today``: saved since the instant that was asked with.
    """

    total: int
    by_state: Mapping[State, int]
    today: int
    drafts: int
    waiting: int
    links: int
    links_waiting: int
    signed_for: int
    refused: int
    held: int
    durable: int
    returned: int
    last_receipt_at: int | None
    camp: str | None


def standing(tx: Tx, *, today_since: int) -> StoredStanding:
    """Count, in one view of the data."""
    by_state = counts_by_state(tx)
    return StoredStanding(
        total=sum(by_state.values()),
        by_state=by_state,
        today=_count(tx, "enrollments WHERE saved_at >= ?", today_since),
        drafts=_count(tx, "drafts"),
        waiting=_count(tx, f"{_NEWEST} WHERE o.verdict IS NULL"),
        links=_count(tx, "links"),
        links_waiting=_count(
            tx, "links l LEFT JOIN operations o ON o.seq = l.newest_seq WHERE o.verdict IS NULL"
        ),
        signed_for=_count(tx, f"{_NEWEST} WHERE o.verdict <> 'rejected'"),
        refused=_count(tx, f"{_NEWEST} WHERE o.verdict = 'rejected'"),
        held=_count(tx, f"{_NEWEST} WHERE o.verdict = 'held' AND e.held = 1"),
        durable=_count(
            tx,
            f"{_NEWEST} JOIN batches b ON b.incarnation = o.incarnation AND b.number = o.batch "
            "WHERE o.verdict <> 'rejected' AND b.durable = 1",
        ),
        returned=by_state.get(State.RETURNED, 0),
        last_receipt_at=tx.execute("SELECT max(receipted_at) FROM batches").fetchone()[0],
        camp=find_text(tx, Fact.CAMP),
    )


def _count(tx: Tx, what: str, *parameters: Any) -> int:
    return int(tx.execute(f"SELECT count(*) FROM {what}", parameters).fetchone()[0])  # noqa: S608 - our own text
