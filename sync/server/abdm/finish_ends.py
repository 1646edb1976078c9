"""Who is finished, as they stand when a step is taken up, and the ways in which a step can end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync.protocol import FinishStage
from sync.server.abdm.calls import Effect, Ending, Refusal
from sync.server.abdm.finish_turns import FinishTurn
from sync.server.abdm.jobs import Advance, Fate
from sync.server.abdm.unsealing import find_mark
from sync.server.finishes import Finish, as_it_stands, read_finish
from sync.server.store.tables import enrollment_versions, enrollments

__all__ = [
    "TRIES_MAX",
    "WAIT",
    "Change",
    "Person",
    "advance_of",
    "is_no_fault",
    "may_be_asked_for",
    "outage",
    "read_person",
    "refuse",
    "run_out",
    "said",
    "step_done",
    "unchanged",
    "wrong_code",
]

TRIES_MAX: Final = 5
"""Wrong codes before another must be sent; ABDM has a limit of its own."""
WAIT: Final = "finish:wait"
"""ABDM does not answer: the same may be asked for again in some minutes."""

Change = Callable[[Finish], Finish]
"""Says where a step leaves a person."""

_CODE_MAX: Final = 60
_POINTER_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is finished. ``mark`` tells which sealed Aadhaar number they have; empty for none."""

    state: str
    version: int
    has_number: bool
    mark: str
    body: Mapping[str, Any] = field(repr=False)
    finish: Finish = field(repr=False)

    @property
    def mobile(self) -> str:
        """The mobile that the person gave; empty for none."""
        return str(self.body.get("mobile") or "")

    @property
    def masked_mobile(self) -> str:
        """That mobile as it may be shown to whoever looks at the screen."""
        return f"******{self.mobile[-4:]}" if self.mobile else ""

    @property
    def values(self) -> tuple[str, ...]:
        """What ABDM's words may repeat of the person, and nobody writes down."""
        name = str(self.body.get("name") or "")
        native = str(self.body.get("name_native") or "")
        return (name, *name.split(), native, *native.split(), self.mobile)


def read_person(connection: Connection, record: str, *, now: int) -> Person:
    """Read the person of a step."""
    newest = (enrollment_versions.c.enrollment == enrollments.c.enrollment) & (
        enrollment_versions.c.version == enrollments.c.version
    )
    query = (
        select(enrollments, enrollment_versions.c.body)
        .join(enrollment_versions, newest)
        .where(enrollments.c.enrollment == record)
    )
    row = connection.execute(query).one()
    has_number = row.abha_number is not None
    kept = read_finish(connection, record)
    body = json.loads(row.body)
    return Person(
        state=row.state,
        version=row.version,
        has_number=has_number,
        mark=find_mark(connection, record, row.version, body),
        body=body,
        finish=as_it_stands(kept, has_number=has_number, now=now),
    )


def may_be_asked_for(row: Row[Any], person: Person) -> bool:
    """Whether nobody withdrew, corrected or finished the person since the step was taken up."""
    same = row.abha_number is None and row.version == person.version
    return bool(same and row.state != "WITHDRAWN")


def step_done(turn: FinishTurn, change: Change, *, ending: Ending | None = None) -> Advance:
    """End a step."""
    turn.close(change, ending=ending)
    return Advance(fate=Fate.SETTLED, asked=ending is not None)


def refuse(turn: FinishTurn, code: str, pointer: str, ending: Ending | None = None) -> Advance:
    """End a step with why it cannot be done so; sending again begins anew."""

    def change(finish: Finish) -> Finish:
        return Finish(
            stage=FinishStage.REFUSED,
            code=code[:_CODE_MAX],
            pointer=pointer[:_POINTER_MAX],
            sender=finish.sender,
            sent_at=finish.sent_at,
            sends=finish.sends,
        )

    return step_done(turn, change, ending=ending)


def outage(turn: FinishTurn, ending: Ending, change: Change) -> Advance:
    """End a step over which ABDM did not answer, or not as it should."""
    turn.close(change, ending=ending)
    return Advance(fate=Fate.OUTAGE, code=ending.code or ending.kind.value)


def is_no_fault(refusal: Refusal) -> bool:
    """Whether a refusal is about ABDM or the office, and nothing about the person."""
    return refusal.effect in {Effect.WAIT, Effect.STOP, Effect.RENEW}


def advance_of(refusal: Refusal) -> Advance:
    """Say what such a refusal means for the worker as a whole."""
    if refusal.reason.startswith("otp:"):
        return Advance(fate=Fate.SETTLED)
    fate = Fate.HALTED if refusal.effect is Effect.STOP else Fate.OUTAGE
    return Advance(fate=fate, code=refusal.code, wait_seconds=refusal.wait_seconds)


def unchanged(finish: Finish) -> Finish:
    """Leave a person where they stand."""
    return finish


def said(code: str) -> Change:
    """Leave a person where they stand, and say why."""
    return lambda finish: replace(finish, code=code[:_CODE_MAX], pointer="")


def run_out(code: str) -> Change:
    """Another one-time code is needed."""
    return lambda finish: replace(
        finish, stage=FinishStage.READY, code=code, pointer="", hint="", secret=None, tries=0
    )


def wrong_code(finish: Finish, then: Change) -> Finish:
    """Count a wrong code; ``then`` is for one too many."""
    if finish.tries + 1 >= TRIES_MAX:
        return then(finish)
    return replace(finish, code="otp:wrong", pointer="", tries=finish.tries + 1)
