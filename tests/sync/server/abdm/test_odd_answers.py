"""Whatever ABDM answers, a call ends in one of four ways, and its ending can be written down."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from abdm_office import Camp, aadhaar
from abdm_stub import ALGORITHM, NOW, PROFILE, an_ask, keys, public_text
from server_laptops import Office
from sync.server.abdm.callback_keys import keep_keys
from sync.server.abdm.calls import (
    AbdmRefused,
    AbdmUnknown,
    AbdmUnsent,
    Answered,
    CareContext,
    Ending,
    LinkAsk,
    LinkTokenAsk,
)
from sync.server.abdm.client import AbdmClient, open_client
from sync.server.abdm.exchanges import Exchanges
from sync.server.abdm.http import Line, NotSent, Reply, ReplyLost
from sync.server.abdm.jobs import JobKind
from sync.server.abdm.refusals import callback_refusal
from sync.server.abdm.settings import AbdmSettings

SETTINGS = replace(
    AbdmSettings(),
    gateway_url="http://127.0.0.1:1",
    abha_url="http://127.0.0.1:1/abha",
    client_id="c",
    client_secret="s",
    benefit="camp",
)
TXN = "6d0a3ef6-0ad6-4c0c-8a34-2b8b64b9a001"
NUMBER = "91123456789015"
LINKED = LinkAsk(
    abha_number=NUMBER,
    abha_address="asha.test@sbx",
    patient_reference="PUID-1",
    patient_display="Camp records",
    hi_type="OPConsultation",
    contexts=(CareContext(reference="visit-1", display="Camp visit"),),
)
TOKEN_ASK = LinkTokenAsk(
    abha_number=NUMBER, abha_address="asha.test@sbx", name="Asha Test", gender="F", birth_year=1990
)

Calls = Callable[[AbdmClient, Callable[..., None], Callable[[Ending], Any]], Answered[Any]]
CALLS: Mapping[str, Calls] = {
    "demographics": lambda c, b, e: c.enrol_by_demographics(b, an_ask(), end=e),
    "otp": lambda c, b, e: c.request_aadhaar_otp(b, bytearray(b"999999990019"), end=e),
    "otp-enrol": lambda c, b, e: c.enrol_by_otp(b, TXN, "123456", "9000000903", end=e),
    "mobile-otp": lambda c, b, e: c.request_mobile_otp(b, TXN, "9000000903", end=e),
    "mobile-verify": lambda c, b, e: c.verify_mobile(b, TXN, "123456", end=e),
    "suggestions": lambda c, b, e: c.suggest_addresses(b, TXN, end=e),
    "address": lambda c, b, e: c.create_address(b, TXN, "asha.test", end=e),
    "qr": lambda c, b, e: c.fetch_qr(b, "token", end=e),
    "card": lambda c, b, e: c.fetch_card(b, "token", end=e),
    "link-token": lambda c, b, e: c.request_link_token(b, "IN27-1", TOKEN_ASK, end=e),
    "link": lambda c, b, e: c.link_contexts(b, "IN27-1", "a.token.b", LINKED, end=e),
}

DATES = (
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Mon, 01 Jan 0001 00:00:00 +2300",
    "Fri, 01 Jan 2021 00:00:00 +99999999999999999999999",
    "1 Jan 99999999999999999999 00:00:00 GMT",
    "Sun, 22 Nov 2026 21:00:30 GMT",
)
NAMES = (
    *PROFILE, "error", "errors", "code", "message", "description", "details", "timestamp", "txnId",
    "requestId", "referenceNumber", "ABHANumber", "ABHAProfile", "tokens", "expiresIn", "publicKey",
    "abhaAddressList", "authResult", "preferredAbhaAddress", "loginId", "dateOfBirth", "status",
)  # fmt: skip
TEXTS: st.SearchStrategy[Any] = st.one_of(
    st.text(st.characters(codec=None), max_size=20),  # half characters as well
    st.text("0123456789-. ०९९a\0\ud800", max_size=20),
    st.sampled_from(["ABDM-1207", "ABDM-1204", "900901", "ABDM-1016", "true", *DATES]),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | TEXTS, inner, max_size=5)
    ),
    max_leaves=12,
)
BODIES: st.SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=80),
    st.dictionaries(st.sampled_from(NAMES) | TEXTS, VALUES, max_size=8).map(
        lambda body: json.dumps(body).encode()
    ),
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4).map(
        lambda body: json.dumps({**PROFILE, "txnId": "t", **body}).encode()
    ),
    st.integers(1, 90_000).map(lambda depth: b'{"error":' * depth),
)
HEADERS = st.dictionaries(
    st.sampled_from(["date", "retry-after", "content-type", "location", "set-cookie"]),
    st.sampled_from(DATES) | st.text(max_size=30) | st.integers().map(str),
)
REPLIES = st.builds(
    lambda status, body, headers: Reply(status=status, body=body, headers=headers),
    st.sampled_from([200, 201, 202, 400, 401, 404, 422, 429, 500, 503]) | st.integers(100, 999),
    BODIES,
    HEADERS,
)
SURROGATE = json.dumps({**PROFILE, "requestId": "x\ud800", "txnId": "t\udfff"}).encode()

HEAD_LINES = st.sampled_from((
    b"Content-Length: 2", b"Content-Length: -1", b"Transfer-Encoding: chunked", b"Date: \xff",
    b"Location: http://[", b"Location: //\xff:99999/", b"Content-Encoding: gzip",
    b"Set-Cookie: a=\xff\xfe", b"Set-Cookie: \xff=b; path=/; Version=z",
    b"Set-Cookie: a=b; Max-Age=99999999999999999999", b"\xff\xfe: 1", b"no colon",
    b"Set-Cookie: a=b; Expires=Fri, 99 Dec 99999 99:99:99 GMT",
)) | st.binary(max_size=12)  # fmt: skip
BYTES = st.binary(max_size=40) | st.builds(
    lambda status, lines, body: b"\r\n".join([b"HTTP/1.1 " + status, *lines, b"", body]),
    st.sampled_from([b"200 OK", b"302 \xff", b"100 Continue", b"204", b"999 x", b"\xff"]),
    st.lists(HEAD_LINES, max_size=4),
    st.sampled_from([b"{}", b"", b"zz\r\n", b"\x1f\x8b", b"\xff\0"]),
)
ODD_COOKIE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=\xff\r\n\r\n{}"


class OddLine:
    """Answers a call with what it was given; sessions and certificates as is usual, or oddly."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.odd = ""

    def close(self) -> None:
        """Hang up."""

    def send(self, _method: str, url: str, _head: object, _body: object = None) -> Reply:
        is_session, is_certificate = url.endswith("/sessions"), url.endswith("/certificate")
        if is_session and self.odd != "session":
            return _reply({"accessToken": "t", "expiresIn": 1200})
        if is_certificate and self.odd != "certificate":
            key = public_text(keys()[0])
            return _reply({"publicKey": key, "encryptionAlgorithm": ALGORITHM})
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def _reply(value: Any) -> Reply:
    return Reply(status=200, headers={}, body=json.dumps(value).encode())


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> OddLine:
    line = OddLine()
    monkeypatch.setattr("sync.server.abdm.gateway.Line", lambda **_: line)
    return line


@pytest.fixture
def exchanges(office: Office) -> Exchanges:
    camp = Camp(office)
    record = camp.person(aadhaar(1))
    return Exchanges(
        camp.store, enrollment=record, kind=JobKind.ENROLL, version=1, clock=lambda: camp.now
    )


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(name="demographics", replies=[Reply(status=200, headers={}, body=SURROGATE)], odd="")
@example(
    name="link",
    replies=[Reply(status=429, headers={"retry-after": DATES[3], "date": DATES[2]}, body=b"")],
    odd="",
)
@given(
    name=st.sampled_from(sorted(CALLS)),
    replies=st.lists(REPLIES, min_size=1, max_size=3),
    odd=st.sampled_from(["", "", "", "session", "certificate"]),
)
def test_whatever_abdm_answers_a_call_has_an_ending_that_can_be_written(
    line: OddLine, exchanges: Exchanges, name: str, replies: list[Reply], odd: str
) -> None:
    line.replies, line.odd = list(replies), odd
    with open_client(SETTINGS, clock=lambda: NOW) as client:
        try:
            ending = CALLS[name](client, exchanges.begin, exchanges.end_alone).ending
        except AbdmRefused as refused:
            ending, told = refused.ending, refused.refusal
            (told.code + told.message + told.reason + told.pointer).encode()
        except (AbdmUnknown, AbdmUnsent) as failure:
            ending = failure.ending
    ending.code.encode("ascii")
    assert exchanges.end_alone(ending) is bool(ending.request_id)


@given(VALUES)
def test_whatever_a_callback_says_against_a_link_can_be_written(value: Any) -> None:
    told = callback_refusal(value)
    (told.code + told.message + told.reason + told.pointer).encode()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys_given=st.lists(
        st.fixed_dictionaries(
            {
                "kty": st.just("RSA"),
                "n": VALUES | st.just("u" * 342),
                "e": VALUES | st.just("AQAB"),
            },
            optional={"kid": VALUES, "alg": VALUES, "use": VALUES},
        )
        | VALUES,
        max_size=3,
    )
)
def test_whatever_keys_the_gateway_gives_they_are_kept_or_not(
    office: Office, keys_given: list[Any]
) -> None:
    with office.store.write() as connection:
        keep_keys(connection, {"keys": keys_given}, now=1)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(data=ODD_COOKIE)
@given(data=BYTES)
def test_whatever_bytes_come_a_line_gives_a_reply_or_says_that_it_was_lost(
    answering: Answering, data: bytes
) -> None:
    answering.bytes = data
    for _again in range(2):
        try:
            reply = answering.line.send("GET", answering.url, {})
        except (NotSent, ReplyLost):
            continue
        assert 0 < reply.status < 1000


class Answering:
    """Answers each connection with the same bytes and hangs up."""

    def __init__(self) -> None:
        self.bytes = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.line = Line(timeout_seconds=5, is_plain=True, ssl_context=context)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Hang up and wait."""
        self.line.close()
        self._over.set()
        with socket.create_connection(self._listener.getsockname(), timeout=5):
            self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            caller, _address = self._listener.accept()
            with caller:
                caller.settimeout(5)
                if not self._over.is_set() and caller.recv(65_536):
                    caller.sendall(self.bytes)


@pytest.fixture
def answering() -> Iterator[Answering]:
    found = Answering()
    yield found
    found.close()
