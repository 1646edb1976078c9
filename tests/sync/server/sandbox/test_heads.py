"""Whom the practice ABDM lets in: as strict as NHA's documents."""

from __future__ import annotations

import uuid

import pytest

from practice_calls import Clock, PracticeClient

CERTIFICATE = "/abha/api/v3/profile/public/certificate"


def test_a_session_tells_how_long_it_lives_and_is_marked_as_practice(
    client: PracticeClient,
) -> None:
    reply = client.log_in()
    assert reply.json()["expiresIn"] == 1200
    assert reply.headers["X-Practice"] == "yes"


@pytest.mark.parametrize(
    ("name", "value"),
    [("clientId", "other"), ("clientSecret", "other"), ("clientSecret", 7), ("clientId", None)],
)
def test_wrong_credentials_open_no_session(
    client: PracticeClient, name: str, value: object
) -> None:
    reply = client.log_in(**{name: value})
    assert (reply.status_code, reply.json()["error"]["code"]) == (401, "ABDM-9999")


def test_another_grant_or_an_unknown_key_is_refused(client: PracticeClient) -> None:
    assert "grantType" in client.log_in(grantType="password").json()
    assert "request" in client.log_in(scope="all").json()


def test_eight_bad_sessions_lock_the_client_out_for_eight_minutes(client: PracticeClient) -> None:
    assert isinstance(client.clock, Clock)
    for _ in range(8):
        client.log_in(clientSecret="other")
    assert client.log_in().status_code == 401
    client.clock.now += 481
    assert client.log_in().status_code == 200


def test_seven_bad_sessions_do_not(client: PracticeClient) -> None:
    for _ in range(7):
        client.log_in(clientSecret="other")
    assert client.log_in().status_code == 200


def test_a_session_ends_when_it_said(client: PracticeClient) -> None:
    assert isinstance(client.clock, Clock)
    client.clock.now += 1201
    reply = client.get(CERTIFICATE)
    assert (reply.status_code, reply.json()["code"]) == (401, "900901")


@pytest.mark.parametrize(
    ("authorization", "code"),
    [(None, "900902"), ("Bearer stranger", "900901"), ("Basic x", "900901")],
)
def test_without_a_session_the_gateway_answers(
    client: PracticeClient, authorization: str | None, code: str
) -> None:
    reply = client.get(CERTIFICATE, Authorization=authorization)
    assert (reply.status_code, reply.json()["code"]) == (401, code)


@pytest.mark.parametrize(
    "when",
    [
        None,
        "2026-11-18T12:26:40Z",
        "2026-11-18T12:26:40.000",
        "2026-11-18T12:26:40.000+05:30",
        "2026-02-31T12:26:40.000Z",
    ],
)
def test_a_time_must_be_utc_with_milliseconds(stranger: PracticeClient, when: str | None) -> None:
    reply = stranger.get(CERTIFICATE, TIMESTAMP=when)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "ABDM-1016")


@pytest.mark.parametrize(("seconds", "status"), [(299, 200), (-299, 200), (301, 400), (-301, 400)])
def test_a_time_may_be_five_minutes_off(client: PracticeClient, seconds: int, status: int) -> None:
    assert isinstance(client.clock, Clock)
    heads = client.heads()
    client.clock.now += seconds
    assert client.http.get(CERTIFICATE, headers=heads).status_code == status


def test_a_request_id_is_a_uuid_that_is_used_once(client: PracticeClient) -> None:
    used = str(uuid.uuid4())
    assert client.get(CERTIFICATE, REQUEST_ID=used).status_code == 200
    for request_id in (used, used.upper(), "7", None):
        reply = client.get(CERTIFICATE, REQUEST_ID=request_id)
        assert reply.status_code == 400
        assert "requestId" in reply.json()


def test_the_gateway_wants_to_be_told_the_consent_manager(client: PracticeClient) -> None:
    assert client.get(CERTIFICATE, X_CM_ID=None).status_code == 200
    assert client.get(CERTIFICATE, X_CM_ID="abdm").status_code == 400
    reply = client.post("/api/hiecm/v3/token/generate-token", {}, X_CM_ID=None)
    assert "xCmId" in reply.json()


def test_what_is_no_object_or_too_large_is_refused(client: PracticeClient) -> None:
    for body in (b"", b"[]", b"{", b"[" * 100_000, b" " * (513 * 1024)):
        reply = client.send_enrolment(body)
        assert (reply.status_code, "body" in reply.json()) == (400, True)


def test_each_reply_tells_the_practices_own_time_once(client: PracticeClient) -> None:
    assert isinstance(client.clock, Clock)
    client.clock.now = 1_700_000_000.0
    for path in (CERTIFICATE, "/practice/otp"):
        dates = client.get(path).headers.get_list("Date")
        assert dates == ["Tue, 14 Nov 2023 22:13:20 GMT"]


def test_an_unknown_path_is_not_found_and_marked(client: PracticeClient) -> None:
    reply = client.get("/abha/api/v3/phr/anything")
    assert (reply.status_code, reply.headers["X-Practice"]) == (404, "yes")
