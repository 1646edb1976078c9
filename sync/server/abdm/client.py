"""The client of ABDM: every request that is about a person, told before it leaves and judged after.

**When nothing was begun**, an ending has no ``request_id``: no session, no certificate, a payload
that ABDM's documents would not take. There is nothing to write down then.

**Unsent or unknown.** Until the first byte of a request can have left, nothing was done
(``AbdmUnsent``). After that, whatever keeps a whole answer from coming is ``AbdmUnknown``. So is an
answer of 500 or more to a request that changes something, unless its body carries a documented
code that says it was not done: a gateway gives up on what ABDM goes on to do.

**Already so.** A refusal whose effect is ``DONE`` (care contexts that are linked already) is raised
as well: no callback follows it.

**Renewing.** See :mod:`sync.server.abdm.asking`: ``end`` takes the endings before the last.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from sync.server.abdm import reading
from sync.server.abdm.asking import Call, Unreadable, ask
from sync.server.abdm.calls import (
    AbdmRefused,
    Answered,
    Begin,
    DemographicAsk,
    Effect,
    End,
    Ending,
    EndKind,
    Enrolled,
    LinkAsk,
    LinkTokenAsk,
    OtpSent,
    Paper,
    Refusal,
    Step,
)
from sync.server.abdm.gateway import Gateway, Note
from sync.server.abdm.http import Reply
from sync.server.abdm.requests import Requests
from sync.server.abdm.settings import AbdmSettings
from sync.server.errors import SettingsInvalid

__all__ = ["AbdmClient", "Note", "open_client"]

T = TypeVar("T")


def _unheard(_ending: Ending) -> None:
    """Let an earlier ending pass."""


def _unnoted(_what: str, _request_id: str) -> None:
    """Let a request about nobody pass."""


def open_client(
    settings: AbdmSettings,
    *,
    clock: Callable[[], float],
    note: Note = _unnoted,
    ssl_context: ssl.SSLContext | None = None,
) -> AbdmClient:
    """Give a client for these settings; ``SettingsInvalid`` names one that is missing or unsafe.

    ``clock`` gives seconds since 1970. ``note`` hears of requests for a session or a certificate.
    Without an ``ssl_context`` the operating system's certificates decide.
    """
    for name in ("gateway_url", "abha_url", "client_id", "client_secret"):
        if not getattr(settings, name):
            raise SettingsInvalid(f"abdm.{name}")
    return AbdmClient(settings, Gateway(settings, clock=clock, note=note, ssl_context=ssl_context))


class AbdmClient:
    """Speaks for the programme; several threads may use it at once. Close it in the end.

    Each call takes ``begin``, which writes the request down before it leaves, and gives its answer
    with the ending; ``AbdmRefused``, ``AbdmUnknown`` and ``AbdmUnsent`` carry theirs.
    """

    def __init__(self, settings: AbdmSettings, gateway: Gateway) -> None:
        self._settings = settings
        self._gateway = gateway
        self._requests = Requests(settings=settings, gateway=gateway.url, abha=gateway.abha_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._gateway.close()

    def fetch_callback_keys(self) -> Mapping[str, Any]:
        """Fetch the JSON Web Key Set under which ABDM's gateway signs its callbacks.

        It is about no person: nothing is begun, and an error carries an ending without an id.
        """
        return self._gateway.callback_keys()

    def enrol_by_demographics(
        self, begin: Begin, ask: DemographicAsk, *, end: End = _unheard
    ) -> Answered[Enrolled]:
        """Ask for the ABHA number of somebody who need not be there: given, or found.

        ``ask.aadhaar`` is overwritten when this returns, however it ends.
        """
        try:
            if not self._settings.benefit:
                raise _no_benefit()
            call = self._requests.demographics(ask)
            return self._ask(begin, end, call, _of_json(reading.enrolled_of))
        finally:
            _overwrite(ask.aadhaar)

    def request_aadhaar_otp(
        self,
        begin: Begin,
        aadhaar: bytearray,
        txn_id: str = "",
        *,
        end: End = _unheard,
        hidden: tuple[str, ...] = (),
    ) -> Answered[OtpSent]:
        """Have UIDAI send a code to the mobile it knows; overwrites ``aadhaar``.

        ``hidden``, here and below: values of the person's that are struck out of ABDM's words.
        """
        try:
            call = self._requests.aadhaar_otp(aadhaar, txn_id, hidden=hidden)
            return self._ask(begin, end, call, _of_json(reading.otp_of))
        finally:
            _overwrite(aadhaar)

    def enrol_by_otp(
        self,
        begin: Begin,
        txn_id: str,
        otp: str,
        mobile: str,
        *,
        end: End = _unheard,
        hidden: tuple[str, ...] = (),
    ) -> Answered[Enrolled]:
        """Ask for the ABHA number of somebody who read the code out."""
        call = self._requests.otp_enrolment(txn_id, otp, mobile, hidden=hidden)
        return self._ask(
            begin, end, call, _of_json(lambda said: reading.enrolled_of(said, mobile=mobile))
        )

    def request_mobile_otp(
        self,
        begin: Begin,
        txn_id: str,
        mobile: str,
        *,
        end: End = _unheard,
        hidden: tuple[str, ...] = (),
    ) -> Answered[OtpSent]:
        """Have a code sent to the mobile that the person wants in the account."""
        call = self._requests.mobile_otp(txn_id, mobile, hidden=hidden)
        return self._ask(begin, end, call, _of_json(reading.otp_of))

    def verify_mobile(
        self,
        begin: Begin,
        txn_id: str,
        otp: str,
        *,
        end: End = _unheard,
        hidden: tuple[str, ...] = (),
    ) -> Answered[bool]:
        """Say whether the code to that mobile was right."""
        call = self._requests.mobile_verification(txn_id, otp, hidden=hidden)
        return self._ask(begin, end, call, _of_json(reading.verified_of))

    def suggest_addresses(
        self, begin: Begin, txn_id: str, *, end: End = _unheard, hidden: tuple[str, ...] = ()
    ) -> Answered[tuple[str, ...]]:
        """Ask which handles are free for this person."""
        call = self._requests.suggestions(txn_id, hidden=hidden)
        return self._ask(begin, end, call, _of_json(reading.suggestions_of))

    def create_address(
        self,
        begin: Begin,
        txn_id: str,
        handle: str,
        *,
        end: End = _unheard,
        hidden: tuple[str, ...] = (),
    ) -> Answered[str]:
        """Ask for an ABHA address by its handle; gives it with its suffix."""
        cm_id = self._settings.cm_id
        call = self._requests.address(txn_id, handle, hidden=hidden)
        return self._ask(
            begin, end, call, _of_json(lambda said: reading.abha_address_of(said, cm_id))
        )

    def fetch_qr(self, begin: Begin, token: str, *, end: End = _unheard) -> Answered[Paper]:
        """Fetch the person's QR picture; ``token`` is the one of :class:`Enrolled`."""
        return self._ask(begin, end, self._requests.picture(Step.QR, token), _of_picture)

    def fetch_card(self, begin: Begin, token: str, *, end: End = _unheard) -> Answered[Paper]:
        """Fetch the picture of the person's ABHA card."""
        return self._ask(begin, end, self._requests.picture(Step.CARD, token), _of_picture)

    def request_link_token(
        self, begin: Begin, hip: str, ask: LinkTokenAsk, *, end: End = _unheard
    ) -> Answered[None]:
        """Ask for a link token; it comes by callback, under this request's id."""
        return self._ask(begin, end, self._requests.link_token(hip, ask), _of_nothing)

    def link_contexts(
        self, begin: Begin, hip: str, link_token: str, ask: LinkAsk, *, end: End = _unheard
    ) -> Answered[None]:
        """Ask to link care contexts; the result comes by callback, under this request's id."""
        return self._ask(begin, end, self._requests.link(hip, link_token, ask), _of_nothing)

    def _ask(self, begin: Begin, end: End, call: Call, read: Callable[[Reply], T]) -> Answered[T]:
        return ask(self._gateway, begin, end, call, read)


def _of_json(read: Callable[[dict[str, Any]], T | None]) -> Callable[[Reply], T]:
    """Read a JSON answer; nothing that can be used in it is :class:`Unreadable`."""

    def whole(reply: Reply) -> T:
        answer = reading.json_object(reply.body)
        found = None if answer is None else read(answer)
        if found is None:
            raise Unreadable
        return found

    return whole


def _of_picture(reply: Reply) -> Paper:
    found = reading.paper_of(reply.body)
    if found is None:
        raise Unreadable
    return found


def _of_nothing(_reply: Reply) -> None:
    """Take an answer that says no more than that the request has come (HTTP 202)."""


def _overwrite(secret: bytearray) -> None:
    secret[:] = bytes(len(secret))


def _no_benefit() -> AbdmRefused:
    refusal = Refusal(
        code="ENROLLKIT-benefit",
        message="not sent: the setting abdm.benefit is empty",
        status=0,
        module="KIT",
        effect=Effect.STOP,
        reason="abdm:benefit",
    )
    return AbdmRefused(Ending(request_id="", kind=EndKind.UNSENT, code=refusal.code), refusal)
