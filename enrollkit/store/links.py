"""Record links of the enrolled people: one per care context of a person at a facility."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from enrollkit.domain.record_link import LinkState, RecordLink, link_may_become
from enrollkit.errors import RecordNotFound
from enrollkit.store.database import Tx
from enrollkit.store.events import NOBODY, note_event

__all__ = [
    "StoredLink",
    "free_reference",
    "get_link",
    "insert_link",
    "link_state_of",
    "links_of",
    "list_unsettled_links",
    "mark_link_held",
    "release_link_held",
    "set_link_state",
]

_COLUMNS: Final = (
    "id, body, state, reason_code, reason_pointer, held, saved_at, operator, newest_seq"
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StoredLink:
    """A record link and where it stands."""

    link: RecordLink
    state: LinkState
    reason_code: str | None
    reason_pointer: str | None
    held: bool
    saved_at: int
    operator: int
    newest_seq: int

    def __repr__(self) -> str:
        return f"StoredLink({self.link.id}, {self.state.value}, <withheld>)"


def insert_link(tx: Tx, link: RecordLink, *, saved_at: int, operator: int) -> str | None:
    """Save a link as SUBMITTED and give ``None``.

    When the person has one with this reference at this facility already, nothing is saved and
    that one's id is given.
    """
    cursor = tx.execute(
        "INSERT INTO links (id, enrollment, body, facility, reference, state, saved_at, operator) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (enrollment, facility, reference) DO NOTHING",
        (
            link.id, link.enrollment,
            json.dumps(link.body(), ensure_ascii=False, separators=(",", ":")),
            link.facility, link.reference, LinkState.SUBMITTED.value, saved_at, operator,
        ),
    )  # fmt: skip
    if cursor.rowcount == 1:
        note_event(tx, link.id, at=saved_at, what="submitted", operator=operator)
        note_event(
            tx, link.enrollment, at=saved_at, what="link-added", operator=operator, detail=link.id
        )
        return None
    row = tx.execute(
        "SELECT id FROM links WHERE enrollment = ? AND facility = ? AND reference = ?",
        (link.enrollment, link.facility, link.reference),
    ).fetchone()
    return str(row[0])


def get_link(tx: Tx, link_id: str) -> StoredLink:
    """Give one link by its id; ``RecordNotFound`` if there is none."""
    found = _select(tx, "WHERE id = ?", link_id)
    if not found:
        raise RecordNotFound
    return found[0]


def links_of(tx: Tx, enrollment: str) -> list[StoredLink]:
    """Give a person's links in the order in which they were saved."""
    return _select(tx, "WHERE enrollment = ? ORDER BY n", enrollment)


def list_unsettled_links(tx: Tx) -> list[tuple[StoredLink, str]]:
    """Give links that came home or that the office holds back, each with its person's name."""
    rows = tx.execute(
        "SELECT l.id, json_extract(e.body, '$.name') FROM links l "
        "JOIN enrollments e ON e.id = l.enrollment "
        "WHERE l.state = ? OR l.held = 1 ORDER BY l.n DESC",
        (LinkState.RETURNED.value,),
    ).fetchall()
    return [(get_link(tx, link_id), str(name)) for link_id, name in rows]


def link_state_of(tx: Tx, link_id: str) -> LinkState | None:
    """Give the state of a link; ``None`` if this laptop has no such link."""
    row = tx.execute("SELECT state FROM links WHERE id = ?", (link_id,)).fetchone()
    return None if row is None else LinkState(row[0])


def mark_link_held(tx: Tx, link_id: str, *, at: int, code: str, pointer: str) -> None:
    """Note that the server signed for it but holds it back, and why; the state stays."""
    tx.execute(
        "UPDATE links SET held = 1, reason_code = ?, reason_pointer = ? WHERE id = ?",
        (code, pointer, link_id),
    )
    note_event(tx, link_id, at=at, what="held", detail=code)


def release_link_held(tx: Tx, link_id: str) -> None:
    """Note that the server holds it back no more."""
    tx.execute(
        "UPDATE links SET held = 0, reason_code = NULL, reason_pointer = NULL WHERE id = ?",
        (link_id,),
    )


def free_reference(tx: Tx, link_id: str) -> None:
    """Let the reference of a removed link be linked again: the index knows it by its id now."""
    tx.execute("UPDATE links SET reference = id WHERE id = ?", (link_id,))


def set_link_state(
    tx: Tx,
    link_id: str,
    state: LinkState,
    *,
    at: int,
    what: str,
    operator: int = NOBODY,
    code: str | None = None,
    pointer: str | None = None,
) -> None:
    """Take one allowed step and note it; ``ValueError`` for another."""
    now = link_state_of(tx, link_id)
    if now is None or not link_may_become(now, state):
        raise ValueError(f"{now} -> {state}")
    tx.execute(
        "UPDATE links SET state = ?, reason_code = ?, reason_pointer = ?, held = 0 WHERE id = ?",
        (state.value, code, pointer, link_id),
    )
    note_event(tx, link_id, at=at, what=what, operator=operator, detail=code or "")


def _select(tx: Tx, where: str, parameter: str) -> list[StoredLink]:
    rows = tx.execute(f"SELECT {_COLUMNS} FROM links {where}", (parameter,)).fetchall()  # noqa: S608 - both parts are ours
    return [_stored(row) for row in rows]


def _stored(row: Any) -> StoredLink:
    link_id, body, state, code, pointer, held, saved_at, operator, newest_seq = row
    return StoredLink(
        link=RecordLink.from_body(json.loads(body), record_id=link_id),
        state=LinkState(state),
        reason_code=code,
        reason_pointer=pointer,
        held=bool(held),
        saved_at=saved_at,
        operator=operator,
        newest_seq=newest_seq,
    )
