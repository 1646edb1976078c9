"""What one piece of news changes. News that cannot be so is kept as history, never a crash."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import schemas
from enrollkit.domain.enrollment import State, may_become
from enrollkit.domain.record_link import LinkState, link_may_become
from enrollkit.store.audit import append_audit
from enrollkit.store.database import Tx
from enrollkit.store.enrollments import issue_number, renew_reason, set_state, state_of
from enrollkit.store.events import NOBODY, note_event
from enrollkit.store.links import link_state_of, set_link_state
from enrollkit.store.meta import Fact, keep_text
from enrollkit.store.office import apply_correction, apply_later_verdict
from enrollkit.store.other_values import has_other_values
from enrollkit.store.programmes import keep_programme
from enrollkit.store.verdicts import clean_code, clean_pointer
from schemas.formats import is_abha_address, is_abha_number
from sync.errors import SyncError
from sync.programme import Programme
from sync.protocol import DeviceState, FeedEntry, FeedKind

__all__ = ["ProgrammeCheck", "apply_news"]

ProgrammeCheck: TypeAlias = Callable[[bytes], Programme]
"""Verifies the bytes of a programme file, or raises :class:`sync.errors.SyncError`."""

APPLIED: Final = "applied"
UNKNOWN_KIND: Final = "unknown-kind"
MALFORMED: Final = "malformed"
UNKNOWN_RECORD: Final = "unknown-record"
IMPOSSIBLE: Final = "impossible"
SUPERSEDED: Final = "superseded"
REFUSED: Final = "refused"
KEPT: Final = "kept"

_STATE_OF_KIND: Final[Mapping[str, State]] = {
    FeedKind.ABHA_ISSUED: State.ISSUED,
    FeedKind.ENROLLMENT_RETURNED: State.RETURNED,
    FeedKind.ENROLLMENT_DUPLICATE: State.DUPLICATE,
    FeedKind.NEEDS_PERSON: State.NEEDS_PERSON,
}
_LINK_STATE_OF_KIND: Final[Mapping[str, LinkState]] = {
    FeedKind.LINK_LINKED: LinkState.LINKED,
    FeedKind.LINK_RETURNED: LinkState.RETURNED,
}
_WHAT_OF_STATE: Final[Mapping[State, str]] = {
    State.ISSUED: "issued",
    State.RETURNED: "returned",
    State.DUPLICATE: "duplicate-found",
    State.NEEDS_PERSON: "needs-person",
}


def apply_news(tx: Tx, entry: FeedEntry, *, programme: ProgrammeCheck, at: int) -> str:
    """Apply one entry and give a code for what became of it.

    ``applied``; ``kept`` (history only); ``unknown-kind`` (of a newer server); ``malformed``;
    ``unknown-record``; ``impossible`` (no such step in the state table); ``superseded`` (about a
    version that has been corrected since); ``refused`` (a programme that does not verify).
    """
    if entry.kind not in set(FeedKind):
        return UNKNOWN_KIND
    if not _is_shaped(entry):
        return MALFORMED
    if entry.kind in _STATE_OF_KIND:
        return _apply_to_person(tx, entry, _STATE_OF_KIND[entry.kind], at)
    if entry.kind in _LINK_STATE_OF_KIND:
        return _apply_to_link(tx, entry, _LINK_STATE_OF_KIND[entry.kind], at)
    if entry.kind == FeedKind.PROGRAMME_UPDATED:
        return _apply_programme(tx, entry, programme, at)
    if entry.kind == FeedKind.DEVICE_REVOKED:
        keep_text(tx, Fact.DEVICE_STATE, DeviceState.REVOKED.value)
        append_audit(tx, at=at, operator=NOBODY, action="device.revoked")
        return APPLIED
    if entry.kind == FeedKind.VERDICT_CHANGED:
        return APPLIED if apply_later_verdict(tx, entry, at=at) else UNKNOWN_RECORD
    done = apply_correction(tx, entry, at=at)
    if done is None:
        return UNKNOWN_RECORD
    return APPLIED if done else IMPOSSIBLE


def _is_shaped(entry: FeedEntry) -> bool:
    value = {
        "seq": entry.seq,
        "id": entry.id,
        "kind": entry.kind,
        "at": entry.at,
        "body": dict(entry.body),
    }
    if entry.record is not None:
        value["record"] = entry.record
    return schemas.validator("feed-entry-1").is_valid(value)


def _apply_to_person(tx: Tx, entry: FeedEntry, state: State, at: int) -> str:
    record = entry.record or ""
    now = state_of(tx, record)
    if now is None:
        return UNKNOWN_RECORD
    what = _WHAT_OF_STATE[state]
    if state is not State.ISSUED and _is_corrected_since(tx, record):
        note_event(tx, record, at=entry.at, what=f"{what}-earlier")
        return SUPERSEDED
    # The programme signed the news, so it has the record, even if its receipt is still on the way.
    implied = now in {State.SUBMITTED, State.SENT} and not may_become(now, state)
    if not may_become(State.ACCEPTED if implied else now, state) and now is not state:
        note_event(tx, record, at=entry.at, what=f"{what}-late")
        return IMPOSSIBLE
    _take_number(tx, record, entry.body)
    if implied:
        set_state(tx, record, State.ACCEPTED, at=entry.at, what="accepted")
    if now is not state:
        code, pointer = _reason(entry, state)
        call_at = _call_at(entry, state)
        set_state(
            tx, record, state, at=entry.at, what=what, code=code, pointer=pointer, call_at=call_at
        )
    else:
        _renew(tx, entry, state)
    append_audit(tx, at=at, operator=NOBODY, action=f"news.{what}", record=record)
    return APPLIED


def _is_corrected_since(tx: Tx, record: str) -> bool:
    """Whether a later version of the record waits for its own receipt."""
    row = tx.execute(
        "SELECT count(*), sum(verdict IS NULL AND seq = "
        "(SELECT newest_seq FROM enrollments WHERE id = ?1)) FROM operations WHERE record = ?1",
        (record,),
    ).fetchone()
    return row[0] > 1 and bool(row[1])


def _take_number(tx: Tx, record: str, body: Mapping[str, Any]) -> None:
    number, address = body.get("abha_number"), body.get("abha_address")
    if not isinstance(number, str) or not is_abha_number(number):
        return
    if not isinstance(address, str) or not is_abha_address(address):
        address = None
    issue_number(tx, record, abha_number=number, abha_address=address)


def _reason(entry: FeedEntry, state: State) -> tuple[str | None, str | None]:
    if state is State.ISSUED:
        return None, None
    code, pointer = entry.body.get("code"), entry.body.get("pointer")
    return (
        clean_code(code) if isinstance(code, str) else _WHAT_OF_STATE[state],
        clean_pointer(pointer) if isinstance(pointer, str) else "",
    )


def _call_at(entry: FeedEntry, state: State) -> int | None:
    call_at = entry.body.get("call_at")
    return call_at if state is State.NEEDS_PERSON and isinstance(call_at, int) else None


def _renew(tx: Tx, entry: FeedEntry, state: State) -> None:
    """Take another reason for the same state; two values to choose from outweigh all others."""
    record = entry.record or ""
    code, pointer = _reason(entry, state)
    if code and "code" in entry.body and not has_other_values(tx, record):
        renew_reason(
            tx, record, at=entry.at, what=_WHAT_OF_STATE[state], code=code, pointer=pointer or "",
            call_at=_call_at(entry, state),
        )  # fmt: skip


def _apply_to_link(tx: Tx, entry: FeedEntry, state: LinkState, at: int) -> str:
    link, what = entry.record or "", state.value.lower()
    now = link_state_of(tx, link)
    if now is None:
        return UNKNOWN_RECORD
    if now is state:
        return APPLIED
    if not link_may_become(now, state):
        note_event(tx, link, at=entry.at, what=f"{what}-late")
        return IMPOSSIBLE
    code, pointer = entry.body.get("code"), entry.body.get("pointer", "")
    if state is LinkState.RETURNED:
        code, pointer = clean_code(str(code)), clean_pointer(str(pointer))
        set_link_state(tx, link, state, at=entry.at, what=what, code=code, pointer=pointer)
    else:
        set_link_state(tx, link, state, at=entry.at, what=what)
    append_audit(tx, at=at, operator=NOBODY, action=f"news.{what}", record=link)
    return APPLIED


def _apply_programme(tx: Tx, entry: FeedEntry, check: ProgrammeCheck, at: int) -> str:
    try:
        raw = base64.b64decode(entry.body["programme"], validate=True)
        serial = check(raw).serial
    except (binascii.Error, ValueError, KeyError, TypeError, SyncError):
        append_audit(tx, at=at, operator=NOBODY, action="programme.refused")
        return REFUSED
    if not keep_programme(tx, raw, serial, at=at):
        return KEPT
    append_audit(tx, at=at, operator=NOBODY, action="programme.updated")
    return APPLIED
