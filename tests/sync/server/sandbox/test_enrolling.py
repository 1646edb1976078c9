"""Create or get by demographics, and every refusal that training needs."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from practice_calls import CONSENT, SHANTI, PracticeClient
from sync.server.sandbox.rules import FULL_MOBILE, Rule, number_for

CORPUS = Path(__file__).parents[5] / "shared" / "corpus" / "camp_200.jsonl"
OTHERS = ("999987259635", "999979519780", "999915563419", "999997899787")


def luhn_holds(digits: str) -> bool:
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(digits[::-1])]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def test_somebody_new_gets_a_number_that_no_real_one_can_be(client: PracticeClient) -> None:
    answer = client.enrol(mobile="9205373585", pinCode="327023", address="H.No 6").json()
    assert re.fullmatch(r"00(-[0-9]{4}){3}", answer["healthIdNumber"])
    assert luhn_holds(answer["healthIdNumber"].replace("-", ""))
    assert re.fullmatch(r"practice\.00[0-9]{12}@sbx", answer["healthId"])
    assert answer["new"] is True
    assert answer["mobile"] == "******3585"
    assert (answer["stateName"], answer["districtName"]) == ("RAJASTHAN", "BANSWARA")
    assert answer["token"] == answer["jwtResponse"]["token"]
    assert "txnId" not in answer, "demographic authentication has no transaction"


def test_asking_again_finds_the_same_number(client: PracticeClient) -> None:
    first, second = client.enrol().json(), client.enrol(name="SHANTI  devi").json()
    assert (second["healthIdNumber"], second["new"]) == (first["healthIdNumber"], False)
    assert client.abdm.person(SHANTI)["creations"] == 1


def test_many_who_ask_at_once_get_one_account(client: PracticeClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.enrol().json(), range(24)))
    assert len({answer["healthIdNumber"] for answer in answers}) == 1
    assert sum(answer["new"] for answer in answers) == 1
    assert client.abdm.person(SHANTI)["creations"] == 1


@pytest.mark.parametrize(
    "changes",
    [{"name": "Kanta Devi"}, {"gender": "M"}, {"dateOfBirth": "00-00-1971"}],
)
def test_another_description_of_somebody_known_is_a_mismatch(
    client: PracticeClient, changes: dict[str, Any]
) -> None:
    client.enrol()
    reply = client.enrol(**changes)
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "ABDM-1207")


def test_a_birth_day_may_be_unknown_on_one_side_only(client: PracticeClient) -> None:
    assert client.enrol(dateOfBirth="05-04-1970").json()["dayOfBirth"] == "5"
    assert client.enrol(dateOfBirth="1970-00-00").status_code == 200
    assert client.enrol(dateOfBirth="06-04-1970").status_code == 422


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        (Rule.MISMATCH, 422, "ABDM-1207"),
        (Rule.DEACTIVATED, 422, "ABDM-1407"),
        (Rule.REVIEW, 422, "ABDM-1141"),
        (Rule.UIDAI, 422, "ABDM-1204"),
        (Rule.OUTAGE, 503, "ABDM-1206"),
    ],
)
def test_the_numbers_of_the_help_page_do_what_it_says(
    stranger: PracticeClient, rule: Rule, status: int, code: str
) -> None:
    for serial in (0, 9):
        reply = stranger.enrol(number_for(rule, serial))
        assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert stranger.abdm.accounts == []


def test_a_code_that_nobody_knows_comes_flat_and_with_a_tail(client: PracticeClient) -> None:
    reply = client.enrol(number_for(Rule.UNKNOWN_CODE))
    assert (reply.status_code, reply.json()["code"]) == (422, "ABDM-4711: ")


def test_somebody_who_has_a_number_already_is_found_and_not_made(client: PracticeClient) -> None:
    number = number_for(Rule.EXISTING)
    answer = client.enrol(number).json()
    assert answer["new"] is False
    assert client.abdm.person(number)["creations"] == 0
    assert client.enrol(number).json()["healthIdNumber"] == answer["healthIdNumber"]
    assert [one["was_there"] for one in client.abdm.accounts] == [True]


def test_a_seventh_account_on_a_mobile_is_refused(client: PracticeClient) -> None:
    for serial in range(6):
        number = number_for(Rule.LINK_KYC, serial)
        assert client.enrol(number, mobile="9205373585").status_code == 200
    reply = client.enrol(mobile="9205373585")
    assert (reply.status_code, reply.json()["code"].rstrip(": ")) == (422, "ABDM-1124")
    assert client.enrol(number_for(Rule.LINK_KYC, 0), mobile="9205373585").status_code == 200
    assert client.enrol(mobile="9205373586").status_code == 200


def test_one_mobile_is_always_full(client: PracticeClient) -> None:
    assert client.enrol(mobile=FULL_MOBILE).status_code == 422
    assert client.enrol().status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""), ("name", 7), ("name", "x" * 256), ("name", "Shanti\u0007"), ("name", ...),
        ("dateOfBirth", "1970"), ("dateOfBirth", "1-1-1970"), ("dateOfBirth", "30-02-1970"),
        ("dateOfBirth", "05-00-1970"), ("dateOfBirth", "00-00-0000"), ("dateOfBirth", None),
        ("gender", "f"), ("gender", "T"), ("gender", ["F"]),
        ("stateCode", 8), ("stateCode", "RJ"), ("districtCode", 88), ("districtCode", "88888"),
        ("districtCode", "100"), ("districtCode", "9999"), ("stateCode", "99"),
        ("mobile", "+919205373585"), ("mobile", "1205373585"), ("mobile", 9205373585),
        ("mobile", None), ("pinCode", "32702"), ("pinCode", 327023),
        ("address", "x" * 256), ("address", None), ("profilePhoto", "!"), ("profilePhoto", ""),
        ("profilePhoto", base64.b64encode(bytes(100 * 1024 + 1)).decode()),
    ],
)  # fmt: skip
def test_a_field_that_is_not_as_documented_is_refused_by_name(
    stranger: PracticeClient, name: str, value: object
) -> None:
    district = {"stateCode": "7"} if (name, value) == ("districtCode", "100") else {}
    reply = stranger.enrol(**{**district, name: value})
    assert reply.status_code == 400
    wanted = {"name": {"name", "demo_auth"}, "stateCode": {"stateCode", "districtCode"}}
    assert set(reply.json()) & wanted.get(name, {name})
    assert stranger.abdm.accounts == []


def test_all_faulty_fields_are_named_at_once(client: PracticeClient) -> None:
    found = client.enrol(gender="f", pinCode="1").json()
    assert set(found) == {"gender", "pinCode", "timestamp"}


@pytest.mark.parametrize("number", ["999927467708", "99992746770", "123456789012", "", "९" * 12])
def test_a_number_that_cannot_be_an_aadhaar_number_is_refused(
    stranger: PracticeClient, number: str
) -> None:
    assert "aadhaarNumber" in stranger.enrol(number).json()


def test_a_number_that_is_not_encrypted_is_refused(stranger: PracticeClient) -> None:
    assert "aadhaarNumber" in stranger.enrol(aadhaarNumber=SHANTI).json()


def test_without_the_consent_nothing_is_done(client: PracticeClient) -> None:
    body = client.ask_body()
    for consent, name in (
        ({**CONSENT, "version": "1.3"}, "consentVersion"),
        ({**CONSENT, "code": "other"}, "consentCode"),
        (None, "consentCode"),
    ):
        reply = client.send_enrolment({**body, "consent": consent})
        assert (reply.status_code, name in reply.json()) == (400, True)
    assert "request" in client.send_enrolment({"authData": body["authData"]}).json()


def test_unknown_keys_and_methods_are_refused(client: PracticeClient) -> None:
    assert "demo_auth" in client.enrol(email="x@example.org").json()
    body = client.ask_body()
    assert "request" in client.send_enrolment({**body, "extra": 1}).json()
    auth = {**body["authData"], "authMethods": ["bio"]}
    assert "authMethods" in client.send_enrolment({**body, "authData": auth}).json()
    assert "authMethods" in client.send_enrolment({**body, "authData": []}).json()


@pytest.mark.parametrize("spelling", ["BENEFIT_NAME", "Benefit-Name", "BENEFIT-NAME"])
def test_each_spelling_of_the_benefit_header_is_taken(
    client: PracticeClient, spelling: str
) -> None:
    headers = {**client.heads(), spelling: "practice"}
    path = "/abha/api/v3/enrollment/enrol/byAadhaar"
    assert client.http.post(path, json=client.ask_body(), headers=headers).status_code == 200


@pytest.mark.parametrize("benefit", [None, "other"])
def test_another_benefit_is_refused(client: PracticeClient, benefit: str | None) -> None:
    reply = client.send_enrolment(client.ask_body(), BENEFIT_NAME=benefit)
    assert (reply.status_code, reply.json()["error"]["code"]) == (401, "ABDM-1094")


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not part of the repository")
def test_everybody_of_the_corpus_who_has_an_aadhaar_number_gets_an_account(
    client: PracticeClient,
) -> None:
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["aadhaar"]]
    for row in rows:
        birth, address = row["birth"], row["address"]
        mobile = {"mobile": row["mobile"]} if row["mobile"] else {}
        reply = client.enrol(
            row["aadhaar"],
            name=row["name"],
            dateOfBirth=f"{birth['year']}-{birth.get('month', 0):02}-{birth.get('day', 0):02}",
            gender=row["gender"],
            stateCode=str(address["state"]),
            districtCode=str(address["district"]),
            pinCode=address["pincode"],
            address=address["line"],
            **mobile,
        )
        assert (reply.status_code, reply.json().get("new")) == (200, True), reply.text
    assert len(client.abdm.accounts) == len(rows)
    assert {one["creations"] for one in client.abdm.people.values()} == {1}
