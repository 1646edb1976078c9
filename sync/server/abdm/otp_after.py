"""After the number: the mobile that the person gave, and an ABHA address of their choice.

ABDM remembers the transaction for some minutes; what was not asked for by then stays as it is, and
the number is as good without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection

from schemas.formats import is_abha_handle
from sync.protocol import FeedKind, FinishAction, FinishStage
from sync.sealing import OpeningKey
from sync.server.abdm.calls import (
    AbdmFailure,
    AbdmRefused,
    Answered,
    Begin,
    End,
    Enrolled,
    OtpSent,
)
from sync.server.abdm.finish_ends import (
    WAIT,
    Change,
    Person,
    advance_of,
    is_no_fault,
    outage,
    said,
    step_done,
    unchanged,
    wrong_code,
)
from sync.server.abdm.finish_turns import FinishTurn, open_secret, read_value, seal_secret
from sync.server.abdm.jobs import Advance, Fate
from sync.server.abdm.outcomes import FOUND, announce, keep_address, lock_person
from sync.server.abdm.papers import GivesPapers, fetch_papers
from sync.server.finishes import FITTING, Finish
from sync.server.sends import sends_so_far

__all__ = ["AfterNumber", "advance_after", "offer_addresses"]

_T = TypeVar("_T")

_HANDLES_MAX: Final = 12
_CODE_DIGITS: Final = 6
_TAKEN: Final = "abdm:address-taken"
_NO_HANDLE: Final = "abdm:address"


class AfterNumber(GivesPapers, Protocol):
    """The part of the client that serves whoever has a number already."""

    def request_mobile_otp(
        self, begin: Begin, txn_id: str, mobile: str, *, end: End, hidden: tuple[str, ...]
    ) -> Answered[OtpSent]:
        """Have a code sent to the mobile that the person wants in the account."""

    def verify_mobile(
        self, begin: Begin, txn_id: str, otp: str, *, end: End, hidden: tuple[str, ...]
    ) -> Answered[bool]:
        """Say whether the code to that mobile was right."""

    def suggest_addresses(
        self, begin: Begin, txn_id: str, *, end: End, hidden: tuple[str, ...]
    ) -> Answered[tuple[str, ...]]:
        """Ask which handles are free for this person."""


def advance_after(
    turn: FinishTurn, client: AfterNumber, vault: OpeningKey, person: Person
) -> Advance:
    """Do a step for somebody who has a number; one that does not fit any more changes nothing."""
    secret = open_secret(person.finish, turn.record, vault)
    action = turn.claim.action
    if person.finish.stage not in FITTING[action] or not secret.get("txn"):
        return step_done(turn, unchanged)
    match action:
        case FinishAction.MOBILE_SEND:
            return _send(turn, client, vault, person, secret)
        case FinishAction.MOBILE_CODE:
            return _verify(turn, client, vault, person, secret)
        case FinishAction.MOBILE_SKIP:
            after = replace(person.finish, stage=FinishStage.ADDRESS, code="", pointer="", hint="")
            return offer_addresses(turn, client, vault, person, after)
        case FinishAction.ADDRESS:
            return _choose(turn, client, vault, person, secret)
        case _:
            return step_done(turn, _over)


def offer_addresses(
    turn: FinishTurn, client: AfterNumber, vault: OpeningKey, person: Person, after: Finish
) -> Advance:
    """Go on to the address; without suggestions the person can still wish for one."""
    txn_id = open_secret(after, turn.record, vault).get("txn", "")
    reached = replace(after, stage=FinishStage.ADDRESS, code="", pointer="", hint="", tries=0)
    try:
        answer = _ask(
            turn,
            person,
            lambda begin, end: client.suggest_addresses(
                begin, txn_id, end=end, hidden=person.values
            ),
        )
    except AbdmFailure as failure:
        return step_done(turn, lambda _finish: reached, ending=failure.ending)
    handles = answer.value[:_HANDLES_MAX]
    return step_done(turn, lambda _finish: replace(reached, handles=handles), ending=answer.ending)


def _send(
    turn: FinishTurn,
    client: AfterNumber,
    vault: OpeningKey,
    person: Person,
    secret: dict[str, str],
) -> Advance:
    def counted(finish: Finish) -> Finish:
        now = turn.clock()
        return replace(finish, sent_at=now, sends=sends_so_far(finish, now=now) + 1)

    try:
        answer = _ask(
            turn,
            person,
            lambda begin, end: client.request_mobile_otp(
                begin, secret["txn"], person.mobile, end=end, hidden=person.values
            ),
            note=lambda connection: turn.keep(connection, counted),
        )
    except AbdmFailure as failure:
        return _failed(turn, failure, said)
    kept = seal_secret({**secret, "mobile": answer.value.txn_id}, turn.record, vault)

    def change(finish: Finish) -> Finish:
        return replace(
            finish,
            stage=FinishStage.MOBILE_SENT,
            code="",
            pointer="",
            hint=answer.value.mobile_hint or person.masked_mobile,
            tries=0,
            secret=kept,
            sent_at=turn.clock(),
        )

    return step_done(turn, change, ending=answer.ending)


def _verify(
    turn: FinishTurn,
    client: AfterNumber,
    vault: OpeningKey,
    person: Person,
    secret: dict[str, str],
) -> Advance:
    code = read_value(turn.claim, vault) or ""
    if not (code.isascii() and code.isdigit() and len(code) == _CODE_DIGITS):
        return step_done(turn, _wrong)
    txn_id = secret.get("mobile", "")
    try:
        answer = _ask(
            turn,
            person,
            lambda begin, end: client.verify_mobile(
                begin, txn_id, code, end=end, hidden=person.values
            ),
        )
    except AbdmRefused as refused:
        if refused.refusal.reason == "otp:wrong":
            return step_done(turn, _wrong, ending=refused.ending)
        return _failed(turn, refused, _again)
    except AbdmFailure as failure:
        return _failed(turn, failure, said)
    if not answer.value:
        return step_done(turn, _wrong, ending=answer.ending)
    with turn.store.write() as connection:
        turn.keep(connection, unchanged, ending=answer.ending)
    return offer_addresses(turn, client, vault, person, person.finish)


def _choose(
    turn: FinishTurn,
    client: AfterNumber,
    vault: OpeningKey,
    person: Person,
    secret: dict[str, str],
) -> Advance:
    handle = read_value(turn.claim, vault) or ""
    if not is_abha_handle(handle) and handle not in person.finish.handles:
        return step_done(turn, said(_NO_HANDLE))
    try:
        answer = _ask(
            turn,
            person,
            lambda begin, end: client.create_address(
                begin, secret["txn"], handle, end=end, hidden=person.values
            ),
        )
    except AbdmFailure as failure:
        return _failed(turn, failure, said)
    turn.close(
        _over,
        ending=answer.ending,
        also=lambda connection: _tell_address(connection, turn, answer.value),
    )
    _renew_papers(turn, client, person, secret)
    return Advance(fate=Fate.SETTLED)


def _tell_address(connection: Connection, turn: FinishTurn, address: str) -> None:
    """Write the address down and tell the laptops, which know the number already."""
    keep_address(connection, turn.record, address)
    person = lock_person(connection, turn.record)
    body = {"abha_number": person.abha_number, "abha_address": person.abha_address}
    told = {name: text for name, text in body.items() if text is not None}
    if person.state == "ISSUED":
        announce(connection, turn.record, FeedKind.ABHA_ISSUED, told, now=turn.clock())
    elif person.state == "DUPLICATE":
        told |= {"code": FOUND, "pointer": ""}
        announce(connection, turn.record, FeedKind.ENROLLMENT_DUPLICATE, told, now=turn.clock())


def _renew_papers(
    turn: FinishTurn, client: AfterNumber, person: Person, secret: dict[str, str]
) -> None:
    """Fetch QR and card once more, with the address on them."""
    token = Enrolled(
        abha_number="", abha_address=None, is_new=None, token=secret.get("token") or None,
        token_seconds=0,
    )  # fmt: skip
    fetch_papers(
        turn.store,
        client,
        turn.free_exchanges(person.version),
        turn.record,
        token,
        handle=None,
        clock=turn.clock,
    )


def _ask(
    turn: FinishTurn,
    person: Person,
    call: Callable[[Begin, End], Answered[_T]],
    *,
    note: Callable[[Connection], None] | None = None,
) -> Answered[_T]:
    exchanges = turn.exchanges(
        person.version, may_leave=lambda row: bool(row.state != "WITHDRAWN"), note=note
    )
    return call(exchanges.begin, turn.end_alone)


def _failed(turn: FinishTurn, failure: AbdmFailure, because: Callable[[str], Change]) -> Advance:
    """Say why a step was not done; a transaction that ABDM forgot ends it all."""
    if not isinstance(failure, AbdmRefused):
        return outage(turn, failure.ending, said(WAIT))
    refusal = failure.refusal
    if refusal.reason == "otp:late" and turn.claim.action is not FinishAction.MOBILE_CODE:
        return step_done(turn, _over, ending=failure.ending)
    if is_no_fault(refusal) and not refusal.reason.startswith("otp:"):
        turn.close(said(WAIT), ending=failure.ending)
        return advance_of(refusal)
    return step_done(turn, because(refusal.reason), ending=failure.ending)


def _over(finish: Finish) -> Finish:
    return Finish(
        stage=FinishStage.DONE,
        sender=finish.sender,
        proven=finish.proven,
        sent_at=finish.sent_at,
        sends=finish.sends,
    )


def _again(code: str) -> Change:
    """Another code to the mobile is needed."""
    return lambda finish: replace(finish, stage=FinishStage.MOBILE, code=code, pointer="", tries=0)


def _wrong(finish: Finish) -> Finish:
    return wrong_code(finish, _again("otp:too-many"))
