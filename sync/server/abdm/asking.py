"""One call to ABDM from ``begin`` to its ending, and once more for what can be put right.

A session that ran out, a certificate that NHA changed, a clock that is wrong: each is put right
within the call. Every try is a request of its own with its own id; the endings of all but the last
go to ``end``.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from schemas import Fault
from sync.server.abdm import reading
from sync.server.abdm.calls import (
    AbdmFailure,
    AbdmRefused,
    AbdmUnknown,
    AbdmUnsent,
    Answered,
    Begin,
    Begun,
    Effect,
    End,
    Ending,
    EndKind,
    Refusal,
    Step,
)
from sync.server.abdm.certificate import Certificate
from sync.server.abdm.gateway import CLOCK_REASON, Gateway
from sync.server.abdm.http import NotSent, Reply, ReplyLost
from sync.server.abdm.payloads import Payload, Seal, checked, unsendable
from sync.server.abdm.redaction import redacted, scrubbed
from sync.server.abdm.refusals import judge, module_of, says_no

__all__ = ["Call", "Unreadable", "ask"]

T = TypeVar("T")

_CHANGING: Final = frozenset({
    Step.DEMOGRAPHICS, Step.OTP_ENROL, Step.MOBILE_VERIFY, Step.ADDRESS, Step.LINK_TOKEN, Step.LINK,
})  # fmt: skip
"""What may have been done although no answer, or a bad one, came."""

_NUMBERED: Final = frozenset({Step.DEMOGRAPHICS, Step.OTP_SEND})
"""What carries an Aadhaar number; to repeat it uses nothing up, unlike a one-time code."""

_TRIES_MAX: Final = {"session": 1, "clock": 1, "certificate": 1, "number": 2}

_SESSION_REASON: Final = "abdm:session"
_UNAUTHORISED: Final = 401
_SERVER_FAULT: Final = 500


class KeyUnsure(Exception):
    """Whether what was sent, or the key that it was encrypted to, was wrong cannot be seen now."""


class Unreadable(Exception):
    """An answer with a good status that does not hold what it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call about a person, before it is dressed as a request.

    ``payload`` is built anew for every try, with what encrypts under the certificate of that try.
    ``hidden`` are values of the person's that ABDM's words may repeat.
    """

    step: Step
    base: str
    path: str
    shape: str = ""
    payload: Callable[[Seal], Payload] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_sealed: bool = False
    hidden: tuple[str, ...] = field(default=(), repr=False)


def ask(
    gateway: Gateway, begin: Begin, end: End, call: Call, read: Callable[[Reply], T]
) -> Answered[T]:
    """Put a call through; ``read`` raises :class:`Unreadable` for what it cannot use."""
    tried: Counter[str] = Counter()
    while True:
        token = gateway.sessions.token()
        certificate: Certificate | None = None
        try:
            if call.is_sealed:
                certificate = gateway.certificates.current(token)
            return _once(gateway, begin, call, read, token=token, certificate=certificate)
        except AbdmRefused as error:
            remedy = _remedy(error.refusal, call)
            may_try = tried[remedy] < _TRIES_MAX.get(remedy, 0)
            try:
                is_right = may_try and _is_put_right(gateway, remedy, token, certificate)
            except KeyUnsure:
                raise AbdmRefused(error.ending, _later(error.refusal)) from error
            if not is_right:
                raise AbdmRefused(error.ending, _final(gateway, error.refusal)) from error
            tried[remedy] += 1
            if error.ending.request_id:
                end(error.ending)
        except AbdmUnknown:
            if certificate is not None:
                gateway.certificates.doubt(certificate)
            raise


def _remedy(refusal: Refusal, call: Call) -> str:
    """Say what may be put right; the empty text when the refusal is about something else."""
    if refusal.reason == _SESSION_REASON and refusal.effect is Effect.RENEW:
        return "session"
    if refusal.reason == CLOCK_REASON or refusal.code == "HTTP-404":
        return "clock"
    # What is encrypted to an old key is refused with the words for any wrong value.
    if not call.is_sealed:
        return ""
    if call.step in _NUMBERED and refusal.reason == "abdm:aadhaar":
        return "number" if refusal.code.startswith("FIELD-") else ""
    is_about_value = refusal.code in {"FIELD-otpValue", "FIELD-otp", "FIELD-mobile"}
    return "certificate" if is_about_value or refusal.effect is Effect.LOOK else ""


def _is_put_right(
    gateway: Gateway,
    remedy: str,
    token: str,
    certificate: Certificate | None,
) -> bool:
    match remedy:
        case "session":
            gateway.sessions.drop(token)
            return True
        case "clock":
            return gateway.correct_clock()
        case "certificate" | "number" if certificate is not None:
            try:
                is_other = gateway.certificates.replaced(certificate, token) is not None
            except AbdmFailure as error:
                if remedy == "number":
                    # Whether the number or our key was wrong is not known: nobody is sent back.
                    raise KeyUnsure from error
                return False  # the refusal at hand says more than why that failed
            # A number whose check digit is right is asked about again before it counts as wrong:
            # on the day of a new key not all of NHA's machines have it at once.
            return is_other or remedy == "number"
    return False


def _final(gateway: Gateway, refusal: Refusal) -> Refusal:
    """Say what a refusal means once nothing more can be put right for it."""
    if refusal.reason == CLOCK_REASON:
        return gateway.judged_clock(refusal)
    if refusal.reason != _SESSION_REASON or refusal.effect is not Effect.RENEW:
        return refusal
    if refusal.code.startswith(("HTTP-", "9009")):
        return _later(refusal)
    return replace(refusal, effect=Effect.LOOK, reason=f"abdm:unknown {refusal.code}")


def _later(refusal: Refusal) -> Refusal:
    return replace(refusal, effect=Effect.WAIT, reason="abdm:wait", pointer="")


def _once(
    gateway: Gateway,
    begin: Begin,
    call: Call,
    read: Callable[[Reply], T],
    *,
    token: str,
    certificate: Certificate | None,
) -> Answered[T]:
    payload = _payload(call, certificate)
    if not all(value.isascii() and value.isprintable() for value in call.headers.values()):
        raise unsendable(Fault(pointer="/header", code="format"))
    method = "GET" if payload is None else "POST"
    request_id = str(uuid.uuid4())
    body = {} if payload is None else {"body": redacted(payload, hidden=call.hidden)}
    begin(
        Begun(
            step=call.step,
            request_id=request_id,
            request={"method": method, "path": call.path, **body},
        )
    )
    try:
        reply = gateway.send(
            call.base,
            call.path,
            request_id=request_id,
            bearer=token,
            headers=call.headers,
            payload=payload,
        )
    except NotSent as error:
        raise AbdmUnsent(_cut(request_id, EndKind.UNSENT, error)) from error
    except ReplyLost as error:
        raise AbdmUnknown(_cut(request_id, EndKind.UNKNOWN, error)) from error
    if reply.status != _UNAUTHORISED and reply.status < _SERVER_FAULT:
        gateway.sessions.prove(token)
    return _judged(call, request_id, reply, read)


def _payload(call: Call, certificate: Certificate | None) -> Payload | None:
    if call.payload is None:
        return None
    seal = _no_seal if certificate is None else certificate.encrypt
    return checked(call.shape, call.payload(seal))


def _judged(call: Call, request_id: str, reply: Reply, read: Callable[[Reply], T]) -> Answered[T]:
    body = reading.json_object(reply.body)
    is_good = 200 <= reply.status < 300 and not (body and says_no(body))  # noqa: PLR2004 - HTTP's
    ending = Ending(
        request_id=request_id,
        kind=EndKind.DONE,
        status=reply.status,
        response=_kept(reply, body, call, is_error=not is_good),
    )
    if is_good:
        try:
            return Answered(value=read(reply), ending=ending)
        except Unreadable as error:
            unknown = replace(ending, kind=EndKind.UNKNOWN, code="ENROLLKIT-unreadable")
            raise AbdmUnknown(unknown) from error
    judged = judge(
        reply.status,
        reply.body,
        reply.headers,
        module=module_of(call.step),
        step=call.step,
        hidden=call.hidden,
    )
    ending = replace(ending, kind=EndKind.REFUSED, code=judged.refusal.code)
    if judged.may_be_done and call.step in _CHANGING:
        raise AbdmUnknown(replace(ending, kind=EndKind.UNKNOWN))
    raise AbdmRefused(ending, judged.refusal)


def _kept(
    reply: Reply, body: dict[str, Any] | None, call: Call, *, is_error: bool
) -> Mapping[str, Any]:
    if body is None:
        kind = reply.headers.get("content-type", "").partition(";")[0][:60]
        return {"type": scrubbed(kind), "bytes": len(reply.body)} if reply.body else {}
    return redacted(body, hidden=call.hidden, is_error=is_error)


def _cut(request_id: str, kind: EndKind, error: Exception) -> Ending:
    return Ending(request_id=request_id, kind=kind, code=f"ENROLLKIT-{error}"[:40])


def _no_seal(_plain: bytearray) -> str:
    raise AssertionError("a call that encrypts has a certificate")
