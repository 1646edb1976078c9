from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.server.abdm.redaction import code_of, keeps_words, redacted, scrubbed


def test_the_shape_stays_and_the_values_go() -> None:
    body = {
        "name": "Asha Test",
        "abhaNumber": 91123456789015,
        "kycVerified": True,
        "stateCode": "27",
        "photo": None,
        "patient": [{"referenceNumber": "visit-2026-1", "display": "Camp visit", "count": 1}],
        "jwtResponse": {"token": "eyJ", "expiresIn": 1800},
    }
    assert redacted(body) == {
        "name": "<9 letters>",
        "abhaNumber": "<number>",
        "kycVerified": True,
        "stateCode": "27",
        "photo": None,
        "patient": [{"referenceNumber": "visit-2026-1", "display": "<10 letters>", "count": 1}],
        "jwtResponse": {"token": "<3 letters>", "expiresIn": 1800},
    }


def test_words_of_abdms_stay_without_numbers_and_without_the_persons_values() -> None:
    words = scrubbed("ABDM-1207: ASHA (1234 5678 9012, 9000000903) fails", ["Asha", "9000000903"])
    assert words == "ABDM-1207: <withheld> (<12 digits>, <withheld>) fails"
    assert scrubbed("A-123456789012") == "A-<12 digits>"
    assert scrubbed("ABDM-123456789012") == "ABDM-<12 digits>"


def test_an_error_keeps_its_code_and_its_words_about_fields() -> None:
    body = {"code": 900901, "message": "Invalid", "mobile": "9000000903 is invalid"}
    assert redacted(body, is_error=True) == {
        "code": "900901",
        "message": "Invalid",
        "mobile": "<10 digits> is invalid",
    }


@pytest.mark.parametrize("name", ["code", "referenceNumber", "requestId", "status", "message"])
def test_no_number_of_a_person_hides_under_a_name_that_is_kept(name: str) -> None:
    assert "999999990019" not in json.dumps(dict(redacted({name: "999999990019"})))


def test_names_of_fields_may_not_carry_values() -> None:
    assert redacted({"Asha Test": 1, "9000000903": 2}) == {"<name>": "<number>"}


def test_a_code_is_short_and_harmless() -> None:
    assert code_of(" ABDM-1207: ") == "ABDM-1207"
    assert code_of(900901) == "900901"
    assert code_of("a b\n<c>") == "a_b__c_"
    assert len(code_of("x" * 900)) == 40
    assert code_of(None) == code_of([]) == code_of({}) == ""


@pytest.mark.parametrize(
    "name",
    [
        "name", "firstName", "fullName", "token", "tokens", "refreshToken", "X-token", "dob",
        "dateOfBirth", "yearOfBirth", "address", "abhaAddress", "healthId", "photo", "txnId",
        "body",
    ],
)  # fmt: skip
def test_an_error_keeps_no_text_under_a_name_that_could_have_the_persons_own(name: str) -> None:
    kept = redacted({"error": {name: "Kunti eyJhb"}, name: "Kunti eyJhb"}, is_error=True)
    assert "Kunti" not in json.dumps(dict(kept))
    assert "eyJ" not in json.dumps(dict(kept))


def test_words_about_a_field_stay_wherever_it_stands_in_the_request() -> None:
    body = {"authData.demo_auth.stateCode": "Invalid State"}
    assert redacted(body, is_error=True) == body
    assert "Invalid" not in json.dumps(dict(redacted(body)))


def test_every_field_of_our_table_is_kept_or_known_to_have_a_persons_own() -> None:
    text = (files("sync.server") / "data" / "abdm_refusals.json").read_text(encoding="utf-8")
    names = {name for row in json.loads(text)["fields"] for name in row["names"]}
    assert {name for name in names if not keeps_words(name)} == {
        "name", "firstName", "middleName", "lastName", "dateOfBirth", "dob", "dayOfBirth",
        "monthOfBirth", "yearOfBirth", "address", "profilePhoto", "txnId", "abhaAddress",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["timestamp", "status", "count", "code", "expiresIn"])
def test_no_large_number_is_kept_even_under_a_name_that_is(name: str) -> None:
    assert "9999410" not in json.dumps(dict(redacted({name: 999941057058})))
    assert redacted({"count": 999_999, "status": 10**6}) == {"count": 999_999, "status": "<number>"}


@pytest.mark.parametrize(
    "spelt",
    [
        "9999 4105 7058", "999 941 057 058", "9999-4105-7058", "98765-43210", "+91 98765 43210",
        "९९९९४१०५७०५८", "९९९ ९४१ ०५७ ०५८", "９９９９４１０５７０５８",
        "9999\u200b4105\u200b7058", "99.99.41.05.70",
        "9 9 9 9 4 1 0 5 7 0 5 8", "ABDM-999 941 057 058", "୯୯୯୯୪୧୦୫୭୦୫୮", "91-1234-5678-9015",
        "9999\ud8004105\ud8007058",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["message", "code", "referenceNumber", "requestId", "status"])
def test_a_number_is_masked_however_it_is_spelt(name: str, spelt: str) -> None:
    kept = redacted({name: f"x {spelt}"}, is_error=True)[name]
    assert len([sign for sign in re.sub("<[0-9]+ digits>", "", kept) if sign.isdigit()]) <= 3


def test_our_own_ids_are_kept_though_they_are_made_of_digits() -> None:
    body = {"requestId": "12345678-1234-4234-8234-123456789012", "referenceNumber": "visit-2026-1"}
    assert redacted(body) == body


def test_the_persons_values_are_struck_out_however_they_are_spelt() -> None:
    hidden = ("Kunti Devi", "Kunti", "Devi", "कुन्ती", "9000000903")
    for spelt in ("KUNTI\n DEVI", "kunti", "ＫＵＮＴＩ", "Kun\u200bti", "कुन्ती", "९०००००0903"):
        words = scrubbed(f"no match for {spelt}.", hidden)
        assert words.replace("<withheld>", "").replace(" ", "") == "nomatchfor.", spelt
    assert redacted({"Kunti": 1, "code": "Kunti Devi"}, hidden=hidden) == {
        "<name>": "<number>",
        "code": "_withheld_",
    }


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_VALUES)
def test_whatever_comes_is_redacted_into_json(value: Any) -> None:
    for is_error in (False, True):
        json.dumps(dict(redacted(value, is_error=is_error)))


def test_a_deep_or_long_body_is_cut() -> None:
    deep: dict[str, Any] = {}
    for _level in range(200):
        deep = {"error": deep}
    assert "<deeper>" in json.dumps(dict(redacted(deep)))
    long = redacted({"details": ["x"] * 5000})
    assert len(long["details"]) == 40


@pytest.mark.parametrize("name", ["requestId", "referenceNumber", "status", "message", "code"])
def test_half_a_character_is_kept_under_no_name(name: str) -> None:
    json.dumps(dict(redacted({name: "x\ud800\u200b"})), ensure_ascii=False).encode()
