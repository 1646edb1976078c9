"""What a verified receipt changes: the only door to *signed for*."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from enrollkit.domain.enrollment import State, may_become
from enrollkit.domain.record_link import LinkState, link_may_become
from enrollkit.store.audit import append_audit
from enrollkit.store.batches import mark_durable
from enrollkit.store.database import Tx
from enrollkit.store.enrollments import mark_held, set_state, state_of
from enrollkit.store.events import NOBODY, note_event
from enrollkit.store.links import link_state_of, mark_link_held, set_link_state
from enrollkit.store.operations import ENROLLMENT_KINDS, LINK_KINDS
from sync.errors import ReceiptInvalid
from sync.ports import Tally
from sync.protocol import OperationKind, Outcome, Receipt, Verdict

__all__ = ["clean_code", "clean_pointer", "settle_receipt"]

_POINTER_CHARACTERS_MAX: Final = 200
_TAKEN: Final = {Outcome.ACCEPTED, Outcome.DUPLICATE}
_SETTLING: Final = {
    OperationKind.ENROLLMENT_SUBMIT, OperationKind.ENROLLMENT_AMEND, OperationKind.LINK_ADD,
}  # fmt: skip
"""Kinds whose verdict is the record's own; a withdrawal's verdict is history only."""


def settle_receipt(tx: Tx, receipt: Receipt, raw: bytes, *, at: int) -> Tally:
    """Check a receipt against its batch and apply it once; ``ReceiptInvalid`` if it does not fit.

    A second receipt for the same batch moves the durable mark and nothing else.
    """
    where = (receipt.incarnation, receipt.batch)
    row = tx.execute(
        "SELECT digest, count, receipted_at FROM batches WHERE incarnation = ? AND number = ?",
        where,
    ).fetchone()
    if row is None:
        raise ReceiptInvalid("receipt for a batch that was never made here")
    digest, count, receipted_at = row
    if bytes(digest) != receipt.digest:
        raise ReceiptInvalid("receipt for other bytes")
    if len(receipt.verdicts) != count:
        raise ReceiptInvalid(f"{len(receipt.verdicts)} verdicts for {count} operations")
    tally = Tally()
    if receipted_at is None:
        tx.execute(
            "UPDATE batches SET receipt = ?, receipted_at = ?, epoch = ? "
            "WHERE incarnation = ? AND number = ?",
            (raw, at, receipt.epoch, *where),
        )
        tally = _apply_verdicts(tx, receipt, at=at)
        # The batch's id has the shape of a record id without being one.
        batch = f"{receipt.incarnation}{receipt.batch:016x}"
        append_audit(tx, at=at, operator=NOBODY, action="receipt.applied", record=batch)
    mark_durable(tx, receipt.incarnation, receipt.durable_upto)
    return tally


def clean_code(code: str) -> str:
    """Give a code that is safe to keep and show; anything else is ``unspecified``."""
    return code if re.fullmatch(r"[a-z0-9:_-]{1,60}", code) else "unspecified"


def clean_pointer(pointer: str) -> str:
    """Give a JSON Pointer of sane length, or the whole record's."""
    sane = len(pointer) <= _POINTER_CHARACTERS_MAX and pointer.isprintable()
    return pointer if sane else ""


def _apply_verdicts(tx: Tx, receipt: Receipt, *, at: int) -> Tally:
    told: Counter[str] = Counter()
    rows = tx.execute(
        "SELECT seq, record, kind FROM operations WHERE incarnation = ? AND batch = ? ORDER BY seq",
        (receipt.incarnation, receipt.batch),
    ).fetchall()
    for (seq, record, kind), verdict in zip(rows, receipt.verdicts, strict=True):
        tx.execute(
            "UPDATE operations SET verdict = ?, code = ?, pointer = ? WHERE seq = ?",
            (verdict.outcome.value, verdict.code, verdict.pointer, seq),
        )
        _settle(tx, seq, record, kind, verdict, at=at)
        if kind in ENROLLMENT_KINDS | LINK_KINDS:
            told[verdict.outcome.value] += 1
    return Tally(**told)


def _settle(tx: Tx, seq: int, record: str, kind: str, verdict: Verdict, *, at: int) -> None:
    if kind not in ENROLLMENT_KINDS | LINK_KINDS:
        return
    table = "enrollments" if kind in ENROLLMENT_KINDS else "links"
    row = tx.execute(f"SELECT newest_seq FROM {table} WHERE id = ?", (record,)).fetchone()  # noqa: S608 - one of our two tables
    if row is None or row[0] != seq or kind not in _SETTLING:
        # The word is about an older version, or about no state; it is history.
        what = f"{verdict.outcome.value}-earlier"
        note_event(tx, record, at=at, what=what, detail=_cleaned(verdict)[1])
        return
    _settle_newest(tx, _PEOPLE if kind in ENROLLMENT_KINDS else _LINKS, record, verdict, at=at)


def _settle_newest(tx: Tx, records: _Records, record: str, verdict: Verdict, *, at: int) -> None:
    outcome, code, pointer = _cleaned(verdict)
    if outcome is Outcome.HELD:
        records.step(tx, record, "SENT", at=at, what="sent")
        records.hold(tx, record, at=at, code=code, pointer=pointer)
        return
    if outcome in _TAKEN:
        taken = records.step(tx, record, "ACCEPTED", at=at, what=outcome.value)
    else:
        why = {"code": code or "unspecified", "pointer": pointer}
        taken = records.step(tx, record, "RETURNED", at=at, what="returned", **why)
    if not taken:
        # A verdict that the state table has no step for is kept as history.
        note_event(tx, record, at=at, what=f"{outcome.value}-late")


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


_PEOPLE: Final = _Records(step=_step_person, hold=mark_held)
_LINKS: Final = _Records(step=_step_link, hold=mark_link_held)


def _cleaned(verdict: Verdict) -> tuple[Outcome, str, str]:
    code = clean_code(verdict.code) if verdict.code else ""
    return verdict.outcome, code, clean_pointer(verdict.pointer)
