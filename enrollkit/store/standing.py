"""How it stands: counts of people, each of which can be shown to be so.

``total = waiting + signed_for + refused``: every person's newest operation has either no receipt,
or a receipt that takes or keeps it, or one that refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from enrollkit.domain.enrollment import State
from enrollkit.domain.record_link import LinkState
from enrollkit.store.database import Tx
from enrollkit.store.enrollments import counts_by_state

__all__ = ["StoredStanding", "standing"]

_WORDS: Final = """
    SELECT count(*) FILTER (WHERE o.verdict IS NULL),
        count(*) FILTER (WHERE o.verdict <> 'rejected'),
        count(*) FILTER (WHERE o.verdict = 'rejected'),
        count(*) FILTER (WHERE o.verdict = 'held' AND e.held = 1),
        count(*) FILTER (WHERE o.verdict <> 'rejected' AND b.durable = 1)
    FROM enrollments e INDEXED BY enrollments_by_word
    LEFT JOIN operations o INDEXED BY operations_by_record
        ON o.record = e.id AND o.seq = e.newest_seq
    LEFT JOIN batches b ON b.incarnation = o.incarnation AND b.number = o.batch"""
_LINKS_WAITING: Final = (
    "links l LEFT JOIN operations o ON o.record = l.id AND o.seq = l.newest_seq "
    "WHERE o.verdict IS NULL"
)


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
    links_returned: int
    signed_for: int
    refused: int
    held: int
    durable: int
    returned: int
    last_receipt_at: int | None


def standing(tx: Tx, *, today_since: int) -> StoredStanding:
    """Count, in one view of the data."""
    by_state = counts_by_state(tx)
    waiting, signed_for, refused, held, durable = tx.execute(_WORDS).fetchone()
    return StoredStanding(
        total=sum(by_state.values()),
        by_state=by_state,
        today=_count(tx, "enrollments WHERE saved_at >= ?", today_since),
        drafts=_count(tx, "drafts"),
        waiting=waiting,
        links=_count(tx, "links"),
        links_waiting=_count(tx, _LINKS_WAITING),
        links_returned=_count(tx, "links WHERE state = ?", LinkState.RETURNED.value),
        signed_for=signed_for,
        refused=refused,
        held=held,
        durable=durable,
        returned=by_state.get(State.RETURNED, 0),
        last_receipt_at=tx.execute("SELECT max(receipted_at) FROM batches").fetchone()[0],
    )


def _count(tx: Tx, what: str, *parameters: Any) -> int:
    return int(tx.execute(f"SELECT count(*) FROM {what}", parameters).fetchone()[0])  # noqa: S608 - our own text
