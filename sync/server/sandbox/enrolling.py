"""Giving numbers: by demographics, where the practice is as strict as NHA's documents are."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import date
from typing import Any, Final

from schemas.formats import is_aadhaar, is_mobile, is_pincode
from sync.server.sandbox.accounts import Account, Accounts, Person, mismatch, place_of
from sync.server.sandbox.asking import Asked, keys_of
from sync.server.sandbox.journal import Journal, Outcome
from sync.server.sandbox.keys import CertificateKeys
from sync.server.sandbox.places import place_names
from sync.server.sandbox.replies import Refused, Reply, coded, fields, flat
from sync.server.sandbox.rules import Rule, rule_of
from sync.server.sandbox.sessions import Credentials, Sessions

__all__ = ["Enrolling", "check_consent", "refusal_of"]

_CONSENT: Final = {"code": "abha-enrollment", "version": "1.4"}
_NAME_MAX: Final = 255
_PHOTO_BYTES_MAX: Final = 100 * 1024
_REQUIRED: Final = {
    "aadhaarNumber", "name", "dateOfBirth", "gender", "stateCode", "districtCode",
}  # fmt: skip
_OPTIONAL: Final = {"mobile", "pinCode", "address", "profilePhoto"}


class Enrolling:
    """Demographic authentication: create or get."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        sessions: Sessions,
        keys: CertificateKeys,
        journal: Journal,
        credentials: Credentials,
    ) -> None:
        self._accounts, self._sessions = accounts, sessions
        self._keys, self._journal = keys, journal
        self._benefit = credentials.benefit

    def by_demographics(self, asked: Asked, body: dict[str, Any]) -> Reply:
        """Answer ``authMethods: [demo_auth]``."""
        if asked.head("BENEFIT_NAME") != self._benefit:
            raise coded(401, "ABDM-1094", "Invalid Benefit Name")
        check_consent(body)
        auth = keys_of(
            body["authData"], required={"authMethods", "demo_auth"}, optional=set(), name="authData"
        )
        ask = keys_of(auth["demo_auth"], required=_REQUIRED, optional=_OPTIONAL, name="demo_auth")
        aadhaar = self._keys.open(str(ask["aadhaarNumber"])) or ""
        if not is_aadhaar(aadhaar):
            raise fields(aadhaarNumber="Invalid Aadhaar Number")
        person = _person(ask)
        digest = self._journal.digest(aadhaar)
        self._journal.note_ask(asked.call, digest)
        rule = rule_of(aadhaar)
        if refusal := refusal_of(rule):
            raise refusal
        if rule is Rule.MISMATCH:
            raise mismatch()
        account, is_new = self._accounts.find_or_create(digest, rule, person, person.mobile)
        self._journal.note_outcome(asked.call, Outcome.CREATED if is_new else Outcome.FOUND)
        return Reply.of(_flat_answer(account, person, self._sessions.open_profile(account), is_new))


def refusal_of(rule: Rule | None) -> Refused | None:
    """Give the refusal that somebody always meets, by whatever road; ``None`` for most."""
    match rule:
        case Rule.DEACTIVATED:
            return coded(422, "ABDM-1407", "This ABHA is deactivated")
        case Rule.REVIEW:
            return coded(422, "ABDM-1141", "Existing ABHA created with this Aadhaar found")
        case Rule.UNKNOWN_CODE:
            return flat(422, "ABDM-4711", "Practice: a refusal that no document names")
        case Rule.UIDAI:
            return coded(422, "ABDM-1204", "UIDAI Error code : 998 : Invalid Aadhaar Number")
        case Rule.OUTAGE:
            return coded(503, "ABDM-1206", "Aadhaar Gateway is unavailable")
        case _:
            return None


def check_consent(body: dict[str, Any]) -> None:
    """Refuse an enrolment without the one consent that NHA knows, and unknown keys beside it."""
    keys_of(body, required={"authData", "consent"}, optional=set(), name="request")
    consent = body["consent"]
    given = consent if isinstance(consent, dict) else {}
    faults = {
        f"consent{key.title()}": f"Invalid Consent {key.title()}"
        for key, value in _CONSENT.items()
        if given.get(key) != value
    }
    if faults:
        raise fields(**faults)


def _person(ask: dict[str, Any]) -> Person:
    """Read the demographics, or refuse all faulty fields at once."""
    birth = _birth(ask["dateOfBirth"])
    codes = _code(ask["stateCode"], 2), _code(ask["districtCode"], 4)
    is_fine = {
        "name": _is_name(ask["name"]),
        "dateOfBirth": birth is not None,
        "gender": ask["gender"] in ("M", "F", "O"),
        "stateCode": codes[0] is not None,
        "districtCode": codes[1] is not None,
        "mobile": "mobile" not in ask or _holds(ask["mobile"], is_mobile),
        "pinCode": "pinCode" not in ask or _holds(ask["pinCode"], is_pincode),
        "address": "address" not in ask or _is_text(ask["address"]),
        "profilePhoto": "profilePhoto" not in ask or _is_photo(ask["profilePhoto"]),
    }
    faults = {name: f"Invalid {name}" for name, is_right in is_fine.items() if not is_right}
    if faults or birth is None or codes[0] is None or codes[1] is None:
        raise fields(**faults)
    if place_names(codes[0], codes[1]) is None:
        raise fields(districtCode="District code does not belong to the state code")
    return Person(
        name=ask["name"],
        birth=birth,
        gender=ask["gender"],
        state=codes[0],
        district=codes[1],
        mobile=ask.get("mobile"),
        pincode=ask.get("pinCode", ""),
        address=ask.get("address", ""),
    )


def _birth(text: object) -> tuple[int, int, int] | None:
    """Read ``dd-MM-yyyy`` or ``yyyy-MM-dd`` (NHA's pages disagree); 00 where not known."""
    if not isinstance(text, str):
        return None
    if found := re.fullmatch(r"(\d\d)-(\d\d)-(\d{4})", text, re.ASCII):
        day, month, year = (int(part) for part in found.groups())
    elif found := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text, re.ASCII):
        year, month, day = (int(part) for part in found.groups())
    else:
        return None
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return None
    return (year, month, day) if month or not day else None


def _code(text: object, digits_max: int) -> int | None:
    is_code = isinstance(text, str) and re.fullmatch(rf"[0-9]{{1,{digits_max}}}", text)
    return int(str(text)) if is_code else None


def _is_name(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text.strip()) <= _NAME_MAX and text.isprintable()


def _is_text(text: object) -> bool:
    return isinstance(text, str) and len(text) <= _NAME_MAX and text.isprintable()


def _holds(text: object, check: Any) -> bool:
    return isinstance(text, str) and check(text)


def _is_photo(text: object) -> bool:
    try:
        return 0 < len(base64.b64decode(str(text), validate=True)) <= _PHOTO_BYTES_MAX
    except (ValueError, binascii.Error):
        return False


def _flat_answer(
    account: Account,
    person: Person,
    token: dict[str, Any],
    is_new: bool,  # noqa: FBT001 - the last field of the answer
) -> dict[str, Any]:
    """Answer in demographic authentication's own flat shape."""
    first, *rest = person.name.split()
    year, month, day = (account.person or person).birth
    state, district = place_of(person)
    return {
        "healthIdNumber": account.number,
        "healthId": account.addresses[0],
        "mobile": f"******{account.mobile[-4:]}" if account.mobile else None,
        "firstName": first,
        "middleName": " ".join(rest[:-1]),
        "lastName": rest[-1] if rest else "",
        "name": person.name,
        "yearOfBirth": str(year),
        "dayOfBirth": str(day) if day else None,
        "monthOfBirth": str(month) if month else None,
        "gender": person.gender,
        "stateCode": str(person.state),
        "districtCode": str(person.district),
        "stateName": state.upper(),
        "districtName": district,
        "kycVerified": True,
        "token": token["token"],
        "jwtResponse": token,
        "status": "ACTIVE",
        "new": is_new,
    }
