"""Reading what ABDM answers, leniently: the same thing has several names and places there.

NHA's own pages disagree about them (its demographic answer is flat, its OTP answer is nested), so
each is looked for wherever one of them puts it. What cannot be meant is as good as absent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

from schemas.formats import is_abha_address
from sync.server.abdm.calls import Enrolled, OtpSent, Paper

__all__ = [
    "abha_address_of",
    "enrolled_of",
    "first_text",
    "json_object",
    "moment_of",
    "otp_of",
    "paper_of",
    "seconds_of",
    "suggestions_of",
    "verified_of",
]

_TOKEN_LENGTH_MAX: Final = 8192
_TOKEN_SECONDS: Final = 1800
"""A user token's life as NHA documents it, for an answer that names none."""
_SECONDS_MAX: Final = 86_400
_SUGGESTIONS_MAX: Final = 20
_PICTURES: Final = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


def json_object(body: bytes) -> dict[str, Any] | None:
    """Give a body's JSON object, or ``None`` for anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def first_text(answer: Mapping[str, Any], *names: str) -> str | None:
    """Give the first of these names (dots go deeper) that holds a usable text."""
    for value in _values(answer, names):
        if isinstance(value, list) and value:
            value = value[0]  # noqa: PLW2901 - phrAddress is a list in some answers
        if isinstance(value, str) and 0 < len(value) <= _TOKEN_LENGTH_MAX and value.isprintable():
            return value
    return None


def seconds_of(answer: Mapping[str, Any], *names: str) -> int | None:
    """Give the first of these names that holds a possible number of seconds, at most a day."""
    for value in _values(answer, names):
        text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
        if re.fullmatch(r"[0-9]{1,9}", text) and int(text) > 0:
            return min(int(text), _SECONDS_MAX)
    return None


def moment_of(text: str) -> float | None:
    """Read a date of HTTP's as seconds since 1970; ``None`` for what is no moment at all."""
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def enrolled_of(answer: Mapping[str, Any], *, mobile: str | None = None) -> Enrolled | None:
    """Read an enrolment's answer; ``None`` when it holds no ABHA number.

    ``mobile`` is what was asked with: the profile says whether it is the account's now.
    """
    number = _number(answer)
    if number is None:
        return None
    address = first_text(
        answer,
        "healthId",
        "preferredAbhaAddress",
        "ABHAProfile.preferredAddress",
        "ABHAProfile.preferredAbhaAddress",
        "ABHAProfile.phrAddress",
        "phrAddress",
        "abhaAddress",
    )
    return Enrolled(
        abha_number=number,
        abha_address=address if address is not None and is_abha_address(address) else None,
        is_new=_flag(answer, "new", "isNew", "ABHAProfile.isNew"),
        token=first_text(
            answer,
            "jwtResponse.token",
            "token",
            "tokens.token",
            "tokens.id_token",
            "tokens.accessToken",
            "accessToken",
        ),
        token_seconds=seconds_of(
            answer, "jwtResponse.expiresIn", "tokens.expiresIn", "tokens.expires_in", "expiresIn"
        )
        or _TOKEN_SECONDS,
        txn_id=first_text(answer, "txnId", "transactionId"),
        mobile_verified=_mobile_verified(answer, mobile),
    )


def otp_of(answer: Mapping[str, Any]) -> OtpSent | None:
    """Read that a code is on its way; ``None`` when the answer names no transaction."""
    txn_id = first_text(answer, "txnId", "transactionId")
    if txn_id is None:
        return None
    message = first_text(answer, "message") or ""
    masked = re.search(r"[*xX•]{2,8}[0-9]{2,4}(?![0-9])", message)
    return OtpSent(txn_id=txn_id, mobile_hint=masked[0] if masked else "")


def verified_of(answer: Mapping[str, Any]) -> bool | None:
    """Read whether a code was right; ``None`` when it is not said."""
    match (first_text(answer, "authResult") or "").lower():
        case "success":
            return True
        case "":
            return None
    return False


def suggestions_of(answer: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Read the handles on offer, without their suffix; ``None`` when there is no list."""
    found = answer.get("abhaAddressList")
    if not isinstance(found, list):
        return None
    handles = [each.partition("@")[0] for each in found if isinstance(each, str)]
    fitting = [each for each in handles if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._]{2,39}", each)]
    return tuple(dict.fromkeys(fitting))[:_SUGGESTIONS_MAX]


def abha_address_of(answer: Mapping[str, Any], cm_id: str) -> str | None:
    """Read the address that was given, with its suffix."""
    found = first_text(answer, "preferredAbhaAddress", "abhaAddress", "healthId")
    whole = found if found is None or "@" in found else f"{found}@{cm_id}"
    return whole if whole is not None and is_abha_address(whole) else None


def paper_of(body: bytes) -> Paper | None:
    """Give a picture as what its first bytes say it is; ``None`` for anything else."""
    for beginning, media_type in _PICTURES:
        if body.startswith(beginning):
            return Paper(media_type=media_type, data=body)
    return None


def _number(answer: Mapping[str, Any]) -> str | None:
    found = first_text(
        answer, "healthIdNumber", "ABHANumber", "ABHAProfile.ABHANumber", "abhaNumber"
    )
    digits = (found or "").replace("-", "")
    if not re.fullmatch(r"[0-9]{14}", digits):
        return None
    return f"{digits[:2]}-{digits[2:6]}-{digits[6:10]}-{digits[10:]}"


def _flag(answer: Mapping[str, Any], *names: str) -> bool | None:
    for value in _values(answer, names):
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
    return None


def _mobile_verified(answer: Mapping[str, Any], mobile: str | None) -> bool | None:
    """Whether the account's mobile is the one asked with; NHA masks all but its last four."""
    profile = answer.get("ABHAProfile")
    if mobile is None or not isinstance(profile, dict) or "mobile" not in profile:
        return None
    held = profile["mobile"]
    return isinstance(held, str) and held[-4:] == mobile[-4:]


def _values(answer: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[Any]:
    for name in names:
        held: Any = answer
        for part in name.split("."):
            held = held.get(part) if isinstance(held, dict) else None
        if held is not None:
            yield held
