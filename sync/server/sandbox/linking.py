"""Record linking (M2): a link token, then care contexts, both answered later by a callback."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sync.server.sandbox.accounts import Account, Accounts
from sync.server.sandbox.asking import Asked, keys_of
from sync.server.sandbox.callbacks import Callback, Callbacks
from sync.server.sandbox.faults import Fault
from sync.server.sandbox.replies import Reply, coded, fields
from sync.server.sandbox.rules import UNKNOWN_HIP, Rule

__all__ = ["Linking"]

_TOKEN_PATH: Final = "/api/v3/hip/token/on-generate-token"  # noqa: S105 - a path
_LINK_PATH: Final = "/api/v3/link/on_carecontext"
_TOKEN_SECONDS: Final = 180 * 86_400
_DUPLICATE_SECONDS: Final = 69
"""A second request for a token within so long is a duplicate, even of a refused one (NHA)."""
_CONTEXTS_MAX: Final = 20
_KEPT_MAX: Final = 100_000
_TEXT: Final = re.compile(r"[a-zA-Z0-9_\-@,. ()/:\\]{0,255}")
_HIP: Final = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_HI_TYPES: Final = frozenset({
    "Prescription", "DiagnosticReport", "OPConsultation", "DischargeSummary",
    "ImmunizationRecord", "HealthDocumentRecord", "WellnessRecord", "Invoice",
})  # fmt: skip
_HI_NAMES: Final = ("hiType", "hiTypes")


@dataclass(frozen=True, slots=True)
class _Token:
    account: Account
    hip: str
    until: float


class Linking:
    """Both routes."""

    def __init__(
        self, *, accounts: Accounts, callbacks: Callbacks, clock: Callable[[], float]
    ) -> None:
        self._accounts, self._callbacks, self._clock = accounts, callbacks, clock
        self._lock = threading.Lock()
        self._tokens: dict[str, _Token] = {}
        self._asked_at: dict[tuple[str, str], float] = {}

    def token(self, asked: Asked) -> Reply:
        """Answer ``generate-token`` with 202, and the token or its refusal by callback."""
        hip = _hip(asked)
        body = keys_of(
            asked.json(),
            required={"name", "gender", "yearOfBirth"},
            optional={"abhaNumber", "abhaAddress"},
            name="request",
        )
        _check_token_request(body)
        account = self._account(body)
        self._check_duplicate(hip, str(body.get("abhaAddress") or body.get("abhaNumber")))
        if account is None:
            answer = _error("ABDM-1051", "Invalid ABHA Number or ABHA Address")
        elif account.rule is Rule.LINK_BLOCKED:
            answer = _error("ABDM-1027", "You are blocked. Please try again after 24 hours.")
        elif account.rule is Rule.LINK_KYC or not _is_same_person(account, body):
            answer = _error("ABDM-1043", "ABHA Address does not match with KYC details")
        else:
            token = f"practice-link-{secrets.token_hex(32)}"
            with self._lock:
                self._tokens[token] = _Token(account, hip, self._clock() + _TOKEN_SECONDS)
                if len(self._tokens) > _KEPT_MAX:
                    del self._tokens[next(iter(self._tokens))]
            answer = {"abhaAddress": account.addresses[0], "linkToken": token}
        return self._later(asked, hip, _TOKEN_PATH, answer)

    def link(self, asked: Asked) -> Reply:
        """Answer ``link/carecontext`` with 202, and how it went by callback."""
        hip = _hip(asked)
        body = keys_of(
            asked.json(),
            required={"abhaNumber", "abhaAddress", "patient"},
            optional=set(),
            name="request",
        )
        references = _references(body["patient"])
        account = self._token_owner(asked.head("X-LINK-TOKEN"), hip)
        if body["abhaNumber"] != account.bare_number:
            raise coded(400, "ABDM-1062", "ABHA number mismatch with link token")
        if body["abhaAddress"] not in account.addresses:
            raise coded(400, "ABDM-1038", "ABHA address and link token mismatch")
        wanted = {(hip, reference) for reference in references}
        with self._lock:
            is_known = wanted <= account.linked
            account.linked = account.linked | wanted
        if is_known:
            answer = _error("ABDM-1056", "This care contexts has been already linked")
        else:
            words = "Successfully Linked care context"
            answer = {"abhaAddress": body["abhaAddress"], "status": words}
        return self._later(asked, hip, _LINK_PATH, answer)

    def _later(self, asked: Asked, hip: str, path: str, answer: dict[str, Any]) -> Reply:
        request_id = asked.head("REQUEST-ID")
        callback = Callback(
            path=path,
            hip=hip,
            request_id=request_id,
            body={**answer, "response": {"requestId": request_id}},
        )
        times = {Fault.CALLBACK_LOST: 0, Fault.CALLBACK_TWICE: 2}
        self._callbacks.add(
            callback,
            times=next((count for fault, count in times.items() if asked.call.fate == fault), 1),
        )
        return Reply(status=202)

    def _account(self, body: dict[str, Any]) -> Account | None:
        """Find whom number and address name, if both name the same account."""
        number, address = body.get("abhaNumber"), body.get("abhaAddress")
        found: list[Account | None] = []
        if number is not None:
            found.append(self._accounts.by_number(_bare(number)))
        if address is not None:
            found.append(self._accounts.by_address(str(address)))
        return found[0] if all(one is found[0] for one in found) else None

    def _check_duplicate(self, hip: str, whom: str) -> None:
        with self._lock:
            now, key = self._clock(), (hip, whom)
            before = self._asked_at.get(key)
            if before is not None and now - before < _DUPLICATE_SECONDS:
                raise coded(400, "ABDM-1092", "Duplicate Link token request")
            self._asked_at = {
                key: at for key, at in self._asked_at.items() if now - at < _DUPLICATE_SECONDS
            }
            self._asked_at[key] = now

    def _token_owner(self, token: str, hip: str) -> Account:
        with self._lock:
            found = self._tokens.get(token.removeprefix("Bearer "))
        if found is None or found.until <= self._clock():
            raise coded(401, "ABDM-1026", "Invalid Link Token")
        if found.hip != hip:
            raise coded(400, "ABDM-1063", "HIP Id mismatch with link token")
        return found.account


def _hip(asked: Asked) -> str:
    hip = asked.head("X-HIP-ID")
    if _HIP.fullmatch(hip) is None or hip == UNKNOWN_HIP:
        raise coded(400, "ABDM-1035", "Invalid HIP ID")
    return hip


def _check_token_request(body: dict[str, Any]) -> None:
    year = body["yearOfBirth"]
    is_fine = {
        "name": isinstance(body["name"], str) and body["name"].strip(),
        "gender": body["gender"] in ("M", "F", "O", "D", "T", "U"),
        "yearOfBirth": type(year) is int and 1850 < year < 2100,  # noqa: PLR2004 - years of people
        "abhaAddress": body.get("abhaAddress") is not None or body.get("abhaNumber") is not None,
    }
    faults = {name: f"Invalid {name}" for name, is_right in is_fine.items() if not is_right}
    if faults:
        raise fields(**faults)


def _is_same_person(account: Account, body: dict[str, Any]) -> bool:
    """Whether name, gender and year are the account's; nobody is described: then they are."""
    person = account.person
    return person is None or (
        " ".join(person.name.casefold().split()) == " ".join(body["name"].casefold().split())
        and person.gender == body["gender"]
        and person.birth[0] == body["yearOfBirth"]
    )


def _references(patient: object) -> list[str]:
    """Check each entry of ``patient`` and give all references of its care contexts."""
    if not isinstance(patient, list) or not patient:
        raise fields(patient="Invalid patient")
    found: list[str] = []
    for entry in patient:
        named = {name for name in _HI_NAMES if isinstance(entry, dict) and name in entry}
        keys = {"referenceNumber", "display", "careContexts", "count", *(named or {"hiType"})}
        one = keys_of(entry, required=keys, optional=set(), name="patient")
        hi_type = one[min(keys & set(_HI_NAMES))]
        if len(named) != 1 or not isinstance(hi_type, str) or hi_type not in _HI_TYPES:
            raise fields(hiType="Invalid hiType")
        _check_words(one)
        contexts = one["careContexts"]
        if not isinstance(contexts, list) or not 1 <= len(contexts) <= _CONTEXTS_MAX:
            raise coded(400, "ABDM-1059", "Invalid care contexts count")
        if type(one["count"]) is not int or one["count"] != len(contexts):
            raise coded(400, "ABDM-1037", "Counter and care context count mismatch")
        for context in contexts:
            wanted = {"referenceNumber", "display"}
            _check_words(keys_of(context, required=wanted, optional=set(), name="careContexts"))
            found.append(context["referenceNumber"])
    return found


def _check_words(entry: dict[str, Any]) -> None:
    for name in ("referenceNumber", "display"):
        text = entry[name]
        if not isinstance(text, str) or not text or _TEXT.fullmatch(text) is None:
            raise fields(**{name: f"Invalid {name}"})


def _bare(number: object) -> str:
    """Give fourteen digits; a JSON number has lost its zeros in front."""
    return f"{number:014d}" if type(number) is int else str(number)


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
