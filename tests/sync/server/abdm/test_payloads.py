"""Each payload that leaves, held against NHA's own: names, types, patterns, what must be there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from abdm_stub import (
    ADDRESS,
    ENROL,
    LINK,
    LINK_TOKEN,
    OTP,
    SESSION,
    VERIFY,
    AbdmStub,
    Asked,
    Witness,
    abdm_stub,
    an_ask,
)
from schemas import validator
from sync.server.abdm.calls import AbdmRefused, CareContext, Effect, LinkAsk, LinkTokenAsk

NHA = Path(__file__).parents[5] / "shared/reference/abdm/payloads"
TXN = "b7ffebe2-8be8-433a-b447-62eecc45e397"


@pytest.fixture
def stub() -> Iterator[AbdmStub]:
    with abdm_stub() as found:
        yield found


def sent(stub: AbdmStub, **settings: Any) -> dict[str, Asked]:
    """Give one request of each kind, by the name of NHA's example."""
    witness = Witness(stub, **settings)
    begin = witness.begin
    with witness.client as client:
        client.enrol_by_demographics(begin, an_ask())
        client.request_aadhaar_otp(begin, bytearray(b"999999990019"))
        client.enrol_by_otp(begin, TXN, "123456", "9000000903")
        client.request_mobile_otp(begin, TXN, "9000000903")
        client.verify_mobile(begin, TXN, "123456")
        client.create_address(begin, TXN, "asha.test")
        client.request_link_token(begin, "IN2810014366", token_ask())
        client.link_contexts(begin, "IN2810014366", "link-jwt", link_ask(3))
    return {
        "session_request": stub.asks(SESSION)[0],
        "enrol_demo_auth": stub.asks(ENROL)[0],
        "enrol_by_aadhaar_otp": stub.asks(ENROL)[1],
        "enrol_request_otp_aadhaar": stub.asks(OTP)[0],
        "mobile_verify_send": stub.asks(OTP)[1],
        "mobile_verify_confirm": stub.asks(VERIFY)[0],
        "abha_address_create": stub.asks(ADDRESS)[0],
        "link_token_request": stub.asks(LINK_TOKEN)[0],
        "link_care_context": stub.asks(LINK)[0],
    }


def token_ask(number: str = "91123456789015") -> LinkTokenAsk:
    return LinkTokenAsk(
        abha_number=number,
        abha_address="asha.test@sbx",
        name="Asha Test",
        gender="F",
        birth_year=1990,
    )


def link_ask(count: int) -> LinkAsk:
    contexts = [
        CareContext(reference=f"visit-{number}", display=f"Camp visit {number}")
        for number in range(count)
    ]
    return LinkAsk(
        abha_number="91123456789015",
        abha_address="asha.test@sbx",
        patient_reference="PUID-1",
        patient_display="Camp records",
        hi_type="OPConsultation",
        contexts=tuple(contexts),
    )


SHAPES = {
    "session_request": "abdm-session-1",
    "enrol_demo_auth": "abdm-demographics-1",
    "enrol_by_aadhaar_otp": "abdm-otp-enrolment-1",
    "enrol_request_otp_aadhaar": "abdm-otp-request-1",
    "mobile_verify_send": "abdm-mobile-otp-1",
    "mobile_verify_confirm": "abdm-mobile-verification-1",
    "abha_address_create": "abdm-address-1",
    "link_token_request": "abdm-link-token-1",
    "link_care_context": "abdm-link-1",
}
OPTIONAL = {"timeStamp", "mobile", "profilePhoto", "pinCode", "address", "abhaNumber"}
FREE = {
    "dateOfBirth", "name", "gender", "yearOfBirth", "abhaNumber", "abhaAddress", "stateCode",
    "districtCode", "referenceNumber", "display", "count", "hiType", "mobile", "pinCode", "address",
    "txnId", "loginId", "otpValue", "aadhaarNumber", "clientId", "clientSecret",
}  # fmt: skip
"""What is the person's or the programme's; everything else must be as NHA writes it."""


def differences(example: Any, given: Any, path: str = "") -> list[str]:
    """Say where a payload is not made as the example is."""
    name = path.rpartition("/")[2]
    if isinstance(example, Mapping):
        if not isinstance(given, Mapping):
            return [f"{path}: no object"]
        wanted = {key for key in example if key != "_"}
        found = [f"{path}/{key}: unknown" for key in given if key not in wanted]
        found += [f"{path}/{key}: missing" for key in wanted - set(given) - OPTIONAL]
        for key in wanted & set(given):
            found += differences(example[key], given[key], f"{path}/{key}")
        return found
    if isinstance(example, list):
        if not isinstance(given, list) or not given:
            return [f"{path}: no list"]
        if all(isinstance(each, str) for each in example):
            return [] if given == example else [f"{path}: {given}"]
        return [each for value in given for each in differences(example[0], value, path)]
    if type(example) is not type(given):
        return [f"{path}: {type(given).__name__} and not {type(example).__name__}"]
    return [] if name in FREE or example == given else [f"{path}: {given!r}"]


@pytest.mark.skipif(not NHA.exists(), reason="needs NHA's examples beside the project")
def test_each_payload_is_made_as_nhas_example(stub: AbdmStub) -> None:
    found = sent(stub)
    for name, asked in found.items():
        example = json.loads((NHA / f"{name}.json").read_text(encoding="utf-8"))
        assert differences(example, asked.json) == [], name
        assert asked.method == "POST"
        if "_" in example and "POST {" in example["_"]:
            road = example["_"].split()[1].partition("}")[2]
            assert asked.path.endswith(road), name


@pytest.mark.skipif(not NHA.exists(), reason="needs NHA's examples beside the project")
def test_the_comparison_sees_what_differs() -> None:
    example = json.loads((NHA / "enrol_demo_auth.json").read_text(encoding="utf-8"))
    given = json.loads(json.dumps(example))
    del given["_"], given["authData"]["demo_auth"]["gender"]
    given["authData"]["demo_auth"]["stateCode"] = 27
    given["consent"]["code"] = "abha-enrolment"
    assert sorted(each.split(":")[0] for each in differences(example, given)) == [
        "/authData/demo_auth/gender",
        "/authData/demo_auth/stateCode",
        "/consent/code",
    ]


def test_each_payload_fits_its_shape_here(stub: AbdmStub) -> None:
    for name, asked in sent(stub).items():
        assert validator(SHAPES[name]).faults(asked.json) == [], name
        assert asked.headers["Content-Type"] == "application/json"


def test_nothing_is_sent_in_clear_that_nha_wants_encrypted(stub: AbdmStub) -> None:
    for asked in sent(stub).values():
        assert b"999999990019" not in asked.body
        assert b'123456"' not in asked.body


def test_what_the_documents_disagree_on_is_a_setting(stub: AbdmStub) -> None:
    found = sent(stub, birth_format="yyyy-MM-dd", hi_type_field="hiTypes", consent_version="1.5")
    person = found["enrol_demo_auth"].json["authData"]["demo_auth"]
    assert person["dateOfBirth"] == "1990-00-00"
    assert found["enrol_by_aadhaar_otp"].json["consent"]["version"] == "1.5"
    (patient,) = found["link_care_context"].json["patient"]
    assert patient["hiTypes"] == "OPConsultation"
    assert "hiType" not in patient
    assert patient["count"] == len(patient["careContexts"]) == 3


def test_a_birth_of_which_only_the_year_is_known_has_zeros(stub: AbdmStub) -> None:
    person = sent(stub)["enrol_demo_auth"].json["authData"]["demo_auth"]
    assert person["dateOfBirth"] == "00-00-1990"
    assert (person["stateCode"], person["districtCode"]) == ("27", "490")


def test_what_is_not_known_of_somebody_is_left_out(stub: AbdmStub) -> None:
    witness = Witness(stub)
    with witness.client as client:
        client.enrol_by_demographics(witness.begin, an_ask(mobile=None, pincode="", address=""))
    person = stub.asks(ENROL)[0].json["authData"]["demo_auth"]
    assert {"mobile", "pinCode", "address"} & set(person) == set()


def test_a_number_that_json_cannot_hold_whole_is_left_out_beside_its_address(
    stub: AbdmStub,
) -> None:
    witness = Witness(stub)
    with witness.client as client:
        client.request_link_token(witness.begin, "IN2810014366", token_ask("00123456789015"))
        client.request_link_token(witness.begin, "IN2810014366", token_ask())
    first, second = (asked.json for asked in stub.asks(LINK_TOKEN))
    assert "abhaNumber" not in first
    assert first["abhaAddress"] == "asha.test@sbx"
    assert second["abhaNumber"] == 91123456789015


@pytest.mark.parametrize("count", [0, 21])
def test_a_link_of_none_or_more_than_twenty_is_not_sent(stub: AbdmStub, count: int) -> None:
    witness = Witness(stub)
    with witness.client as client, pytest.raises(AbdmRefused) as caught:
        client.link_contexts(witness.begin, "IN2810014366", "link-jwt", link_ask(count))
    assert caught.value.refusal.effect is Effect.LOOK
    assert stub.asks(LINK) == []


def test_numbers_that_an_early_server_took_in_as_fractions_are_sent_whole(stub: AbdmStub) -> None:
    odd: Any = {"birth": (1980.0, 2.0, 0), "state": 27.0, "district": 490.0}
    witness = Witness(stub)
    with witness.client as client:
        client.enrol_by_demographics(witness.begin, an_ask(**odd))
        year: Any = 1980.0
        client.request_link_token(
            witness.begin, "IN2810014366", replace(token_ask(), birth_year=year)
        )
    person = stub.asks(ENROL)[0].json["authData"]["demo_auth"]
    assert (person["dateOfBirth"], person["stateCode"]) == ("00-02-1980", "27")
    assert person["districtCode"] == "490"
    assert b'"yearOfBirth": 1980}' in stub.asks(LINK_TOKEN)[0].body
