"""Whatever is sent, the practice answers with a refusal and stays up."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from practice_calls import CONSENT, HIP, PracticeClient

ENROLLMENT = "/abha/api/v3/enrollment"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
) | st.sampled_from(["\ud800", "९" * 12, "\x00", "1" * 5000, 10**30])


def bodies(client: PracticeClient) -> dict[str, Any]:
    """Give a body of each route that is as it should be."""
    sealed = client.seal("999927467707")
    otp = {"authMethods": ["otp"], "otp": {"txnId": "x", "otpValue": sealed, "mobile": "9" * 10}}
    scope = ["abha-enrol", "mobile-verify"]
    context = {"referenceNumber": "a", "display": "b"}
    entry = {**context, "careContexts": [context], "hiType": "Invoice", "count": 1}
    return {
        "/api/hiecm/gateway/v3/sessions": {
            "clientId": "other",
            "clientSecret": "other",
            "grantType": "client_credentials",
        },
        f"{ENROLLMENT}/enrol/byAadhaar": client.ask_body(stateCode="99"),
        f"{ENROLLMENT}/enrol/byAadhaar?otp": {"authData": otp, "consent": CONSENT},
        f"{ENROLLMENT}/request/otp": {
            "txnId": "x",
            "scope": ["abha-enrol"],
            "loginHint": "aadhaar",
            "loginId": sealed,
            "otpSystem": "aadhaar",
        },
        f"{ENROLLMENT}/auth/byAbdm": {"scope": scope, "authData": otp},
        f"{ENROLLMENT}/enrol/abha-address": {
            "txnId": "x",
            "abhaAddress": "practice1",
            "preferred": 1,
        },
        "/api/hiecm/v3/token/generate-token": {
            "abhaNumber": "00123456789012",
            "abhaAddress": "x@sbx",
            "name": "x",
            "gender": "F",
            "yearOfBirth": 1970,
        },
        "/api/hiecm/hip/v3/link/carecontext": {
            "abhaNumber": "00123456789012",
            "abhaAddress": "x@sbx",
            "patient": [entry],
        },
        "/practice/faults": {"level": "none", "seed": 1, "latency_ms": 0, "script": {"x": []}},
        "/practice/callbacks": {"url": "", "repeat": False},
    }


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    pairs = value.items() if isinstance(value, dict) else ()
    pairs = enumerate(value) if isinstance(value, list) else pairs
    for key, inner in pairs:
        yield from places(inner, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    changed = copy.deepcopy(value)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = other
    return changed


ROUTES = (
    "/api/hiecm/gateway/v3/sessions",
    f"{ENROLLMENT}/enrol/byAadhaar",
    f"{ENROLLMENT}/enrol/byAadhaar?otp",
    f"{ENROLLMENT}/request/otp",
    f"{ENROLLMENT}/auth/byAbdm",
    f"{ENROLLMENT}/enrol/abha-address",
    "/api/hiecm/v3/token/generate-token",
    "/api/hiecm/hip/v3/link/carecontext",
    "/practice/faults",
    "/practice/callbacks",
)


@pytest.mark.parametrize("route", ROUTES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_in_any_place_is_answered(
    stranger: PracticeClient, route: str, data: st.DataObject
) -> None:
    body = bodies(stranger)[route]
    path = data.draw(st.sampled_from(list(places(body))))
    sent = replaced(body, path, data.draw(ANYTHING))
    reply = stranger.post(route, sent, BENEFIT_NAME="practice", X_HIP_ID=HIP, X_LINK_TOKEN="x")
    assert reply.status_code in {200, 202, 400, 401, 422}, reply.text
    assert reply.headers["X-Practice"] == "yes"


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["Authorization", "REQUEST-ID", "TIMESTAMP", "X-CM-ID", "X-token"]),
    value=st.binary(max_size=60).filter(lambda raw: not set(raw) & {0, 10, 13}),
)
def test_any_head_is_answered(stranger: PracticeClient, name: str, value: bytes) -> None:
    headers = {key.encode(): text.encode() for key, text in stranger.heads().items()}
    headers[name.encode()] = value.strip()
    try:
        reply = stranger.http.get("/abha/api/v3/profile/account", headers=headers)
    except httpx.LocalProtocolError:
        return  # it cannot be sent at all
    assert reply.status_code in {400, 401}
