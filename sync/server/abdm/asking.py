"""One call to ABDM from ``begin`` to its ending, and once more for what can be put right.

A session that ran out, a certificate that NHA changed, a clock that is wrong: each is put right
once in a call. Every try is a request of its own with its own id; the endings of all but the last
go to ``end``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias, TypeVar

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
    Ending,
    EndKind,
    Refusal,
    Step,
)
from sync.server.abdm.certificate import Certificate
from sync.server.abdm.gateway import CLOCK_REASON, Gateway
from sync.server.abdm.http import NotSent, Reply, ReplyLost
from sync.server.abdm.payloads import Payload, Seal, checked, unsendable
from sync.server.abdm.redaction import redacted
from sync.server.abdm.refusals import judge, module_of, says_no

__all__ = ["Call", "End", "Unreadable", "ask"]

T = TypeVar("T")

End: TypeAlias = Callable[[Ending], None]
"""Writes down how an earlier try of the same call ended."""

_CHANGING: Final = frozenset({
    Step.DEMOGRAPHICS, Step.OTP_ENROL, Step.MOBILE_VERIFY, Step.ADDRESS, Step.LINK_TOKEN, Step.LINK,
})  # fmt: skip
"""What may have been done although no answer, or a bad one, came."""

_SESSION_REASON: Final = "abdm:session"
_UNAUTHORISED: Final = 401


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
    tried: set[str] = set()
    while True:
        token = gateway.sessions.token()
        certificate: Certificate | None = None
        try:
            if call.is_sealed:
                certificate = gateway.certificates.current(token)
            return _once(gateway, begin, call, read, token=token, certificate=certificate)
        except AbdmRefused as error:
            remedy = _remedy(error.refusal, call)
            if remedy in tried or not _is_put_right(gateway, remedy, token, certificate):
                raise _final(error) from error
            tried.add(remedy)
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
    # NHA refuses what is encrypted to an old key with the words for any wrong value.
    is_about_value = refusal.code.startswith("FIELD-") or refusal.code == "UIDAI-998"
    if call.is_sealed and (is_about_value or refusal.effect in {Effect.LOOK, Effect.WAIT}):
        return "certificate"
    return ""


def _is_put_right(
    gateway: Gateway, remedy: str, token: str, certificate: Certificate | None
) -> bool:
    match remedy:
        case "session":
            gateway.sessions.drop(token)
            return True
        case "clock":
            return gateway.correct_clock()
        case "certificate" if certificate is not None:
            try:
                return gateway.certificates.replaced(certificate, token) is not None
            except AbdmFailure:
                return False  # the refusal at hand says more than why that failed
    return False


def _final(error: AbdmRefused) -> AbdmRefused:
    """Say what a refused session means once it was renewed: later, or somebody must look."""
    refusal = error.refusal
    if refusal.reason != _SESSION_REASON or refusal.effect is not Effect.RENEW:
        return error
    is_known = refusal.code.startswith(("HTTP-", "9009"))
    effect = Effect.WAIT if is_known else Effect.LOOK
    reason = "abdm:wait" if is_known else f"abdm:unknown {refusal.code}"
    return AbdmRefused(error.ending, replace(refusal, effect=effect, reason=reason))


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
    if reply.status != _UNAUTHORISED:
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
        return {"type": kind, "bytes": len(reply.body)} if reply.body else {}
    return redacted(body, hidden=call.hidden, is_error=is_error)


def _cut(request_id: str, kind: EndKind, error: Exception) -> Ending:
    return Ending(request_id=request_id, kind=kind, code=f"ENROLLKIT-{error}"[:40])


def _no_seal(_plain: bytearray) -> str:
    raise AssertionError("a call that encrypts has a certificate")
