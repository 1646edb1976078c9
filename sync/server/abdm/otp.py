"""A person with their telephone in hand: the worker's part of finishing, one step at a time.

(:mod:`sync.server.finishing` is the front door's part.) Each request is on disk before it leaves,
and counted before the telephone can ring. A step over which a worker died is ended by the next one
as if ABDM had not answered: the person asks for another code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from sync.protocol import FinishAction, FinishStage
from sync.sealing import OpeningKey
from sync.server.abdm.calls import AbdmFailure, AbdmRefused, Answered, Begin, End, OtpSent
from sync.server.abdm.finish_ends import (
    WAIT,
    Person,
    advance_of,
    is_no_fault,
    may_be_asked_for,
    outage,
    read_person,
    refuse,
    run_out,
    said,
    step_done,
    unchanged,
)
from sync.server.abdm.finish_turns import (
    FinishTurn,
    StepClaim,
    StepLost,
    open_secret,
    seal_secret,
)
from sync.server.abdm.jobs import Advance, ClaimLost, Fate
from sync.server.abdm.otp_after import advance_after
from sync.server.abdm.otp_enrol import EnrolsByCode, enrol
from sync.server.abdm.unsealing import KeyMissing, NumberUnusable, find_number, opened
from sync.server.finishes import Finish
from sync.server.sends import sends_so_far
from sync.server.store import Store

__all__ = ["FinishesPeople", "advance_finish"]


class FinishesPeople(EnrolsByCode, Protocol):
    """The part of the client that finishes people who are there."""

    def request_aadhaar_otp(
        self,
        begin: Begin,
        aadhaar: bytearray,
        txn_id: str = "",
        *,
        end: End,
        hidden: tuple[str, ...],
    ) -> Answered[OtpSent]:
        """Have UIDAI send a code to the mobile it knows."""


def advance_finish(
    store: Store,
    client: FinishesPeople,
    vault: OpeningKey,
    claim: StepClaim,
    *,
    clock: Callable[[], int],
) -> Advance:
    """Do one step, and say what became of it for the worker as a whole.

    ``clock`` gives milliseconds. Raises nothing of ABDM's; ``DatabaseBusy`` leaves the step to its
    lease.
    """
    turn = FinishTurn(store, claim, clock)
    with store.read() as connection:
        person = read_person(connection, claim.enrollment, now=clock())
    try:
        if person.state == "WITHDRAWN":
            return step_done(turn, unchanged)
        if claim.action is FinishAction.SEND:
            return _send(turn, client, vault, person)
        if claim.action is FinishAction.CODE:
            return enrol(turn, client, vault, person)
        return advance_after(turn, client, vault, person)
    except StepLost:
        return Advance(fate=Fate.WAITS, asked=False)
    except ClaimLost:
        return step_done(turn, unchanged)


def _send(turn: FinishTurn, client: FinishesPeople, vault: OpeningKey, person: Person) -> Advance:
    """Have a code sent, in the transaction of the one before where that still lives."""
    if person.has_number:
        return step_done(turn, unchanged)
    if person.finish.sent_at >= turn.claim.asked_at:
        # A worker died over it: a code may be on its way, in a transaction that nobody knows.
        return step_done(turn, run_out(WAIT))
    if not person.mobile:
        return refuse(turn, "person:mobile", "/mobile")
    if "capture_session" not in person.body:
        return refuse(turn, "person:aadhaar-missing", "/aadhaar")
    try:
        return _sent(turn, vault, person, _ask_for_code(turn, client, vault, person))
    except KeyMissing:
        return refuse(turn, "finish:unknown", "")
    except NumberUnusable:
        return refuse(turn, "aadhaar:missing", "/aadhaar")
    except AbdmRefused as refused:
        return _not_sent(turn, refused)
    except AbdmFailure as failure:
        return outage(turn, failure.ending, run_out(WAIT))


def _ask_for_code(
    turn: FinishTurn, client: FinishesPeople, vault: OpeningKey, person: Person
) -> Answered[OtpSent]:
    txn_id = _living(turn, vault, person)
    exchanges = turn.exchanges(
        person.version,
        may_leave=lambda row: may_be_asked_for(row, person),
        note=lambda connection: turn.keep(connection, lambda finish: _counted(turn, finish)),
    )
    with turn.store.read() as connection:
        sealed = find_number(connection, turn.record, person.version, person.body)
    if txn_id:
        try:
            with opened(sealed, vault) as digits:
                return client.request_aadhaar_otp(
                    exchanges.begin, digits, txn_id, end=turn.end_alone, hidden=person.values
                )
        except AbdmRefused as refused:
            # ABDM may forget a transaction before we do: then a new one is begun.
            if refused.refusal.reason != "otp:late":
                raise
            turn.end_alone(refused.ending)
    with opened(sealed, vault) as digits:
        return client.request_aadhaar_otp(
            exchanges.begin, digits, end=turn.end_alone, hidden=person.values
        )


def _living(turn: FinishTurn, vault: OpeningKey, person: Person) -> str:
    """Give the transaction of the code before; none where the Aadhaar number is another now."""
    if person.finish.stage is not FinishStage.CODE_SENT:
        return ""
    secret = open_secret(person.finish, turn.record, vault)
    return secret.get("txn", "") if secret.get("mark") == person.mark else ""


def _sent(
    turn: FinishTurn, vault: OpeningKey, person: Person, answer: Answered[OtpSent]
) -> Advance:
    sent = answer.value
    secret = seal_secret({"txn": sent.txn_id, "mark": person.mark}, turn.record, vault)

    def change(finish: Finish) -> Finish:
        return replace(
            finish,
            stage=FinishStage.CODE_SENT,
            code="",
            pointer="",
            hint=sent.mobile_hint,
            handles=(),
            tries=0,
            sender=turn.claim.device,
            secret=secret,
            sent_at=turn.clock(),
        )

    return step_done(turn, change, ending=answer.ending)


def _not_sent(turn: FinishTurn, refused: AbdmRefused) -> Advance:
    """A code that was sent before may still be good, where ABDM only sends no other now."""
    refusal, ending = refused.refusal, refused.ending
    if not is_no_fault(refusal) and not refusal.reason.startswith("otp:"):
        return refuse(turn, refusal.reason, refusal.pointer, ending)
    code = refusal.reason if refusal.reason.startswith("otp:") else WAIT
    turn.close(said(code), ending=ending)
    return advance_of(refusal)


def _counted(turn: FinishTurn, finish: Finish) -> Finish:
    """Count a code that is about to be sent; it may have been even where no answer comes."""
    now = turn.clock()
    return replace(finish, sent_at=now, sends=sends_so_far(finish, now=now) + 1)
