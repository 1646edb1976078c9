from __future__ import annotations

from typing import Any

import pytest

from abdm_stub import PROFILE
from sync.server.abdm.reading import (
    abha_address_of,
    enrolled_of,
    first_text,
    otp_of,
    paper_of,
    seconds_of,
    suggestions_of,
    verified_of,
)


@pytest.mark.parametrize(
    "answer",
    [
        {"healthIdNumber": "91-1234-5678-9015"},
        {"ABHANumber": "91123456789015"},
        {"abhaNumber": "91-1234-5678-9015"},
        {"ABHAProfile": {"ABHANumber": "91-1234-5678-9015"}},
        {"healthIdNumber": None, "ABHAProfile": {"ABHANumber": "91-1234-5678-9015"}},
    ],
)
def test_the_number_is_found_wherever_nhas_pages_put_it(answer: dict[str, Any]) -> None:
    found = enrolled_of(answer)
    assert found is not None
    assert found.abha_number == "91-1234-5678-9015"
    assert (found.token, found.token_seconds, found.is_new) == (None, 1800, None)


@pytest.mark.parametrize(
    "value", ["", "91-1234", "9112345678901५", "91-1234-5678-901X", 91123456789015, [], None]
)
def test_what_is_no_number_is_not_taken_for_one(value: object) -> None:
    assert enrolled_of({"healthIdNumber": value}) is None


@pytest.mark.parametrize(
    "tokens",
    [
        {"token": "t"},
        {"jwtResponse": {"token": "t", "expiresIn": 600}},
        {"tokens": {"token": "t", "expiresIn": "600"}},
        {"tokens": {"id_token": "t", "expires_in": 600}},
    ],
)
def test_the_token_is_found_in_its_three_places(tokens: dict[str, Any]) -> None:
    found = enrolled_of({**PROFILE, "token": None, "jwtResponse": None, **tokens})
    assert found is not None
    assert found.token == "t"
    assert found.token_seconds == (1800 if "token" in tokens else 600)


@pytest.mark.parametrize(
    ("names", "is_new"),
    [
        ({"new": False}, False),
        ({"isNew": True}, True),
        ({"isNew": "false"}, False),
        ({"ABHAProfile": {"isNew": True}}, True),
        ({"new": 1}, None),
        ({}, None),
    ],
)
def test_whether_it_was_made_or_found_has_several_names(
    names: dict[str, Any], *, is_new: bool | None
) -> None:
    rest = {key: value for key, value in PROFILE.items() if key != "new"}
    found = enrolled_of({**rest, **names})
    assert found is not None
    assert found.is_new is is_new


@pytest.mark.parametrize(
    ("held", "is_verified"),
    [
        ({"mobile": "******0903"}, True),
        ({"mobile": "******0904"}, False),
        ({"mobile": None}, False),
    ],
)
def test_a_mobile_is_the_accounts_when_its_end_is(
    held: dict[str, Any], *, is_verified: bool
) -> None:
    answer = {**PROFILE, "ABHAProfile": held}
    found = enrolled_of(answer, mobile="9000000903")
    assert found is not None
    assert found.mobile_verified is is_verified
    unasked = enrolled_of(answer)
    assert unasked is not None
    assert unasked.mobile_verified is None


def test_an_address_that_is_none_is_left_away() -> None:
    found = enrolled_of({**PROFILE, "healthId": "<ABHA_ADDRESS>"})
    assert found is not None
    assert found.abha_address is None


def test_a_masked_mobile_is_all_that_is_kept_of_a_message() -> None:
    told = {"txnId": "t", "message": "OTP sent to Aadhaar mobile ending with *******0161 of Asha"}
    found = otp_of(told)
    assert found is not None
    assert found.mobile_hint == "*******0161"
    plain = otp_of({"txnId": "t", "message": "sent to 9000000161"})
    assert plain is not None
    assert plain.mobile_hint == ""
    assert otp_of({"message": "sent"}) is None


def test_a_code_is_right_only_when_it_is_said() -> None:
    assert verified_of({"authResult": "Success"}) is True
    assert verified_of({"authResult": "failure"}) is False
    assert verified_of({}) is None


def test_suggestions_are_handles_and_not_many() -> None:
    given = {"abhaAddressList": ["asha.test@sbx", "asha.test", 7, "<b>", "x" * 99, "asha_1990"]}
    assert suggestions_of(given) == ("asha.test", "asha_1990")
    many = suggestions_of({"abhaAddressList": [f"asha{number}" for number in range(900)]})
    assert many is not None
    assert len(many) == 20
    assert suggestions_of({"abhaAddressList": "asha"}) is None


def test_an_address_gets_its_suffix_where_it_has_none() -> None:
    assert abha_address_of({"preferredAbhaAddress": "asha.test"}, "sbx") == "asha.test@sbx"
    assert abha_address_of({"abhaAddress": "asha.test@abdm"}, "sbx") == "asha.test@abdm"
    assert abha_address_of({"abhaAddress": "a b"}, "sbx") is None


def test_texts_that_could_not_go_into_a_header_are_not_taken() -> None:
    assert first_text({"token": "a\r\nb"}, "token") is None
    assert first_text({"token": "x" * 9000}, "token") is None
    assert first_text({"a": {"b": ["c"]}}, "a.b") == "c"


def test_seconds_are_bounded() -> None:
    assert seconds_of({"expiresIn": 10**8}, "expiresIn") == 86_400
    assert seconds_of({"expiresIn": 1.5}, "expiresIn") is None


def test_a_picture_is_known_by_its_first_bytes() -> None:
    jpeg = paper_of(b"\xff\xd8\xff\xe0rest")
    assert jpeg is not None
    assert jpeg.media_type == "image/jpeg"
    assert paper_of(b"%PDF-1.7") is None
