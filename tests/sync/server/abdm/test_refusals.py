from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from sync.server.abdm.calls import Effect, Refusal, Step
from sync.server.abdm.refusals import Judged, callback_refusal, judge

CODES = Path(__file__).parents[5] / "shared/reference/abdm/errors_m1_m2.csv"


def judged(
    body: Any, status: int = 422, *, module: str = "M1", step: Step | None = None, **headers: str
) -> Judged:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return judge(status, raw, named, module=module, step=step)


def read(body: Any, status: int = 422, **more: Any) -> Refusal:
    return judged(body, status, **more).refusal


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "ABDM-1207", "message": "does not match"}},
        {"error": {"code": "ABDM-1207: ", "message": "does not match"}},
        {"code": "ABDM-1207", "message": "does not match", "timestamp": "24-11-2022 20:38:44"},
        {"code": "ABDM-1207:", "message": "does not match"},
        {"errors": [{"code": "ABDM-1207", "message": "does not match"}]},
        {"error": {"message": "ABDM-1207 does not match"}},
    ],
)
def test_a_code_is_found_in_whatever_shape_it_comes(body: dict[str, Any]) -> None:
    found = judged(body)
    assert found.refusal.code == "ABDM-1207"
    assert found.refusal.effect is Effect.RETURN
    assert (found.refusal.reason, found.refusal.pointer) == ("abdm:mismatch", "")
    assert "does not match" in found.refusal.message
    assert (found.is_documented, found.may_be_done) == (True, False)


def test_the_gateways_own_shape_is_read_whole() -> None:
    found = read(
        {"code": "900901", "message": "Invalid Credentials", "description": "Expired"}, 401
    )
    assert (found.code, found.effect, found.module) == ("900901", Effect.RENEW, "GW")
    assert found.message == "Invalid Credentials Expired"
    as_number = read({"code": 900908, "message": "Resource forbidden"}, 403)
    assert (as_number.code, as_number.effect) == ("900908", Effect.STOP)


def test_a_map_of_fields_points_at_one_of_them_and_quotes_all() -> None:
    found = read({"pinCode": "Invalid Pin", "stateCode": "Invalid", "timestamp": "24-11-2022"}, 400)
    assert (found.code, found.reason) == ("FIELD-pinCode", "abdm:pincode")
    assert found.message == "pinCode: Invalid Pin; stateCode: Invalid"
    nested = read({"authData.demo_auth.districtCode": "Invalid District"}, 400)
    assert (nested.reason, nested.pointer) == ("abdm:place", "/address/district")


def test_a_fault_of_the_office_is_seen_before_the_persons() -> None:
    found = read({"mobile": "Invalid Mobile", "consentVersion": "Invalid Consent Version"}, 400)
    assert (found.effect, found.reason) == (Effect.STOP, "abdm:consent")


def test_the_time_of_an_error_is_not_the_field_timestamp() -> None:
    assert read({"Timestamp": "Invalid Timestamp"}, 400).reason == "abdm:clock"
    assert read({"timestamp": "Invalid Timestamp"}, 400).reason == "abdm:clock"
    assert read({"timestamp": "24-11-2022 20:38:44"}, 400).code == "HTTP-400"


@pytest.mark.parametrize(
    ("step", "reason", "pointer"),
    [
        (Step.OTP_SEND, "abdm:aadhaar", "/aadhaar"),
        (Step.MOBILE_SEND, "abdm:field", "/mobile"),
    ],
)
def test_a_login_id_is_the_field_that_was_sent_as_one(
    step: Step, reason: str, pointer: str
) -> None:
    found = read({"loginId": "Invalid LoginId"}, 400, step=step)
    assert (found.reason, found.pointer) == (reason, pointer)


def test_a_field_that_nobody_knows_is_looked_at() -> None:
    found = read({"authMethods": "cannot be null"}, 400)
    assert (found.effect, found.reason) == (Effect.LOOK, "abdm:unknown FIELD-authMethods")


@pytest.mark.parametrize("body", [b"", b"<html>401</html>", b"null", b"[]"])
def test_an_empty_401_means_that_the_session_ran_out(body: bytes) -> None:
    found = read(body, 401)
    assert (found.code, found.effect) == ("HTTP-401", Effect.RENEW)


@pytest.mark.parametrize("status", [302, 403, 404, 408, 429, 500, 502, 503, 504])
def test_a_page_without_a_code_comes_from_what_stands_before_abdm_and_is_waited_for(
    status: int,
) -> None:
    found = judged(b"<html><body>Some proxy</body></html>", status)
    assert (found.refusal.code, found.refusal.effect) == (f"HTTP-{status}", Effect.WAIT)
    assert found.refusal.reason == "abdm:wait"
    assert found.may_be_done is (status >= 500)


def test_a_code_that_nobody_has_documented_is_kept_whole_and_shown_as_unknown() -> None:
    found = judged({"error": {"code": "ABDM-4711: ", "message": "Nobody knows"}})
    assert found.refusal.code == "ABDM-4711"
    assert found.refusal.effect is Effect.LOOK
    assert found.refusal.reason == "abdm:unknown ABDM-4711"
    assert found.refusal.message == "Nobody knows"
    assert not found.is_documented


def test_a_code_that_is_no_code_is_made_harmless() -> None:
    found = read({"code": "A" * 500 + "\n<script>", "message": "x" * 5000})
    assert len(found.reason) <= 60
    assert found.reason.isprintable()
    assert "<" not in found.code
    assert len(found.message) == 300


def test_state_and_district_that_do_not_fit_are_known_by_their_words() -> None:
    for code in ("ABDM-4713", ""):
        body = {"code": code, "message": "State code and district code do not match"}
        assert read(body, 400).reason == "abdm:place"


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        ("UIDAI Error code : 300 : Biometric mismatch", "UIDAI-300", "person:biometric"),
        ("UIDAI Error code : 998 : Invalid Aadhaar Number", "UIDAI-998", "abdm:aadhaar"),
        ("UIDAI Error code : 996 : Cancelled", "UIDAI-996", "person:aadhaar-cancelled"),
        ("UIDAI Error code : 997 : Suspended", "UIDAI-997", "person:aadhaar-cancelled"),
        ("Aadhaar failure, code 561", "UIDAI-561", "abdm:wait"),
        ("UIDAI error 727: new", "UIDAI-727", "abdm:unknown UIDAI-727"),
        ("UIDAI said nothing", "ABDM-1204", "abdm:unknown ABDM-1204"),
    ],
)
def test_uidais_code_is_read_out_of_the_message(message: str, code: str, reason: str) -> None:
    found = read({"error": {"code": "ABDM-1204", "message": message}})
    assert (found.code, found.reason) == (code, reason)


def test_one_code_means_other_things_in_another_module_and_message() -> None:
    linked = {
        "error": {"code": "ABDM-1056", "message": "This care contexts has been already linked"}
    }
    other = {"error": {"code": "ABDM-1056", "message": "Invalid Link Reference Number"}}
    assert read(linked, 400, module="M2").effect is Effect.DONE
    assert read(other, 400, module="M2").effect is Effect.LOOK
    assert read(linked, 400, module="M1").reason == "abdm:unknown ABDM-1056"
    benefit = {"error": {"code": "ABDM-1094", "message": "Invalid Benefit Name"}}
    assert read(benefit, 401).effect is Effect.STOP
    assert read(benefit, 400, module="M2").effect is Effect.LOOK


def test_the_message_decides_what_9999_means() -> None:
    def effect(message: str) -> Effect:
        return read({"code": "ABDM-9999", "message": message}, 400).effect

    assert effect("Unknown exception occurred") is Effect.WAIT
    assert effect("User not found") is Effect.LOOK
    assert effect("Something else") is Effect.LOOK


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "30"}, 30),
        ({"retry_after": "99999999"}, 86_400),
        (
            {
                "retry_after": "Sun, 22 Nov 2026 21:00:30 GMT",
                "date": "Sun, 22 Nov 2026 21:00:00 GMT",
            },
            30,
        ),
        ({"retry_after": "soon"}, 60),
        ({"retry_after": "-5"}, 60),
        ({"retry_after": "Sun, 22 Nov 2026 21:00:30 GMT"}, 60),
        ({}, 60),
    ],
)
def test_how_long_to_wait_is_read_where_it_is_said(headers: dict[str, str], seconds: int) -> None:
    found = read({"code": "ABDM-1022", "message": "Too many requests"}, 429, **headers)
    assert (found.effect, found.wait_seconds) == (Effect.WAIT, seconds)


def test_the_callbacks_error_is_read_alike() -> None:
    found = callback_refusal({"code": "ABDM-1027: ", "message": "You are blocked."})
    assert (found.code, found.effect, found.wait_seconds) == ("ABDM-1027", Effect.WAIT, 86_400)
    assert callback_refusal({"code": "ABDM-4711"}).reason == "abdm:unknown ABDM-4711"
    for nothing in (None, "text", 7, {}, {"code": None}):
        assert callback_refusal(nothing).effect in set(Effect)


def _documented() -> list[dict[str, str]]:
    if not CODES.exists():
        return []
    with CODES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.skipif(not CODES.exists(), reason="needs NHA's list of codes beside the project")
@pytest.mark.parametrize("row", _documented(), ids=lambda row: row["code"])
def test_every_documented_code_has_a_meaning_that_fits_what_nha_says_to_do(
    row: dict[str, str],
) -> None:
    status = int(row["http"] or 400)
    inner = f"UIDAI Error code : {row['code']} : {row['message']}"
    code, message = (
        ("ABDM-1204", inner) if row["family"] == "UIDAI" else (row["code"], row["message"])
    )
    module = row["family"] if row["family"] in {"M1", "M2"} else "M1"
    found = judged({"error": {"code": f"{code}: ", "message": message}}, status, module=module)
    assert found.is_documented
    assert row["code"] in found.refusal.code
    allowed = {
        "retry": {Effect.WAIT},
        "retry with back-off": {Effect.WAIT},
        "back-off": {Effect.WAIT},
        "park 24h": {Effect.WAIT},
        "configuration": {Effect.STOP, Effect.RETURN},
        "configuration - do not retry": {Effect.STOP},
        "NHA support": {Effect.STOP},
        "stop batch (sandbox cap - inferred)": {Effect.STOP},
        "treat as success": {Effect.DONE},
        "treat as success after check": {Effect.DONE, Effect.LOOK},
        "return to field worker": {Effect.RETURN},
        "needs other mobile": {Effect.RETURN},
        "new session token": {Effect.RENEW},
        "new link token": {Effect.RENEW},
    }
    assert found.refusal.effect in allowed.get(row["action"], set(Effect))
    if found.refusal.effect is Effect.WAIT and row["code"] == "ABDM-1027":
        assert found.refusal.wait_seconds == 86_400


@pytest.mark.parametrize(
    "moment",
    [
        "Fri, 01 Jan 2021 00:00:00 +99999999999999999999999",
        "1 Jan 99999999999999999999 00:00:00 GMT",
        "Fri, 01 Jan 2021 00:00:00 +9999",
    ],
)
def test_a_moment_that_cannot_be_is_as_good_as_none(moment: str) -> None:
    for headers in ({"retry_after": moment}, {"retry_after": moment, "date": moment}):
        found = read({"code": "ABDM-1022", "message": "Too many requests"}, 429, **headers)
        assert (found.effect, found.wait_seconds) == (Effect.WAIT, 60)


def test_what_is_said_under_a_persons_own_field_is_not_quoted() -> None:
    found = read({"name": "Kunti Devi", "pinCode": "Invalid Pin", "token": "abc.defGHI"}, 400)
    assert (found.code, found.reason) == ("FIELD-name", "abdm:name")
    assert found.message == "name; pinCode: Invalid Pin; token"
    unknown = read({"fullName": "Kunti Devi"}, 400)
    assert (unknown.code, unknown.message) == ("FIELD-fullName", "fullName")


def test_a_persons_number_is_no_code() -> None:
    for body in ({"code": "9999-4105-7058"}, {"code": 999941057058}, {"x999941057058": "wrong"}):
        found = read(body, 400)
        assert "4105" not in found.code + found.reason + found.message
