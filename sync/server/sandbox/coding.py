"""The road by one-time code: ask for it, enrol by it, prove a mobile, choose an address."""

from __future__ import annotations

import secrets
from typing import Any, Final

from schemas.formats import is_aadhaar, is_abha_handle, is_mobile
from sync.server.sandbox.accounts import Account, Accounts, place_of
from sync.server.sandbox.asking import Asked, keys_of, list_of
from sync.server.sandbox.enrolling import check_consent, refusal_of
from sync.server.sandbox.journal import Journal, Outcome
from sync.server.sandbox.keys import CertificateKeys
from sync.server.sandbox.otp import Codes, Transaction, late
from sync.server.sandbox.replies import Reply, coded, fields
from sync.server.sandbox.rules import Rule, rule_of
from sync.server.sandbox.sessions import Sessions

__all__ = ["Coding"]

_MOBILE_SCOPE: Final = ["abha-enrol", "mobile-verify"]
_REQUEST: Final = {"scope", "loginHint", "loginId", "otpSystem"}


class Coding:
    """The routes with a person present."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        sessions: Sessions,
        keys: CertificateKeys,
        journal: Journal,
        codes: Codes,
    ) -> None:
        self._accounts, self._sessions, self._codes = accounts, sessions, codes
        self._keys, self._journal = keys, journal

    def request(self, asked: Asked) -> Reply:
        """Answer ``request/otp``: a code to the mobile that Aadhaar knows, or to a new one."""
        body = keys_of(asked.json(), required=_REQUEST, optional={"txnId"}, name="request")
        if body["loginHint"] == "aadhaar":
            return self._to_aadhaar_mobile(asked, body)
        return self._to_new_mobile(body)

    def enrol(self, asked: Asked, body: dict[str, Any]) -> Reply:
        """Answer ``authMethods: [otp]``."""
        check_consent(body)
        otp = _otp_of(body["authData"], optional={"timeStamp", "mobile"})
        transaction = self._codes.find(otp["txnId"])
        mobile = otp.get("mobile")
        if not (isinstance(mobile, str) and is_mobile(mobile)):
            raise fields(mobile="Invalid Mobile Number")
        code = self._opened(otp["otpValue"], "otpValue")
        asked.call.person = transaction.digest
        if not self._codes.is_right(transaction, purpose="aadhaar", code=code):
            raise coded(422, "ABDM-1204", "UIDAI Error code : 400 : Invalid OTP value")
        self._journal.note_ask(asked.call, transaction.digest)
        if refusal := refusal_of(transaction.rule):
            raise refusal
        is_proven = _is_aadhaar_mobile(mobile)
        account, is_new = self._accounts.find_or_create(
            transaction.digest, transaction.rule, None, mobile if is_proven else None
        )
        self._codes.spend(transaction)
        transaction.account = account
        self._journal.note_outcome(asked.call, Outcome.CREATED if is_new else Outcome.FOUND)
        return Reply.of({
            "message": "Account created successfully" if is_new else "This account already exist",
            "txnId": transaction.id,
            "tokens": self._sessions.open_profile(account),
            "ABHAProfile": profile_of(account),
            "isNew": is_new,
        })  # fmt: skip

    def verify(self, asked: Asked) -> Reply:
        """Answer ``auth/byAbdm``: a wrong code is no refusal there but ``authResult: failed``."""
        body = keys_of(asked.json(), required={"scope", "authData"}, optional=set(), name="request")
        list_of(body["scope"], wanted=_MOBILE_SCOPE, name="scope")
        otp = _otp_of(body["authData"], optional={"timeStamp"})
        transaction = self._codes.find(otp["txnId"])
        code = self._opened(otp["otpValue"], "otpValue")
        account, mobile = transaction.account, transaction.mobile
        if account is None or mobile is None:
            raise late()
        answer = {"txnId": transaction.id, "accounts": [{"ABHANumber": account.number}]}
        if not self._codes.is_right(transaction, purpose="mobile", code=code):
            words = "Please enter a valid OTP. Entered OTP is either expired or incorrect."
            return Reply.of({**answer, "authResult": "failed", "message": words, "accounts": []})
        self._accounts.set_mobile(account, mobile)
        self._codes.spend(transaction)
        words = "Mobile Number linked successfully."
        return Reply.of({**answer, "authResult": "success", "message": words})

    def suggest(self, asked: Asked) -> Reply:
        """Answer ``enrol/suggestion``."""
        transaction = self._enrolled(asked.head("TRANSACTION_ID"))
        handles = [f"practice.{secrets.randbelow(10**6):06d}" for _ in range(3)]
        return Reply.of({"txnId": transaction.id, "abhaAddressList": handles})

    def address(self, asked: Asked) -> Reply:
        """Answer ``enrol/abha-address``."""
        wanted = {"txnId", "abhaAddress", "preferred"}
        body = keys_of(asked.json(), required=wanted, optional=set(), name="request")
        transaction = self._enrolled(body["txnId"])
        handle = body["abhaAddress"]
        if not (isinstance(handle, str) and is_abha_handle(handle)) or body["preferred"] != 1:
            raise fields(abhaAddress="Invalid ABHA Address")
        account = self._account(transaction)
        return Reply.of({
            "txnId": transaction.id,
            "healthIdNumber": account.number,
            "preferredAbhaAddress": self._accounts.add_address(account, handle),
        })  # fmt: skip

    def profile(self, asked: Asked) -> Reply:
        """Answer ``profile/account``."""
        return Reply.of(profile_of(self._sessions.profile(asked.head("X-token"))))

    def _to_aadhaar_mobile(self, asked: Asked, body: dict[str, Any]) -> Reply:
        list_of(body["scope"], wanted=["abha-enrol"], name="scope")
        list_of([body["otpSystem"]], wanted=["aadhaar"], name="otpSystem")
        aadhaar = self._opened(body["loginId"], "loginId")
        if not is_aadhaar(aadhaar):
            raise fields(loginId="Invalid LoginId")
        digest, rule = self._journal.digest(aadhaar), rule_of(aadhaar)
        asked.call.person = digest
        if rule is Rule.OUTAGE:
            raise refusal_of(rule) or late()
        if rule is Rule.NO_MOBILE:
            words = "UIDAI Error code : 954 : Mobile number is not registered with Aadhaar"
            raise coded(422, "ABDM-1204", words)
        given = body.get("txnId")
        transaction = self._codes.find(given) if given else self._codes.begin(digest, rule)
        if transaction.digest != digest or transaction.account is not None:
            raise late()
        to = f"mobile of the Aadhaar number ending {aadhaar[-4:]}"
        self._codes.send(transaction, purpose="aadhaar", to=to, mobile=None)
        hint = f"******{int(digest, 16) % 10_000:04d}"
        words = f"OTP sent to Aadhaar registered mobile number ending with {hint}"
        return Reply.of({"txnId": transaction.id, "message": words})

    def _to_new_mobile(self, body: dict[str, Any]) -> Reply:
        list_of(body["scope"], wanted=_MOBILE_SCOPE, name="scope")
        list_of([body["loginHint"], body["otpSystem"]], wanted=["mobile", "abdm"], name="loginHint")
        transaction = self._enrolled(body.get("txnId"))
        mobile = self._opened(body["loginId"], "loginId")
        if not is_mobile(mobile):
            raise fields(loginId="Invalid LoginId")
        to = f"mobile ending {mobile[-4:]}"
        self._codes.send(transaction, purpose="mobile", to=to, mobile=mobile)
        words = f"OTP is sent to Mobile number ending with ******{mobile[-4:]}"
        return Reply.of({"txnId": transaction.id, "message": words})

    def _opened(self, text: object, name: str) -> str:
        plain = self._keys.open(text) if isinstance(text, str) else None
        if plain is None:
            raise fields(**{name: f"Invalid {name}"})
        return plain

    def _enrolled(self, txn_id: object) -> Transaction:
        transaction = self._codes.find(txn_id)
        self._account(transaction)
        return transaction

    def _account(self, transaction: Transaction) -> Account:
        if transaction.account is None:
            raise late()
        return transaction.account


def profile_of(account: Account) -> dict[str, Any]:
    """Give a profile as the road by code does; whom nobody has described is *Practice Person*."""
    person = account.person
    common = {
        "phrAddress": account.addresses,
        "mobile": f"******{account.mobile[-4:]}" if account.mobile else None,
        "email": None,
        "abhaType": "STANDARD",
        "ABHANumber": account.number,
        "abhaStatus": "ACTIVE",
    }
    if person is None:
        return {**common, "firstName": "Practice", "middleName": "", "lastName": "Person"}
    first, *rest = person.name.split()
    year, month, day = person.birth
    state, district = place_of(person)
    return {
        **common,
        "firstName": first,
        "middleName": " ".join(rest[:-1]),
        "lastName": rest[-1] if rest else "",
        "dob": f"{day:02d}-{month:02d}-{year:04d}",
        "gender": person.gender,
        "stateCode": str(person.state),
        "districtCode": str(person.district),
        "stateName": state.upper(),
        "districtName": district,
        "pinCode": person.pincode,
        "address": person.address,
    }


def _otp_of(auth: object, *, optional: set[str]) -> dict[str, Any]:
    given = keys_of(auth, required={"authMethods", "otp"}, optional=set(), name="authData")
    list_of(given["authMethods"], wanted=["otp"], name="authMethods")
    return keys_of(given["otp"], required={"txnId", "otpValue"}, optional=optional, name="otp")


def _is_aadhaar_mobile(mobile: str) -> bool:
    """Whether Aadhaar knows this mobile, so that it need not be proven: our rule, even digits."""
    return int(mobile[-1]) % 2 == 0
