"""One person from the list to an ABHA number, to a reason, or to the call-back list.

Written so that the power may fail between any two lines. Before the call leaves, that it leaves is
on disk; what ABDM says, what follows from it and who is told are one transaction. Where the answer
was lost, asking again is safe: ABDM gives the number that it made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Row, select

from schemas.formats import is_abha_number
from sync.sealing import OpeningKey
from sync.server.abdm.calls import (
    AbdmFailure,
    AbdmRefused,
    Answered,
    Begin,
    DemographicAsk,
    Effect,
    End,
    Enrolled,
)
from sync.server.abdm.exchanges import Exchanges
from sync.server.abdm.jobs import Advance, Claim, ClaimLost, Fate, note_code, settle
from sync.server.abdm.novelty import was_known
from sync.server.abdm.outcomes import (
    FOUND,
    announce_number,
    ask_for_person,
    give_back,
    keep_number,
    lock_person,
)
from sync.server.abdm.papers import GivesPapers, fetch_papers
from sync.server.abdm.planning import ask_of, plan_road
from sync.server.abdm.settings import AbdmSettings
from sync.server.abdm.turns import ACCEPTED, Turn
from sync.server.abdm.unsealing import KeyMissing, NumberUnusable, find_mark, find_number, opened
from sync.server.store import Store
from sync.server.store.tables import enrollment_versions, enrollments

__all__ = ["Enrols", "advance_enrollment"]

_TYPE_AGAIN: Final = "abdm:aadhaar"
"""The one reason at which a laptop sends no seal again that it has: the number is typed anew."""
_KEY_MS_MAX: Final = 14 * 86_400_000
"""A capture key that has not come in that time will not come: its laptop is lost or cleared."""


class Enrols(GivesPapers, Protocol):
    """The part of the client that asks for numbers."""

    def enrol_by_demographics(
        self, begin: Begin, ask: DemographicAsk, *, end: End
    ) -> Answered[Enrolled]:
        """Ask for a number by Aadhaar number, name, birth and gender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A person as they stood when their turn began."""

    id: str
    state: str
    version: int
    received_at: int
    has_number: bool
    body: Mapping[str, Any] = field(repr=False)


def advance_enrollment(
    store: Store,
    client: Enrols,
    vault: OpeningKey,
    settings: AbdmSettings,
    claim: Claim,
    *,
    clock: Callable[[], int],
) -> Advance:
    """Do what can be done now for a person, and say what became of it.

    ``clock`` gives milliseconds. Raises nothing of ABDM's; ``DatabaseBusy`` leaves the job to its
    lease.
    """
    turn = Turn(store, claim, clock)
    with store.read() as connection:
        case = _case(connection, claim.enrollment)
    if case.state != ACCEPTED:
        return turn.close()
    if case.has_number:
        # The power failed between the number and the news: it goes home without its pictures.
        return _announce(turn, was_found=claim.code == FOUND)
    today = datetime.fromtimestamp(clock() / 1000, UTC).date()
    plan = plan_road(case.body, settings, today=today)
    if plan.needs_person:
        return _conclude_call(turn, case, plan.code, plan.pointer)
    return _ask(turn, client, vault, case)


def _ask(turn: Turn, client: Enrols, vault: OpeningKey, case: _Case) -> Advance:
    """Ask ABDM, and do what its answer means."""
    exchanges = turn.exchanges(case.version, lambda person: _is_the_same(person, case))
    try:
        with turn.store.read() as connection:
            sealed = find_number(connection, case.id, case.version, case.body)
        with opened(sealed, vault) as digits:
            answer = client.enrol_by_demographics(
                exchanges.begin, ask_of(case.body, digits), end=exchanges.end_alone
            )
    except KeyMissing:
        if turn.clock() < case.received_at * 1000 + _KEY_MS_MAX:
            return turn.wait("capture-key:missing")
        return _conclude_return(turn, case, _TYPE_AGAIN, "/aadhaar")
    except NumberUnusable:
        return _conclude_return(turn, case, _TYPE_AGAIN, "/aadhaar")
    except ClaimLost:
        return turn.give_way()
    except AbdmRefused as refused:
        return _take_refusal(turn, case, refused)
    except AbdmFailure as failure:
        return turn.wait(failure.ending.code or failure.ending.kind.value, ending=failure.ending)
    if not is_abha_number(answer.value.abha_number):
        return turn.wait("abdm:number", ending=answer.ending)
    return _take_number(turn, client, case, exchanges, answer)


def _take_number(
    turn: Turn, client: Enrols, case: _Case, exchanges: Exchanges, answer: Answered[Enrolled]
) -> Advance:
    """Write the number down at once; then fetch what the token gives, and tell the laptops.

    A correction may have brought another Aadhaar number while ABDM was asked with the one before:
    then the answer is somebody else's number, and this person is still to be asked for.
    """
    with turn.store.write() as connection:
        exchanges.end(connection, answer.ending)
        person = lock_person(connection, case.id)
        if _has_other_aadhaar(connection, person, case):
            return turn.leave(connection, version=person.version)
        had_number = person.abha_number is not None
        was_found = was_known(connection, case.id, answer, had_number=had_number)
        person = keep_number(connection, case.id, answer.value)
        note_code(connection, turn.claim, FOUND if was_found else "")
    if person.state == ACCEPTED:
        fetch_papers(
            turn.store,
            client,
            turn.exchanges(case.version, lambda person: bool(person.state == ACCEPTED)),
            case.id,
            answer.value,
            handle=None if was_found else case.body.get("abha_address_choice"),
            clock=turn.clock,
        )
    return _announce(turn, was_found=was_found)


def _take_refusal(turn: Turn, case: _Case, refused: AbdmRefused) -> Advance:
    refusal, ending = refused.refusal, refused.ending
    match refusal.effect:
        case Effect.STOP:
            return turn.halt(refusal.code, ending)
        case Effect.WAIT | Effect.RENEW:
            return turn.wait(refusal.code, ending=ending, seconds=refusal.wait_seconds)
        case Effect.CALL:
            return _conclude_call(turn, case, refusal.reason, refusal.pointer, refused)
        case _:
            return _conclude_return(turn, case, refusal.reason, refusal.pointer, refused)


def _conclude_return(
    turn: Turn, case: _Case, code: str, pointer: str, refused: AbdmRefused | None = None
) -> Advance:
    return turn.conclude(
        case.version,
        lambda connection: give_back(
            connection, case.id, code=code, pointer=pointer, now=turn.clock()
        ),
        code=code,
        pointer=pointer,
        ending=refused.ending if refused else None,
    )


def _conclude_call(
    turn: Turn, case: _Case, code: str, pointer: str, refused: AbdmRefused | None = None
) -> Advance:
    now = turn.clock()
    seconds = refused.refusal.wait_seconds if refused else None
    return turn.conclude(
        case.version,
        lambda connection: ask_for_person(
            connection,
            case.id,
            code=code,
            pointer=pointer,
            now=now,
            call_at=None if seconds is None else now // 1000 + seconds,
        ),
        code=code,
        pointer=pointer,
        ending=refused.ending if refused else None,
    )


def _announce(turn: Turn, *, was_found: bool) -> Advance:
    now, code, claim = turn.clock(), FOUND if was_found else "", turn.claim
    with turn.store.write() as connection:
        announce_number(connection, claim.enrollment, was_found=was_found, now=now)
        version = lock_person(connection, claim.enrollment).version
        settle(connection, claim, now=now, version=version, code=code)
    return Advance(fate=Fate.SETTLED, code=code)


def _case(connection: Connection, enrollment: str) -> _Case:
    newest = (enrollment_versions.c.enrollment == enrollments.c.enrollment) & (
        enrollment_versions.c.version == enrollments.c.version
    )
    query = (
        select(
            enrollments,
            enrollment_versions.c.body,
            enrollment_versions.c.received_at.label("came_at"),
        )
        .join(enrollment_versions, newest)
        .where(enrollments.c.enrollment == enrollment)
    )
    row = connection.execute(query).one()
    return _Case(
        id=enrollment,
        state=row.state,
        version=row.version,
        received_at=row.came_at,
        has_number=row.abha_number is not None,
        body=json.loads(row.body),
    )


def _has_other_aadhaar(connection: Connection, person: Row[Any], case: _Case) -> bool:
    """Whether a newer version of a person means another Aadhaar number than was asked with, or
    none. The same one typed again cannot be told from another, and is asked for again.
    """
    if person.version == case.version or person.abha_number is not None:
        return False
    newest = _case(connection, case.id)
    asked, meant = (
        find_mark(connection, each.id, each.version, each.body) for each in (case, newest)
    )
    return asked != meant


def _is_the_same(person: Row[Any], case: _Case) -> bool:
    """Whether a person is as they were when their turn began: then they may be asked for."""
    return (person.state, person.version, person.abha_number) == (ACCEPTED, case.version, None)
