"""How far people are who are finished while present, and what was asked for them.

The front door writes down what a laptop asks for; the ABDM worker does it and writes down where
that leaves the person. Both read it here. Moments are milliseconds since 1970 UTC.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from sync.protocol import FinishAction, FinishRequest, FinishStage
from sync.server.store import insert_once
from sync.server.store.tables import enrollments, finish_steps, finishes

__all__ = [
    "FITTING",
    "Finish",
    "add_refused",
    "add_step",
    "as_it_stands",
    "end_step",
    "find_step",
    "find_subject",
    "is_stale",
    "keep_finish",
    "open_step",
    "read_finish",
]

CODE_MS: Final = 600_000
"""How long a code is good for (NHA, M1)."""
STALE_MS: Final = 120_000
"""A step that nobody did in that time is done no more: the person may have gone."""

_REFUSED: Final = "refused"
"""Stands in the place of the action in steps that were not done; such are no codes sent."""

_RECORD_DIGITS: Final = 32

_BEFORE_NUMBER: Final = frozenset({FinishStage.READY, FinishStage.CODE_SENT, FinishStage.REFUSED})
_MOBILE: Final = frozenset({FinishStage.MOBILE, FinishStage.MOBILE_SENT})
_AFTER_NUMBER: Final = _MOBILE | {FinishStage.ADDRESS}

FITTING: Final = {
    FinishAction.SEND: _BEFORE_NUMBER,
    FinishAction.CODE: frozenset({FinishStage.CODE_SENT}),
    FinishAction.MOBILE_SEND: _MOBILE,
    FinishAction.MOBILE_CODE: frozenset({FinishStage.MOBILE_SENT}),
    FinishAction.MOBILE_SKIP: _MOBILE,
    FinishAction.ADDRESS: frozenset({FinishStage.ADDRESS}),
    FinishAction.ADDRESS_SKIP: frozenset({FinishStage.ADDRESS}),
}
"""At which stages each step makes sense; elsewhere it changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Finish:
    """Where one person stands.

    ``tries`` counts wrong codes. ``until`` is when ABDM's transaction runs out in which mobile and
    address are asked for. ``sender`` is the laptop that had the newest code sent, ``proven`` the
    one that brought the right code. ``secret`` is sealed to the vault. ``sends`` counts codes sent
    without a day's rest up to ``sent_at``, the last of them (:mod:`sync.server.sends`).
    """

    stage: FinishStage = FinishStage.READY
    code: str = ""
    pointer: str = ""
    hint: str = ""
    handles: tuple[str, ...] = ()
    tries: int = 0
    until: int = 0
    sender: str = ""
    proven: str = ""
    secret: bytes | None = field(default=None)
    sent_at: int = 0
    sends: int = 0

    def __repr__(self) -> str:
        return f"Finish({self.stage}, {self.code}, <withheld>)"


_APART: Final = frozenset({"stage", "secret", "sent_at", "sends"})
"""The fields that have a column of their own; the others stand in ``detail``."""


def read_finish(connection: Connection, record: str) -> Finish:
    """Give what was written down last; ``READY`` where nothing was.

    So it is where another release wrote what this one cannot read: it begins anew, but the codes
    that were sent stay counted. Single fields that this one does not know are left out.
    """
    mine = select(finishes).where(finishes.c.enrollment == record)
    row = connection.execute(mine).one_or_none()
    if row is None:
        return Finish()
    counted = {"sent_at": row.sent_at or 0, "sends": row.sends}
    try:
        stage, detail = FinishStage(row.stage), _known(json.loads(row.detail))
    except ValueError:
        return Finish(**counted)
    return Finish(stage=stage, secret=row.secret, **counted, **detail)


def _known(detail: Any) -> dict[str, Any]:
    """Give the fields that this release knows, where they are of the kind that it knows."""
    if not isinstance(detail, dict):
        raise ValueError("detail")  # noqa: TRY004 - as what json.loads raises
    plain = Finish()
    given = {
        each.name: detail[each.name]
        for each in fields(Finish)
        if each.name not in _APART and each.name in detail
    }
    handles = given.get("handles")
    if isinstance(handles, list):
        given["handles"] = tuple(handle for handle in handles if isinstance(handle, str))
    return {
        name: value for name, value in given.items() if type(value) is type(getattr(plain, name))
    }


def keep_finish(connection: Connection, record: str, finish: Finish, *, now: int) -> None:
    """Write down where a person stands."""
    values = asdict(finish)
    detail = {name: value for name, value in values.items() if name not in _APART}
    row = {
        "stage": finish.stage.value,
        "detail": json.dumps(detail, sort_keys=True),
        "secret": finish.secret,
        "sent_at": finish.sent_at or None,
        "sends": finish.sends,
        "changed_at": now,
    }
    if not insert_once(connection, finishes, {"enrollment": record, **row}):
        connection.execute(update(finishes).where(finishes.c.enrollment == record).values(row))


def as_it_stands(finish: Finish, *, has_number: bool, now: int) -> Finish:
    """Give where it stands now: codes and transactions run out, and numbers come by other roads."""
    stage = finish.stage
    if has_number and stage in _BEFORE_NUMBER:
        return Finish(stage=FinishStage.DONE, proven=finish.proven, sender=finish.sender)
    if stage in _AFTER_NUMBER and now >= finish.until:
        return replace(finish, stage=FinishStage.DONE, code="", pointer="", hint="", handles=())
    if stage is FinishStage.CODE_SENT and now >= finish.sent_at + CODE_MS:
        return replace(finish, stage=FinishStage.READY, code="otp:late", pointer="", hint="")
    return finish


def find_subject(connection: Connection, subject: str) -> tuple[str, str]:
    """Give the record that a subject names, and why it cannot be finished; both may be empty."""
    missing = _RECORD_DIGITS - len(subject)
    between = enrollments.c.enrollment.between(subject + "0" * missing, subject + "f" * missing)
    query = select(enrollments.c.enrollment, enrollments.c.state).where(between).limit(2)
    found = connection.execute(query).all()
    if not found:
        return "", "finish:unknown"
    if len(found) > 1:
        return "", "finish:ambiguous"
    code = "enrollment:withdrawn" if found[0].state == "WITHDRAWN" else ""
    return found[0].enrollment, code


def find_step(connection: Connection, record: str, nonce: bytes) -> Row[Any] | None:
    """Give a step by its nonce."""
    query = select(finish_steps).where(
        finish_steps.c.enrollment == record, finish_steps.c.nonce == nonce
    )
    return connection.execute(query).one_or_none()


def open_step(connection: Connection, record: str) -> Row[Any] | None:
    """Give the step that is not done yet; a person has one at most."""
    query = select(finish_steps).where(
        finish_steps.c.enrollment == record, finish_steps.c.done_at.is_(None)
    )
    return connection.execute(query.order_by(finish_steps.c.number).limit(1)).one_or_none()


def is_stale(step: Row[Any], *, now: int) -> bool:
    """Whether nobody does this step and nobody should any more."""
    return bool(now >= step.asked_at + STALE_MS and now >= step.claimed_until)


def add_step(connection: Connection, record: str, request: FinishRequest, *, now: int) -> None:
    """Write down what a laptop asks for; the person's row is locked."""
    step = {"action": request.action.value, "sealed": request.sealed, "done_at": None}
    _add(connection, record, request, step, now)


def add_refused(connection: Connection, record: str, request: FinishRequest, *, now: int) -> None:
    """Write the nonce of a step down that is not done, so that it never is."""
    step = {"action": _REFUSED, "sealed": None, "done_at": now}
    _add(connection, record, request, step, now)


def _add(
    connection: Connection, record: str, request: FinishRequest, step: dict[str, Any], now: int
) -> None:
    newest = select(func.coalesce(func.max(finish_steps.c.number), 0))
    mine = newest.where(finish_steps.c.enrollment == record)
    connection.execute(
        insert(finish_steps).values(
            enrollment=record,
            number=connection.execute(mine).scalar_one() + 1,
            device=request.device,
            nonce=request.nonce,
            asked_at=now,
            claimed_until=0,
            **step,
        )
    )


def end_step(connection: Connection, record: str, number: int, *, now: int) -> bool:
    """Mark a step as done and forget what was typed; tell if it was open."""
    mine = (
        finish_steps.c.enrollment == record,
        finish_steps.c.number == number,
        finish_steps.c.done_at.is_(None),
    )
    ended = update(finish_steps).where(*mine).values(done_at=now, sealed=None, claimed_until=0)
    return connection.execute(ended.returning(finish_steps.c.number)).first() is not None
