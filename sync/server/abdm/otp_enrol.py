"""A code that the person read out, and the ABHA number for it.

Where the answer was lost, the same is asked again once. After that the person is asked for another
code: ABDM gives the number that it may have made, and an open request of ours says whose it is.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, Protocol

from schemas.formats import is_abha_number
from sync.protocol import FinishStage
from sync.sealing import OpeningKey
from sync.server.abdm.calls import (
    AbdmFailure,
    AbdmRefused,
    AbdmUnknown,
    Answered,
    Begin,
    End,
    Enrolled,
)
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
    wrong_code,
)
from sync.server.abdm.finish_turns import FinishTurn, open_secret, read_value, seal_secret
from sync.server.abdm.jobs import Advance, Fate
from sync.server.abdm.novelty import was_known
from sync.server.abdm.otp_after import AfterNumber, offer_addresses
from sync.server.abdm.outcomes import announce_number, keep_number
from sync.server.abdm.papers import fetch_papers
from sync.server.finishes import Finish

__all__ = ["EnrolsByCode", "enrol"]

TRANSACTION_SECONDS_MAX: Final = 1800

_CODE: Final = re.compile(r"[0-9]{6}")


class EnrolsByCode(AfterNumber, Protocol):
    """The part of the client that gives numbers for codes."""

    def enrol_by_otp(
        self,
        begin: Begin,
        txn_id: str,
        otp: str,
        mobile: str,
        *,
        end: End,
        hidden: tuple[str, ...],
    ) -> Answered[Enrolled]:
        """Ask for the number of somebody who read the code out."""


def enrol(turn: FinishTurn, client: EnrolsByCode, vault: OpeningKey, person: Person) -> Advance:
    """Hand the code in."""
    if person.has_number:
        return step_done(turn, unchanged)
    secret = open_secret(person.finish, turn.record, vault)
    txn_id = secret.get("txn")
    if person.finish.stage is not FinishStage.CODE_SENT or not txn_id:
        return step_done(turn, run_out("otp:late"))
    if not person.mark or secret.get("mark") != person.mark:
        # The Aadhaar number was corrected since: the code would give somebody else's ABHA number.
        return step_done(turn, run_out("otp:late"))
    code = read_value(turn.claim, vault)
    if code is None or _CODE.fullmatch(code) is None:
        return step_done(turn, _wrong)
    exchanges = turn.exchanges(person.version, may_leave=lambda row: may_be_asked_for(row, person))
    try:
        answer = _ask(turn, client, exchanges.begin, person, txn_id, code=code)
    except AbdmRefused as refused:
        return _not_enrolled(turn, refused)
    except AbdmUnknown as unknown:
        return outage(turn, unknown.ending, run_out(WAIT))
    except AbdmFailure as failure:
        return outage(turn, failure.ending, said(WAIT))
    if not is_abha_number(answer.value.abha_number):
        return outage(turn, answer.ending, run_out(WAIT))
    return _take_number(turn, client, vault, person, answer)


def _ask(
    turn: FinishTurn, client: EnrolsByCode, begin: Begin, person: Person, txn_id: str, *, code: str
) -> Answered[Enrolled]:
    """Ask; and once more in the same transaction, where the answer was lost."""

    def ask() -> Answered[Enrolled]:
        return client.enrol_by_otp(
            begin, txn_id, code, person.mobile, end=turn.end_alone, hidden=person.values
        )

    try:
        return ask()
    except AbdmUnknown as unknown:
        turn.end_alone(unknown.ending)
    return ask()


def _not_enrolled(turn: FinishTurn, refused: AbdmRefused) -> Advance:
    refusal, ending = refused.refusal, refused.ending
    if refusal.reason == "otp:wrong":
        return step_done(turn, _wrong, ending=ending)
    if refusal.reason.startswith("otp:"):
        return step_done(turn, run_out(refusal.reason), ending=ending)
    if is_no_fault(refusal):
        turn.close(said(WAIT), ending=ending)
        return advance_of(refusal)
    return refuse(turn, refusal.reason, refusal.pointer, ending)


def _take_number(
    turn: FinishTurn,
    client: EnrolsByCode,
    vault: OpeningKey,
    person: Person,
    answer: Answered[Enrolled],
) -> Advance:
    """Write the number down and tell the laptops at once; mobile and address come after."""
    enrolled, ending = answer.value, answer.ending
    with turn.store.write() as connection:
        turn.keep(connection, unchanged, ending=ending)
        before = read_person(connection, turn.record, now=turn.clock())
        if _is_of_another(before, person):
            turn.end(connection, run_out("otp:late"))
            return Advance(fate=Fate.SETTLED)
        was_found = was_known(connection, turn.record, answer, had_number=before.has_number)
        keep_number(connection, turn.record, enrolled)
        if before.state == "WITHDRAWN":
            turn.end(connection, run_out(""))
            return Advance(fate=Fate.SETTLED)
        announce_number(connection, turn.record, was_found=was_found, now=turn.clock())
        after = _after(turn, vault, person, enrolled, was_found=was_found)
        turn.keep(connection, lambda _finish: after)
    if after.stage is FinishStage.ADDRESS:
        offer_addresses(turn, client, vault, person, after)
    else:
        turn.close(unchanged)
    # Nobody waits for these any more.
    exchanges = turn.free_exchanges(person.version)
    fetch_papers(
        turn.store, client, exchanges, turn.record, enrolled, handle=None, clock=turn.clock
    )
    return Advance(fate=Fate.SETTLED)


def _is_of_another(now: Person, then: Person) -> bool:
    """Whether the Aadhaar number was corrected during the call: the answer is about the old one.

    Who withdrew, or has an ABHA number, may have no sealed number any more.
    """
    is_over = now.has_number or now.state == "WITHDRAWN"
    return not is_over and now.mark != then.mark


def _after(
    turn: FinishTurn, vault: OpeningKey, person: Person, enrolled: Enrolled, *, was_found: bool
) -> Finish:
    """Say what is left: the mobile if the account has another one, then the address."""
    done = Finish(
        stage=FinishStage.DONE,
        sender=turn.claim.device,
        proven=turn.claim.device,
        sent_at=person.finish.sent_at,
        sends=person.finish.sends,
    )
    if was_found or not enrolled.txn_id:
        return done
    seconds = min(enrolled.token_seconds, TRANSACTION_SECONDS_MAX)
    secret = {"txn": enrolled.txn_id, "token": enrolled.token or ""}
    begun = replace(
        done,
        secret=seal_secret(secret, turn.record, vault),
        until=turn.clock() + seconds * 1000,
    )
    if enrolled.mobile_verified:
        return replace(begun, stage=FinishStage.ADDRESS)
    return replace(begun, stage=FinishStage.MOBILE, hint=person.masked_mobile)


def _wrong(finish: Finish) -> Finish:
    return wrong_code(finish, run_out("otp:too-many"))
