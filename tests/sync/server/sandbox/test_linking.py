"""Link tokens and care contexts, and the callbacks that answer them."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from practice_calls import HIP, Clock, PracticeClient
from sync.server.sandbox.rules import UNKNOWN_HIP, Rule, number_for

TOKEN = "/api/hiecm/v3/token/generate-token"
LINK = "/api/hiecm/hip/v3/link/carecontext"


class Bridge:
    """A programme's server that takes callbacks, or does not (``status``)."""

    def __init__(self) -> None:
        self.got: Queue[tuple[str, dict[str, str], dict[str, Any]]] = Queue()
        self.status = 202
        bridge = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                bridge.got.put((self.path, dict(self.headers), body))
                self.send_response(bridge.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def next(self) -> tuple[str, dict[str, str], dict[str, Any]]:
        return self.got.get(timeout=10)


@pytest.fixture
def bridge(client: PracticeClient) -> Iterator[Bridge]:
    bridge = Bridge()
    thread = threading.Thread(target=bridge.server.serve_forever, args=(0.01,))
    thread.start()
    client.abdm.call_at(bridge.url)
    yield bridge
    bridge.server.shutdown()
    thread.join()
    bridge.server.server_close()


def token_body(answer: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {
        "abhaNumber": answer["healthIdNumber"].replace("-", ""),
        "abhaAddress": answer["healthId"],
        "name": "Shanti Devi",
        "gender": "F",
        "yearOfBirth": 1970,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not ...}


def link_body(answer: dict[str, Any], *references: str, **changes: Any) -> dict[str, Any]:
    contexts = [{"referenceNumber": one, "display": "OPD visit, 26 Oct 2026"} for one in references]
    entry = {
        "referenceNumber": "PUID-1",
        "display": "Camp records",
        "careContexts": contexts,
        "hiType": "OPConsultation",
        "count": len(contexts),
        **changes,
    }
    return {
        "abhaNumber": answer["healthIdNumber"].replace("-", ""),
        "abhaAddress": answer["healthId"],
        "patient": [{name: value for name, value in entry.items() if value is not ...}],
    }


def token_of(client: PracticeClient, bridge: Bridge, answer: dict[str, Any]) -> str:
    assert client.post(TOKEN, token_body(answer), X_HIP_ID=HIP).status_code == 202
    return str(bridge.next()[2]["linkToken"])


def link(client: PracticeClient, token: str, body: Any, hip: str = HIP) -> httpx.Response:
    return client.post(LINK, body, X_HIP_ID=hip, X_LINK_TOKEN=token)


def test_a_token_comes_by_callback_and_names_its_request(
    client: PracticeClient, bridge: Bridge
) -> None:
    answer = client.enrol().json()
    request_id = "18235d89-cb13-479d-ad71-7a57d5f669a8"
    reply = client.post(TOKEN, token_body(answer), X_HIP_ID=HIP, REQUEST_ID=request_id)
    assert (reply.status_code, reply.content) == (202, b"")
    path, headers, body = bridge.next()
    assert path == "/api/v3/hip/token/on-generate-token"
    assert (headers["X-HIP-ID"], headers["X-Practice"]) == (HIP, "yes")
    assert set(body) == {"abhaAddress", "linkToken", "response"}
    assert body["response"] == {"requestId": request_id}


@pytest.mark.parametrize(
    "changes",
    [{"abhaNumber": ...}, {"abhaAddress": ...}, {"name": "shanti  DEVI"}],
)
def test_number_or_address_is_enough(
    client: PracticeClient, bridge: Bridge, changes: dict[str, Any]
) -> None:
    body = token_body(client.enrol().json(), **changes)
    client.post(TOKEN, body, X_HIP_ID=HIP)
    assert "linkToken" in bridge.next()[2]


def test_a_number_as_json_number_has_lost_its_zeros_and_is_known(
    client: PracticeClient, bridge: Bridge
) -> None:
    answer = client.enrol().json()
    body = token_body(answer, abhaNumber=int(answer["healthIdNumber"].replace("-", "")))
    client.post(TOKEN, body, X_HIP_ID=HIP)
    assert "linkToken" in bridge.next()[2]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "Kanta"}, "ABDM-1043"),
        ({"gender": "M"}, "ABDM-1043"),
        ({"yearOfBirth": 1971}, "ABDM-1043"),
        ({"abhaNumber": "00123456789012"}, "ABDM-1051"),
        ({"abhaAddress": "nobody.here@sbx"}, "ABDM-1051"),
    ],
)
def test_another_person_is_refused_by_callback(
    client: PracticeClient, bridge: Bridge, changes: dict[str, Any], code: str
) -> None:
    body = token_body(client.enrol().json(), **changes)
    assert client.post(TOKEN, body, X_HIP_ID=HIP).status_code == 202
    refused = bridge.next()[2]
    assert refused["error"]["code"] == code
    assert "requestId" in refused["response"]


@pytest.mark.parametrize(
    ("rule", "code"), [(Rule.LINK_KYC, "ABDM-1043"), (Rule.LINK_BLOCKED, "ABDM-1027")]
)
def test_the_numbers_of_the_help_page_are_refused(
    client: PracticeClient, bridge: Bridge, rule: Rule, code: str
) -> None:
    answer = client.enrol(number_for(rule)).json()
    client.post(TOKEN, token_body(answer), X_HIP_ID=HIP)
    assert bridge.next()[2]["error"]["code"] == code


def test_a_second_request_within_69_seconds_hides_why_the_first_was_refused(
    client: PracticeClient, bridge: Bridge
) -> None:
    assert isinstance(client.clock, Clock)
    body = token_body(client.enrol().json(), name="Kanta")
    client.post(TOKEN, body, X_HIP_ID=HIP)
    assert bridge.next()[2]["error"]["code"] == "ABDM-1043"
    reply = client.post(TOKEN, body, X_HIP_ID=HIP)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "ABDM-1092")
    assert client.post(TOKEN, body, X_HIP_ID="IN0812966770").status_code == 202
    client.clock.now += 70
    assert client.post(TOKEN, body, X_HIP_ID=HIP).status_code == 202


@pytest.mark.parametrize("hip", [None, "", "a b", UNKNOWN_HIP])
def test_a_facility_that_is_not_known_is_refused(client: PracticeClient, hip: str | None) -> None:
    reply = client.post(TOKEN, token_body(client.enrol().json()), X_HIP_ID=hip)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "ABDM-1035")


@pytest.mark.parametrize(
    "changes",
    [{"name": ""}, {"gender": "X"}, {"yearOfBirth": "1970"}, {"name": ...}, {"extra": 1}],
)
def test_a_request_that_is_not_as_documented_is_refused(
    client: PracticeClient, changes: dict[str, Any]
) -> None:
    body = token_body(client.enrol().json(), **changes)
    assert client.post(TOKEN, body, X_HIP_ID=HIP).status_code == 400


def test_care_contexts_are_linked_once_and_then_are_already(
    client: PracticeClient, bridge: Bridge
) -> None:
    answer = client.enrol().json()
    token = token_of(client, bridge, answer)
    assert link(client, token, link_body(answer, "visit/1", "visit/2")).status_code == 202
    path, _, body = bridge.next()
    assert path == "/api/v3/link/on_carecontext"
    assert body["status"] == "Successfully Linked care context"
    assert client.abdm.accounts[0]["linked"] == [[HIP, "visit/1"], [HIP, "visit/2"]]
    link(client, token, link_body(answer, "visit/2"))
    assert bridge.next()[2]["error"]["code"] == "ABDM-1056"
    link(client, token, link_body(answer, "visit/2", "visit/3"))
    assert "status" in bridge.next()[2]


def test_both_spellings_of_the_type_are_taken_but_not_at_once(
    client: PracticeClient, bridge: Bridge
) -> None:
    answer = client.enrol().json()
    token = token_of(client, bridge, answer)
    other = link_body(answer, "a", hiType=..., hiTypes="OPConsultation")
    assert link(client, token, other).status_code == 202
    both = link_body(answer, "b", hiTypes="OPConsultation")
    assert link(client, token, both).status_code == 400
    assert link(client, token, link_body(answer, "b", hiType=...)).status_code == 400


def test_a_token_is_for_one_person_and_one_facility(client: PracticeClient, bridge: Bridge) -> None:
    assert isinstance(client.clock, Clock)
    answer = client.enrol().json()
    other = client.enrol("999987259635").json()
    token = token_of(client, bridge, answer)
    number = {**link_body(answer, "a"), "abhaNumber": other["healthIdNumber"].replace("-", "")}
    address = {**link_body(answer, "a"), "abhaAddress": other["healthId"]}
    for used, body, hip, code in (
        ("made-up", link_body(answer, "a"), HIP, "ABDM-1026"),
        ("", link_body(answer, "a"), HIP, "ABDM-1026"),
        (token, link_body(answer, "a"), "IN0812966770", "ABDM-1063"),
        (token, number, HIP, "ABDM-1062"),
        (token, address, HIP, "ABDM-1038"),
    ):
        assert link(client, used, body, hip).json()["error"]["code"] == code
    client.clock.now += 181 * 86_400
    client.log_in()
    reply = link(client, token, link_body(answer, "a"))
    assert reply.json()["error"]["code"] == "ABDM-1026", "half a year"


@pytest.mark.parametrize(
    ("references", "changes", "code"),
    [
        (["a"], {"count": 2}, "ABDM-1037"),
        (["a"], {"count": "1"}, "ABDM-1037"),
        ([], {}, "ABDM-1059"),
        ([f"r{n}" for n in range(21)], {}, "ABDM-1059"),
        (["a"], {"hiType": "Diagnosis"}, None),
        (["a"], {"display": "fever & cough"}, None),
        (["a"], {"display": "x" * 256}, None),
        (["a#1"], {}, None),
        ([""], {}, None),
        (["a"], {"more": 1}, None),
    ],
)
def test_contexts_that_are_not_as_documented_are_refused(
    stranger: PracticeClient, references: list[str], changes: dict[str, Any], code: str | None
) -> None:
    answer = {"healthIdNumber": "00-0000-0000-0000", "healthId": "practice.none@sbx"}
    reply = link(stranger, "none", link_body(answer, *references, **changes))
    assert reply.status_code == 400
    assert code is None or reply.json()["error"]["code"] == code


def test_twenty_contexts_are_the_most(client: PracticeClient, bridge: Bridge) -> None:
    answer = client.enrol().json()
    body = link_body(answer, *(f"r{n}" for n in range(20)))
    assert link(client, token_of(client, bridge, answer), body).status_code == 202


@pytest.mark.parametrize("fault", ["lost-reply", "cut-reply"])
def test_a_reply_without_a_body_can_be_lost_too(
    client: PracticeClient, bridge: Bridge, fault: str
) -> None:
    answer = client.enrol().json()
    client.abdm.script(link_token=[fault])
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(TOKEN, token_body(answer), X_HIP_ID=HIP)
    assert "linkToken" in bridge.next()[2], "the callback comes all the same"


def test_a_callback_may_be_lost_or_come_twice(client: PracticeClient, bridge: Bridge) -> None:
    answer = client.enrol().json()
    client.abdm.script(link_token=["callback-lost"], link=["callback-twice"])
    client.post(TOKEN, token_body(answer), X_HIP_ID=HIP)
    assert client.abdm.callbacks[0]["status"] is None
    assert client.post("/practice/callbacks", {"repeat": True}).json()["repeated"] == 1
    token = bridge.next()[2]["linkToken"]
    link(client, token, link_body(answer, "a"))
    assert bridge.next()[2] == bridge.next()[2]


def test_a_callback_that_is_not_taken_is_known_and_can_be_repeated(
    client: PracticeClient, bridge: Bridge
) -> None:
    answer = client.enrol().json()
    bridge.status = 503
    client.post(TOKEN, token_body(answer), X_HIP_ID=HIP)
    bridge.next()
    client.abdm.sandbox.callbacks.close()
    assert [(one["status"], one["deliveries"]) for one in client.abdm.callbacks] == [(503, 1)]


def test_a_callback_is_signed_with_the_gateways_key(client: PracticeClient, bridge: Bridge) -> None:
    client.post(TOKEN, token_body(client.enrol().json()), X_HIP_ID=HIP)
    scheme, _, token = bridge.next()[1]["Authorization"].partition(" ")
    head, claims, signature = token.split(".")
    (key,) = client.get("/api/hiecm/gateway/v3/certs").json()["keys"]
    assert (scheme, read(head)["kid"]) == ("Bearer", key["kid"])
    assert read(claims)["exp"] > client.clock()
    numbers = RSAPublicNumbers(*(int.from_bytes(raw(key[name])) for name in "en"))
    numbers.public_key().verify(raw(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


def read(text: str) -> Any:
    return json.loads(raw(text))


def test_callbacks_wait_for_an_address(client: PracticeClient) -> None:
    answer = client.enrol().json()
    client.post(TOKEN, token_body(answer), X_HIP_ID=HIP)
    assert client.abdm.callbacks[0]["deliveries"] == 0
    for url in ("nonsense", "ftp://127.0.0.1/", "http://"):
        assert client.post("/practice/callbacks", {"url": url}).status_code == 400
    bridge = Bridge()
    assert client.post("/practice/callbacks", {"url": bridge.url}).status_code == 200
    bridge.server.handle_request()
    assert "linkToken" in bridge.next()[2]
    bridge.server.server_close()


def test_the_journal_tells_no_link_token(client: PracticeClient, bridge: Bridge) -> None:
    token = token_of(client, bridge, client.enrol().json())
    assert token not in client.get("/practice/journal").text
