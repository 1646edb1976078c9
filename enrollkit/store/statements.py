"""Where everybody is at the end of a day: counted in groups, each person and link in exactly one.

In this order: *returned* (the server refused the newest word, or the office sent it back); *not
signed for* (no verified receipt for the newest word: on the newest stick that carries it, or on
this laptop alone); *withdrawn*; *signed for*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from enrollkit.store.audit import audit_head
from enrollkit.store.batches import chain_head
from enrollkit.store.database import Tx
from enrollkit.store.lives import incarnation_of

__all__ = ["StoredGroup", "StoredStatement", "StoredStick", "read_statement"]

_GROUPS: Final = """
    SELECT CASE
            WHEN r.state = 'RETURNED' OR o.verdict = 'rejected' THEN 'returned'
            WHEN o.verdict IS NULL THEN 'unsigned'
            WHEN r.state IN ('WITHDRAWN', 'REMOVED') THEN 'withdrawn'
            ELSE 'signed' END AS place,
        CASE WHEN o.verdict IS NULL AND o.batch IS NOT NULL THEN (
            SELECT max(b.n) FROM bundles b WHERE b.written_at IS NOT NULL
            AND b.incarnation = o.incarnation AND o.batch BETWEEN b.first AND b.last) END AS stick,
        o.verdict IS 'held' AND r.held = 1 AS is_held,
        coalesce(t.durable, 0) AS is_durable,
        count(*)
    FROM {table} r
    LEFT JOIN operations o ON o.record = r.id AND o.seq = r.newest_seq
    LEFT JOIN batches t ON t.incarnation = o.incarnation AND t.number = o.batch
    WHERE r.saved_at >= ? AND r.saved_at < ?
    GROUP BY 1, 2, 3, 4"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredGroup:
    """How many stand alike: ``place`` is ``returned``, ``unsigned``, ``withdrawn`` or ``signed``.

    ``stick`` is the number of the newest stick that carries an unsigned one; ``None``: none does.
    """

    place: str
    stick: int | None
    is_held: bool
    is_durable: bool
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStick:
    """A stick's number, the file's name, and when it was verified there."""

    n: int
    name: str
    written_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStatement:
    """One view of the data. The totals are counted by themselves, so that sums can be checked."""

    people: int
    people_groups: tuple[StoredGroup, ...]
    links: int
    links_groups: tuple[StoredGroup, ...]
    sticks: tuple[StoredStick, ...]
    drafts: int
    camps: tuple[str, ...]
    incarnation: str
    chain_number: int
    chain_digest: bytes
    audit_head: bytes


def read_statement(tx: Tx, *, since: int, until: int) -> StoredStatement:
    """Count those who were saved from ``since`` to before ``until`` (seconds since 1970 UTC)."""
    incarnation = incarnation_of(tx)
    number, digest = chain_head(tx, incarnation)
    span = (since, until)
    sticks = tx.execute(
        "SELECT n, name, written_at FROM bundles WHERE written_at IS NOT NULL ORDER BY n"
    ).fetchall()
    camps = tx.execute(
        "SELECT DISTINCT camp FROM enrollments WHERE camp <> '' AND saved_at >= ? "
        "AND saved_at < ? ORDER BY camp",
        span,
    ).fetchall()
    return StoredStatement(
        people=_total(tx, "enrollments", span),
        people_groups=_groups(tx, "enrollments", span),
        links=_total(tx, "links", span),
        links_groups=_groups(tx, "links", span),
        sticks=tuple(
            StoredStick(n=n, name=name, written_at=written_at) for n, name, written_at in sticks
        ),
        drafts=int(tx.execute("SELECT count(*) FROM drafts").fetchone()[0]),
        camps=tuple(str(camp) for (camp,) in camps),
        incarnation=incarnation,
        chain_number=number,
        chain_digest=digest,
        audit_head=audit_head(tx),
    )


def _total(tx: Tx, table: str, span: tuple[int, int]) -> int:
    row = tx.execute(
        f"SELECT count(*) FROM {table} WHERE saved_at >= ? AND saved_at < ?",  # noqa: S608 - one of our two tables
        span,
    ).fetchone()
    return int(row[0])


def _groups(tx: Tx, table: str, span: tuple[int, int]) -> tuple[StoredGroup, ...]:
    rows = tx.execute(_GROUPS.format(table=table), span).fetchall()
    return tuple(
        StoredGroup(
            place=place,
            stick=stick,
            is_held=bool(is_held),
            is_durable=bool(is_durable),
            count=count,
        )
        for place, stick, is_held, is_durable, count in rows
    )
