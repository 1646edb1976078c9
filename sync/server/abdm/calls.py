"""What is said to ABDM and what it answers, as types; :mod:`sync.server.abdm.client` says it.

Whoever calls hears of each request before it leaves (``Begin``), so that it is on disk first, and
gets the ending with the answer, so that both are written down in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Generic, TypeAlias, TypeVar

__all__ = [
    "CREATING",
    "AbdmFailure",
    "AbdmRefused",
    "AbdmUnknown",
    "AbdmUnsent",
    "Answered",
    "Begin",
    "Begun",
    "CareContext",
    "DemographicAsk",
    "Effect",
    "End",
    "EndKind",
    "Ending",
    "Enrolled",
    "LinkAsk",
    "LinkTokenAsk",
    "OtpSent",
    "Paper",
    "Refusal",
    "Step",
]

T = TypeVar("T")


class Step(StrEnum):
    """One request to ABDM, by what it is for."""

    DEMOGRAPHICS = "demo-auth"
    SUGGESTIONS = "address-suggestions"
    ADDRESS = "address-create"
    QR = "qr"
    CARD = "card"
    OTP_SEND = "otp-send"
    OTP_ENROL = "otp-enrol"
    MOBILE_SEND = "mobile-otp-send"
    MOBILE_VERIFY = "mobile-otp-verify"
    LINK_TOKEN = "link-token"  # noqa: S105 - a name, no secret
    LINK = "link-contexts"


CREATING: Final = (Step.DEMOGRAPHICS, Step.OTP_ENROL)
"""The requests that may have made a number whose answer was lost."""


class Effect(StrEnum):
    """What a refusal means for whoever waits for the answer."""

    WAIT = "wait"
    """An outage or a limit: later; nobody is bothered."""
    STOP = "stop"
    """The office's own configuration: every call would be refused; the office is told."""
    RETURN = "return"
    """The operator must look at a field with the person's card in hand."""
    CALL = "call"
    """The person is needed."""
    DONE = "done"
    """It was so already: a success."""
    RENEW = "renew"
    """A session, certificate or link token has run out: a new one, then once more."""
    LOOK = "look"
    """Unknown or contradictory: kept whole, shown as it is, a person at the office decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What ABDM said against something, in one shape.

    ``code`` is ABDM's (``ABDM-1207``, ``900901``, ``UIDAI-561``) or ``HTTP-503`` without one;
    ``message`` its words, bounded, without anybody's values; ``module`` ``M1``, ``M2`` or ``GW``.
    ``reason`` is our code for people (``abdm:mismatch``), ``pointer`` the field to look at, ``""``
    for all of them. ``wait_seconds``: how long, if it said so.
    """

    code: str
    message: str
    status: int
    module: str
    effect: Effect
    reason: str
    pointer: str = ""
    wait_seconds: int | None = None


class EndKind(StrEnum):
    """How a request ended."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """It left, and nobody knows what became of it."""
    UNSENT = "unsent"
    """It surely did not leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A request about to leave; ``request`` is redacted: no number, no name, no secret."""

    step: Step
    request_id: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How it ended; ``response`` is redacted as well. ``status`` is HTTP's."""

    request_id: str
    kind: EndKind
    status: int | None = None
    code: str = ""
    response: Mapping[str, Any] = field(default_factory=dict)


Begin: TypeAlias = Callable[[Begun], None]
"""Writes a request down before it leaves; what it raises keeps it from leaving."""

End: TypeAlias = Callable[[Ending], Any]
"""Writes down how an earlier try of the same call ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Generic[T]):
    """An answer with its ending, to be written down together."""

    value: T
    ending: Ending


class AbdmFailure(Exception):
    """No answer that can be used; its three kinds say what happened."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(f"{ending.kind.value} {ending.code}".strip())
        self.ending = ending


class AbdmRefused(AbdmFailure):
    """ABDM said no; ``refusal`` says why."""

    def __init__(self, ending: Ending, refusal: Refusal) -> None:
        super().__init__(ending)
        self.refusal = refusal


class AbdmUnknown(AbdmFailure):
    """The request left and no whole answer came: it may have been done."""


class AbdmUnsent(AbdmFailure):
    """The request did not leave; nothing was done."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DemographicAsk:
    """Who is asked for by demographics. ``aadhaar``: twelve ASCII digits, overwritten after use.

    ``birth`` is (year, month or 0, day or 0). LGD codes as integers.
    """

    aadhaar: bytearray
    name: str
    birth: tuple[int, int, int]
    gender: str
    state: int
    district: int
    mobile: str | None
    pincode: str
    address: str

    def __repr__(self) -> str:
        return "DemographicAsk(<withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Enrolled:
    """An ABHA number that ABDM gave or found. ``is_new``: ``None`` when it did not say.

    ``token`` opens the profile for ``token_seconds``; ``txn_id`` the address, where there is one.
    ``abha_number`` is ``NN-NNNN-NNNN-NNNN``. ``mobile_verified`` is about the number asked with.
    """

    abha_number: str
    abha_address: str | None
    is_new: bool | None
    token: str | None
    token_seconds: int
    txn_id: str | None = None
    mobile_verified: bool | None = None

    def __repr__(self) -> str:
        return "Enrolled(<withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Paper:
    """A picture that ABDM made: its QR or its card."""

    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OtpSent:
    """A one-time code is on its way. ``mobile_hint`` is what ABDM tells of the mobile, masked."""

    txn_id: str
    mobile_hint: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LinkTokenAsk:
    """Whom a link token is for: M2 matches these with the ABHA account. Number: 14 bare digits."""

    abha_number: str
    abha_address: str
    name: str
    gender: str
    birth_year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CareContext:
    """One record of a person as ABDM lists it; nothing clinical."""

    reference: str
    display: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LinkAsk:
    """Up to twenty care contexts of one HI type, of one person at one facility."""

    abha_number: str
    abha_address: str
    patient_reference: str
    patient_display: str
    hi_type: str
    contexts: tuple[CareContext, ...]
