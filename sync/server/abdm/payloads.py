"""What is sent to ABDM, built and checked: nothing leaves that its documents would not take.

Strict here, lenient in :mod:`sync.server.abdm.reading`. Where the documents disagree, the settings
say which of them is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from schemas import Fault, validator
from sync.server.abdm.calls import (
    AbdmRefused,
    DemographicAsk,
    Effect,
    Ending,
    EndKind,
    LinkAsk,
    LinkTokenAsk,
    Refusal,
)
from sync.server.abdm.settings import AbdmSettings

__all__ = [
    "Seal",
    "address",
    "checked",
    "demographics",
    "link_contexts",
    "link_token",
    "mobile_otp",
    "mobile_verification",
    "otp_enrolment",
    "otp_request",
    "session",
    "unsendable",
]

Payload: TypeAlias = dict[str, Any]
Seal: TypeAlias = Callable[[bytearray], str]
"""Encrypts under NHA's certificate."""

_CONSENT: Final = "abha-enrollment"
_ENROL: Final = "abha-enrol"
_MOBILE: Final = "mobile-verify"
_REASONS: Final = {
    "aadhaarNumber": ("abdm:aadhaar", "/aadhaar"),
    "name": ("abdm:name", "/name"),
    "dateOfBirth": ("abdm:birth", "/birth"),
    "yearOfBirth": ("abdm:birth", "/birth"),
    "gender": ("abdm:gender", "/gender"),
    "stateCode": ("abdm:place", "/address/state"),
    "districtCode": ("abdm:place", "/address/district"),
    "pinCode": ("abdm:pincode", "/address/pincode"),
    "mobile": ("abdm:field", "/mobile"),
    "address": ("abdm:field", "/address"),
}
"""The field of a payload -> what the operator is told, and where to look."""


def checked(shape: str, payload: Payload) -> Payload:
    """Give the payload back; ``AbdmRefused`` names the first field that ABDM would not take.

    Shapes are ``schemas/json/abdm-*.json``. A field of the person's goes back to the camp; any
    other fault is ours, and somebody must look at it.
    """
    faults = validator(shape).faults(payload)
    if faults:
        raise unsendable(faults[0])
    return payload


def unsendable(fault: Fault) -> AbdmRefused:
    """Give the refusal of something that was not sent because it is not as documented."""
    name = fault.pointer.rpartition("/")[2]
    code = f"ENROLLKIT-{name or 'payload'}"[:40]
    reason, pointer = _REASONS.get(name, (f"abdm:unknown {code}", ""))
    refusal = Refusal(
        code=code,
        message=f"not sent: {fault.pointer} {fault.code}"[:300],
        status=0,
        module="KIT",
        effect=Effect.RETURN if name in _REASONS else Effect.LOOK,
        reason=reason,
        pointer=pointer,
    )
    return AbdmRefused(Ending(request_id="", kind=EndKind.UNSENT, code=code), refusal)


def session(client_id: str, client_secret: str) -> Payload:
    """Build what asks the gateway for a session."""
    return {
        "clientId": client_id,
        "clientSecret": client_secret,
        "grantType": "client_credentials",
    }


def demographics(settings: AbdmSettings, ask: DemographicAsk, seal: Seal) -> Payload:
    """Build the enrolment of somebody who need not be there (``demo_auth``).

    Whole numbers are made whole here: an early server took bodies that say 1980.0.
    """
    person = {
        "aadhaarNumber": seal(ask.aadhaar),
        "name": ask.name,
        "dateOfBirth": _birth(settings.birth_format, ask.birth),
        "gender": ask.gender,
        "stateCode": str(int(ask.state)),
        "districtCode": str(int(ask.district)),
    }
    wished = {"mobile": ask.mobile, "pinCode": ask.pincode, "address": ask.address}
    person |= {name: value for name, value in wished.items() if value}
    return {
        "authData": {"authMethods": ["demo_auth"], "demo_auth": person},
        "consent": _consent(settings),
    }


def otp_request(aadhaar: bytearray, txn_id: str, seal: Seal) -> Payload:
    """Build the request for a code to the mobile that UIDAI knows."""
    return {
        "txnId": txn_id,
        "scope": [_ENROL],
        "loginHint": "aadhaar",
        "loginId": seal(aadhaar),
        "otpSystem": "aadhaar",
    }


def otp_enrolment(
    settings: AbdmSettings, txn_id: str, otp: str, mobile: str, seal: Seal
) -> Payload:
    """Build the enrolment by that code."""
    spoken = {"txnId": txn_id, "otpValue": seal(_bytes(otp)), "mobile": mobile}
    return {
        "authData": {"authMethods": ["otp"], "otp": spoken},
        "consent": _consent(settings),
    }


def mobile_otp(txn_id: str, mobile: str, seal: Seal) -> Payload:
    """Build the request for a code to the mobile that the person wants in the account."""
    return {
        "txnId": txn_id,
        "scope": [_ENROL, _MOBILE],
        "loginHint": "mobile",
        "loginId": seal(_bytes(mobile)),
        "otpSystem": "abdm",
    }


def mobile_verification(txn_id: str, otp: str, seal: Seal) -> Payload:
    """Build the answer to that code."""
    spoken = {"txnId": txn_id, "otpValue": seal(_bytes(otp))}
    return {
        "scope": [_ENROL, _MOBILE],
        "authData": {"authMethods": ["otp"], "otp": spoken},
    }


def address(txn_id: str, handle: str) -> Payload:
    """Build the wish for an ABHA address; the handle is without its suffix."""
    return {"txnId": txn_id, "abhaAddress": handle, "preferred": 1}


def link_token(ask: LinkTokenAsk) -> Payload:
    """Build the request for a link token.

    The number is a JSON number there (HIECM, link token service), which cannot hold a leading
    zero: such a one is left out, and the address stands alone, as that document allows.
    """
    numbers = {} if ask.abha_number.startswith("0") else {"abhaNumber": _number(ask.abha_number)}
    return {
        **numbers,
        "abhaAddress": ask.abha_address,
        "name": ask.name,
        "gender": ask.gender,
        "yearOfBirth": int(ask.birth_year),
    }


def link_contexts(settings: AbdmSettings, ask: LinkAsk) -> Payload:
    """Build the link of one person's care contexts of one HI type; their count must be right."""
    contexts = [{"referenceNumber": each.reference, "display": each.display}
                for each in ask.contexts]  # fmt: skip
    return {
        "abhaNumber": ask.abha_number,
        "abhaAddress": ask.abha_address,
        "patient": [
            {
                "referenceNumber": ask.patient_reference,
                "display": ask.patient_display,
                "careContexts": contexts,
                settings.hi_type_field: ask.hi_type,
                "count": len(contexts),
            }
        ],
    }


def _consent(settings: AbdmSettings) -> Mapping[str, str]:
    return {"code": _CONSENT, "version": settings.consent_version}


def _birth(form: str, birth: tuple[int, int, int]) -> str:
    """Write a date of birth; what is not known is 00 (NHA's Swagger allows it)."""
    year, month, day = map(int, birth)
    if form == "yyyy-MM-dd":
        return f"{year:04d}-{month:02d}-{day:02d}"
    return f"{day:02d}-{month:02d}-{year:04d}"


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text


def _bytes(text: str) -> bytearray:
    return bytearray(text, "utf-8")
