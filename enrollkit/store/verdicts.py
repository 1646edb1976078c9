"""What the server's word on one operation does to its record, by receipt or by later news."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from enrollkit.domain.enrollment import State, may_become
from enrollkit.domain.record_link import LinkState, link_may_become
from enrollkit.store.database import Tx
from enrollkit.store.enrollments import mark_held, release_held, set_state, state_of
from enrollkit.store.events import note_event
from enrollkit.store.links import (
    link_state_of,
    mark_link_held,
    release_link_held,
    set_link_state,
)
from enrollkit.store.operations import ENROLLMENT_KINDS, LINK_KINDS
from enrollkit.store.other_values import drop_other_values, has_other_values
from sync.protocol import OperationKind, Outcome, Verdict

__all__ = ["clean_code", "clean_pointer", "settle_operation"]

_POINTER_CHARACTERS_MAX: Final = 200
_CODE_CHARACTERS_MAX: Final = 60
_CODE: Final = re.compile(r"[a-z0-9:_-]+( [A-Za-z0-9:._-]+)?")
_TAKEN: Final = {Outcome.ACCEPTED, Outcome.DUPLICATE}
_ENDING: Final = {OperationKind.ENROLLMENT_WITHDRAW, OperationKind.LINK_REMOVE}
"""Kinds that ended the record here the moment they were saved; no verdict brings it back."""


def settle_operation(
    tx: Tx, seq: int, record: str, kind: str, verdict: Verdict, *, at: int, is_later: bool = False
) -> None:
    """Write the server's verdict down and move the record; the newest word decides.

    ``is_later``: another verdict stood there before (the office decided what was held), so that
    it also settles what came back meanwhile.
    """
    tx.execute(
        "UPDATE operations SET verdict = ?, code = ?, pointer = ? WHERE seq = ?",
        (verdict.outcome.value, verdict.code, verdict.pointer, seq),
    )
    if kind not in ENROLLMENT_KINDS | LINK_KINDS:
        return
    records = _PEOPLE if kind in ENROLLMENT_KINDS else _LINKS
    outcome, code, pointer = _cleaned(verdict)
    row = tx.execute(records.newest, (record,)).fetchone()
    if row is None or row[0] != seq:
        # The word is about an older version; it is history.
        note_event(tx, record, at=at, what=f"{outcome.value}-earlier", detail=code)
    elif kind in _ENDING:
        _settle_end(tx, records, record, (outcome, code, pointer), at=at)
    else:
        _settle_newest(tx, records, record, (outcome, code, pointer), at=at, is_later=is_later)


def clean_code(code: str) -> str:
    """Give a code that is safe to keep and show; anything else is ``unspecified``.

    After a blank stands a code of ABDM's own, as ABDM writes it: ``abdm:unknown ABDM-4711``.
    """
    sane = len(code) <= _CODE_CHARACTERS_MAX and _CODE.fullmatch(code)
    return code if sane else "unspecified"


def clean_pointer(pointer: str) -> str:
    """Give a JSON Pointer of sane length, or the whole record's."""
    sane = len(pointer) <= _POINTER_CHARACTERS_MAX and pointer.isprintable()
    return pointer if sane else ""


def _settle_newest(
    tx: Tx,
    records: _Records,
    record: str,
    word: tuple[Outcome, str, str],
    *,
    at: int,
    is_later: bool,
) -> None:
    outcome, code, pointer = word
    if outcome is Outcome.HELD:
        records.step(tx, record, "SENT", at=at, what="sent")
        if records.is_returned(tx, record):
            # Why it came back is more than that it waits.
            note_event(tx, record, at=at, what="held", detail=code)
        else:
            records.hold(tx, record, at=at, code=code, pointer=pointer)
        return
    if outcome in _TAKEN:
        settles = is_later or has_other_values(tx, record) or not records.is_returned(tx, record)
        taken = settles and records.step(tx, record, "ACCEPTED", at=at, what=outcome.value)
        if taken:
            drop_other_values(tx, record)
    else:
        why = {"code": code or "unspecified", "pointer": pointer}
        taken = records.step(tx, record, "RETURNED", at=at, what="returned", **why)
    if not taken:
        # A verdict that the state table has no step for is kept as history.
        note_event(tx, record, at=at, what=f"{outcome.value}-late", detail=code)


def _settle_end(
    tx: Tx, records: _Records, record: str, word: tuple[Outcome, str, str], *, at: int
) -> None:
    """A withdrawal, or a link taken away: done here in any case; what the server says is shown."""
    outcome, code, pointer = word
    if outcome in _TAKEN:
        records.release(tx, record)
        note_event(tx, record, at=at, what="end-signed")
    else:
        records.hold(tx, record, at=at, code=code or "unspecified", pointer=pointer)


def _step_person(tx: Tx, record: str, state: str, **noted: Any) -> bool:
    """Take a step if the state table has it; say whether it was taken."""
    now = state_of(tx, record)
    if now is None or not may_become(now, State(state)):
        return False
    set_state(tx, record, State(state), **noted)
    return True


def _step_link(tx: Tx, record: str, state: str, **noted: Any) -> bool:
    """Take a step if the links' table has it; say whether it was taken."""
    now = link_state_of(tx, record)
    if now is None or not link_may_become(now, LinkState(state)):
        return False
    set_link_state(tx, record, LinkState(state), **noted)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Records:
    """How the state of a person, or of a link, is changed; the names of the states are the same."""

    step: Callable[..., bool]
    hold: Callable[..., None]
    release: Callable[[Tx, str], None]
    is_returned: Callable[[Tx, str], bool]
    newest: str


_PEOPLE: Final = _Records(
    step=_step_person,
    hold=mark_held,
    release=release_held,
    is_returned=lambda tx, record: state_of(tx, record) is State.RETURNED,
    newest="SELECT newest_seq FROM enrollments WHERE id = ?",
)
_LINKS: Final = _Records(
    step=_step_link,
    hold=mark_link_held,
    release=release_link_held,
    is_returned=lambda tx, record: link_state_of(tx, record) is LinkState.RETURNED,
    newest="SELECT newest_seq FROM links WHERE id = ?",
)


def _cleaned(verdict: Verdict) -> tuple[Outcome, str, str]:
    code = clean_code(verdict.code) if verdict.code else ""
    return verdict.outcome, code, clean_pointer(verdict.pointer)
