from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.server.abdm.redaction import code_of, redacted, scrubbed


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
    assert words == "ABDM-1207: <withheld> (<4 digits> <4 digits> <4 digits>, <withheld>) fails"
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
