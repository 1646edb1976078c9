"""The road by one-time code, with the person present."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from practice_calls import CONSENT, SHANTI, Clock, PracticeClient
from sync.server.sandbox.rules import Rule, number_for

ENROLLMENT = "/abha/api/v3/enrollment"
PROVEN, UNPROVEN = "9205373584", "9205373585"
"""Our rule: Aadhaar knows the mobiles that end in an even digit."""


def ask(client: PracticeClient, aadhaar: str = SHANTI, txn_id: str = "") -> httpx.Response:
    body = {
        "txnId": txn_id,
        "scope": ["abha-enrol"],
        "loginHint": "aadhaar",
        "loginId": client.seal(aadhaar),
        "otpSystem": "aadhaar",
    }
    return client.post(f"{ENROLLMENT}/request/otp", body)


def begin(client: PracticeClient, aadhaar: str = SHANTI) -> str:
    return str(ask(client, aadhaar).json()["txnId"])


def enrol(
    client: PracticeClient, txn_id: str, code: str | None = None, mobile: str = PROVEN
) -> httpx.Response:
    spoken = {
        "txnId": txn_id,
        "otpValue": client.seal(client.abdm.code if code is None else code),
        "mobile": mobile,
    }
    auth = {"authMethods": ["otp"], "otp": spoken}
    return client.send_enrolment({"authData": auth, "consent": CONSENT}, BENEFIT_NAME=None)


def ask_mobile(client: PracticeClient, txn_id: str, mobile: str = UNPROVEN) -> httpx.Response:
    body = {
        "txnId": txn_id,
        "scope": ["abha-enrol", "mobile-verify"],
        "loginHint": "mobile",
        "loginId": client.seal(mobile),
        "otpSystem": "abdm",
    }
    return client.post(f"{ENROLLMENT}/request/otp", body)


def verify(client: PracticeClient, txn_id: str, code: str) -> Any:
    spoken = {"txnId": txn_id, "otpValue": client.seal(code)}
    auth = {"authMethods": ["otp"], "otp": spoken}
    body = {"scope": ["abha-enrol", "mobile-verify"], "authData": auth}
    return client.post(f"{ENROLLMENT}/auth/byAbdm", body).json()


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def code_of(reply: httpx.Response) -> str:
    return str(reply.json()["error"]["code"])


def test_the_right_code_gives_a_number(client: PracticeClient) -> None:
    reply = ask(client)
    assert "******" in reply.json()["message"]
    answer = enrol(client, reply.json()["txnId"]).json()
    profile = answer["ABHAProfile"]
    assert answer["isNew"] is True
    assert profile["ABHANumber"].startswith("00-")
    assert profile["mobile"] == f"******{PROVEN[-4:]}"
    assert answer["tokens"]["expiresIn"] == 1800


def test_both_roads_find_the_same_account(client: PracticeClient) -> None:
    number = client.enrol().json()["healthIdNumber"]
    answer = enrol(client, begin(client)).json()
    assert (answer["ABHAProfile"]["ABHANumber"], answer["isNew"]) == (number, False)
    assert answer["ABHAProfile"]["lastName"] == "Devi"
    assert client.abdm.person(SHANTI)["creations"] == 1


def test_whom_only_a_code_vouched_for_may_be_described_later(client: PracticeClient) -> None:
    assert enrol(client, begin(client)).json()["ABHAProfile"]["lastName"] == "Person"
    assert client.enrol().json()["new"] is False
    assert client.enrol(name="Another").status_code == 422


def test_a_wrong_code_is_refused_with_uidais_words_and_opens_nothing(
    client: PracticeClient,
) -> None:
    txn_id = begin(client)
    reply = enrol(client, txn_id, wrong(client.abdm.code))
    assert (code_of(reply), "400" in reply.json()["error"]["message"]) == ("ABDM-1204", True)
    assert client.abdm.accounts == []
    assert enrol(client, txn_id).status_code == 200


def test_the_fourth_try_is_refused_even_with_the_right_code(client: PracticeClient) -> None:
    txn_id = begin(client)
    for _ in range(3):
        enrol(client, txn_id, wrong(client.abdm.code))
    assert code_of(enrol(client, txn_id)) == "ABDM-1100"


def test_a_code_opens_once_and_for_ten_minutes(client: PracticeClient) -> None:
    assert isinstance(client.clock, Clock)
    txn_id, code = begin(client), client.abdm.code
    assert enrol(client, txn_id, code).status_code == 200
    assert code_of(enrol(client, txn_id, code)) == "ABDM-1017"
    txn_id, code = begin(client), client.abdm.code
    client.clock.now += 601
    assert code_of(enrol(client, txn_id, code)) == "ABDM-1017"


def test_a_code_is_sent_again_after_a_minute_and_three_times_at_most(
    client: PracticeClient,
) -> None:
    assert isinstance(client.clock, Clock)
    txn_id = begin(client)
    assert code_of(ask(client, txn_id=txn_id)) == "ABDM-1100"
    for _ in range(2):
        client.clock.now += 60
        assert ask(client, txn_id=txn_id).json()["txnId"] == txn_id
    client.clock.now += 60
    assert code_of(ask(client, txn_id=txn_id)) == "ABDM-1100"
    assert enrol(client, txn_id).status_code == 200, "the last code is good"


def test_a_transaction_is_one_persons_and_known(client: PracticeClient) -> None:
    txn_id = begin(client)
    assert code_of(ask(client, "999987259635", txn_id)) == "ABDM-1017"
    assert code_of(enrol(client, "made-up", "123456")) == "ABDM-1017"
    assert code_of(ask_mobile(client, txn_id)) == "ABDM-1017", "nobody is enrolled by it yet"


def test_who_has_no_mobile_at_aadhaar_gets_no_code(client: PracticeClient) -> None:
    assert code_of(ask(client, number_for(Rule.NO_MOBILE))) == "ABDM-1204"
    assert code_of(ask(client, number_for(Rule.OUTAGE))) == "ABDM-1206"
    assert client.abdm.sandbox.codes.shown() == []


def test_a_deactivated_number_is_refused_on_this_road_too(client: PracticeClient) -> None:
    txn_id = begin(client, number_for(Rule.DEACTIVATED))
    assert code_of(enrol(client, txn_id)) == "ABDM-1407"


@pytest.mark.parametrize("number", ["999927467708", "abc", ""])
def test_what_is_no_aadhaar_number_is_refused_without_a_reason(
    stranger: PracticeClient, number: str
) -> None:
    assert set(ask(stranger, number).json()) == {"loginId", "timestamp"}


def test_another_mobile_is_proven_by_a_code_of_its_own(client: PracticeClient) -> None:
    txn_id = begin(client)
    assert enrol(client, txn_id, mobile=UNPROVEN).json()["ABHAProfile"]["mobile"] is None
    assert UNPROVEN[-4:] in ask_mobile(client, txn_id).json()["message"]
    failed = verify(client, txn_id, wrong(client.abdm.code))
    assert (failed["authResult"], failed["accounts"]) == ("failed", [])
    done = verify(client, txn_id, client.abdm.code)
    assert (done["authResult"], done["txnId"]) == ("success", txn_id)
    assert done["accounts"][0]["ABHANumber"] == client.abdm.accounts[0]["abha_number"]


def test_a_proven_mobile_counts_towards_the_six(client: PracticeClient) -> None:
    for serial in range(6):
        client.enrol(number_for(Rule.LINK_KYC, serial), mobile=UNPROVEN)
    txn_id = begin(client)
    enrol(client, txn_id)
    ask_mobile(client, txn_id)
    refused = verify(client, txn_id, client.abdm.code)
    assert refused["code"].startswith("ABDM-1124")


def test_an_address_is_suggested_chosen_and_taken(client: PracticeClient) -> None:
    txn_id = begin(client)
    enrol(client, txn_id)
    suggested = client.get(f"{ENROLLMENT}/enrol/suggestion", TRANSACTION_ID=txn_id).json()
    assert len(suggested["abhaAddressList"]) == 3
    for handle in (suggested["abhaAddressList"][0], "shanti.devi70"):
        body = {"txnId": txn_id, "abhaAddress": handle, "preferred": 1}
        given = client.post(f"{ENROLLMENT}/enrol/abha-address", body).json()
        wanted = f"practice.{handle.removeprefix('practice.')}@sbx"
        assert given["preferredAbhaAddress"] == wanted
        assert client.abdm.accounts[0]["abha_address"] == wanted
    for handle in ("SHANTI.devi70", "taken.devi"):
        body = {"txnId": txn_id, "abhaAddress": handle, "preferred": 1}
        assert code_of(client.post(f"{ENROLLMENT}/enrol/abha-address", body)) == "ABDM-1101"


@pytest.mark.parametrize(
    "handle", ["short", "x" * 19, "9startswith", "two..dots", "a@sbx", None, 7]
)
def test_a_handle_that_cannot_be_is_refused(client: PracticeClient, handle: object) -> None:
    txn_id = begin(client)
    enrol(client, txn_id)
    body = {"txnId": txn_id, "abhaAddress": handle, "preferred": 1}
    reply = client.post(f"{ENROLLMENT}/enrol/abha-address", body)
    assert set(reply.json()) == {"abhaAddress", "timestamp"}


def test_codes_are_told_and_end_with_their_time(client: PracticeClient) -> None:
    assert isinstance(client.clock, Clock)
    begin(client)
    shown = client.get("/practice/otp").json()["codes"]
    assert [one["code"] for one in shown] == [client.abdm.code]
    assert client.abdm.told == [
        f"PRACTICE code {client.abdm.code} for the mobile of the Aadhaar number ending 7707"
    ]
    page = client.get("/practice/otp", Accept="text/html")
    assert client.abdm.code in page.text
    assert "PRACTICE" in page.text
    client.clock.now += 601
    assert client.get("/practice/otp").json()["codes"] == []
