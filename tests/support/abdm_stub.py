"""A little ABDM on a real socket that answers what a test tells it to, and writes down all asks."""

from __future__ import annotations

import base64
import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sync.server.abdm.calls import Begun, DemographicAsk, Ending
from sync.server.abdm.client import AbdmClient, open_client
from sync.server.abdm.settings import AbdmSettings

SESSION = "/api/hiecm/gateway/v3/sessions"
CERTIFICATE = "/abha/api/v3/profile/public/certificate"
ENROL = "/abha/api/v3/enrollment/enrol/byAadhaar"
OTP = "/abha/api/v3/enrollment/request/otp"
VERIFY = "/abha/api/v3/enrollment/auth/byAbdm"
SUGGESTION = "/abha/api/v3/enrollment/enrol/suggestion"
ADDRESS = "/abha/api/v3/enrollment/enrol/abha-address"
QR = "/abha/api/v3/profile/account/qrCode"
CARD = "/abha/api/v3/profile/account/abha-card"
LINK_TOKEN = "/api/hiecm/v3/token/generate-token"
LINK = "/api/hiecm/hip/v3/link/carecontext"

ALGORITHM = "RSA/ECB/OAEPWithSHA-1AndMGF1Padding"
AADHAAR = b"999999990019"
NOW = 1_795_000_000.0
"""2026-11-18, whatever the machine's clock says."""

PROFILE: Mapping[str, Any] = {
    "healthIdNumber": "91-1234-5678-9015",
    "healthId": "asha.test@sbx",
    "mobile": "******0903",
    "name": "Asha Test",
    "yearOfBirth": "1990",
    "gender": "F",
    "stateCode": "27",
    "token": "user-token",
    "jwtResponse": {"token": "user-token", "expiresIn": 1800, "refreshToken": "r"},
    "status": "ACTIVE",
    "new": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer. ``is_cut``: it hangs up in the middle; ``is_mute``: before a word."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_cut: bool = False
    is_mute: bool = False


def said(value: Any, status: int = 200, **headers: str) -> Said:
    """Give a JSON answer."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Said(status=status, body=json.dumps(value).encode(), headers=named)


def refused(code: str, message: str, status: int = 422, **headers: str) -> Said:
    """Give a refusal in ABDM's most usual shape."""
    return said({"error": {"code": code, "message": message}}, status, **headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


@cache
def keys() -> tuple[RSAPrivateKey, RSAPrivateKey]:
    """Give two key pairs, made once for all tests of a process."""
    return generate_private_key(65537, 2048), generate_private_key(65537, 2048)


def public_text(key: RSAPrivateKey) -> str:
    """Give a public key as NHA does: bare base64 of DER."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def opened(text: str, key: RSAPrivateKey) -> str:
    """Decrypt a field."""
    padding = OAEP(MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - NHA's choice
    return key.decrypt(base64.b64decode(text), padding).decode()


class AbdmStub:
    """Answers each path from its queue; when that is empty, what is usual there."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.key = keys()[0]
        self.clock = NOW
        self.session_seconds: object = 1200
        self.ended_sessions: set[str] = set()
        self._queues: defaultdict[str, deque[Said]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def settings(self) -> AbdmSettings:
        """Settings with which a client reaches it."""
        return AbdmSettings(
            gateway_url=self.url,
            abha_url=f"{self.url}/abha/api",
            client_id="SBX_000001",
            client_secret="not-a-secret",
            benefit="camp",
            timeout_seconds=5,
        )

    def close(self) -> None:
        """Stop and wait."""
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def answer(self, path: str, *answers: Said) -> None:
        """Give these answers to the next requests of a path."""
        with self._lock:
            self._queues[path].extend(answers)

    def asks(self, path: str) -> list[Asked]:
        """Give all requests of a path."""
        with self._lock:
            return [each for each in self.asked if each.path == path]

    def take(self, asked: Asked) -> Said:
        """Write a request down and decide its answer."""
        with self._lock:
            self.asked.append(asked)
            if (
                asked.headers.get("Authorization", "").removeprefix("Bearer ")
                in self.ended_sessions
            ):
                return Said(status=401)
            queue = self._queues[asked.path]
            if queue:
                return queue.popleft()
            count = sum(each.path == SESSION for each in self.asked)
        usual: dict[str, Any] = {
            SESSION: {"accessToken": f"session-{count}", "expiresIn": self.session_seconds},
            CERTIFICATE: {"publicKey": public_text(self.key), "encryptionAlgorithm": ALGORITHM},
            ENROL: PROFILE,
            OTP: {"txnId": "txn-1", "message": "OTP sent to mobile ending with ******0161"},
            VERIFY: {"txnId": "txn-1", "authResult": "success", "message": "linked"},
            SUGGESTION: {"txnId": "txn-1", "abhaAddressList": ["asha.test", "asha_1990"]},
            ADDRESS: {"txnId": "txn-1", "preferredAbhaAddress": "asha.test"},
        }
        if asked.path in usual:
            return said(usual[asked.path])
        return Said(status=202)


@contextmanager
def abdm_stub() -> Iterator[AbdmStub]:
    """Let one listen while the block runs."""
    stub = AbdmStub()
    try:
        yield stub
    finally:
        stub.close()


class Witness:
    """Keeps what a client tells: beginnings, earlier endings, notes."""

    def __init__(self, stub: AbdmStub, **settings: Any) -> None:
        self.stub = stub
        self.now = NOW
        self.begun: list[Begun] = []
        self.asked_before: list[int] = []
        self.ended: list[Ending] = []
        self.noted: list[tuple[str, str]] = []
        self.client: AbdmClient = open_client(
            replace(stub.settings, **settings),
            clock=lambda: self.now,
            note=lambda what, request_id: self.noted.append((what, request_id)),
        )

    def begin(self, begun: Begun) -> None:
        """Take a beginning, and how many requests ABDM had seen by then."""
        self.begun.append(begun)
        self.asked_before.append(len(self.stub.asked))

    def end(self, ending: Ending) -> None:
        """Take an earlier ending."""
        self.ended.append(ending)


def an_ask(**changes: Any) -> DemographicAsk:
    """Give somebody to ask for."""
    given: dict[str, Any] = {
        "aadhaar": bytearray(AADHAAR),
        "name": "Asha Test",
        "birth": (1990, 0, 0),
        "gender": "F",
        "state": 27,
        "district": 490,
        "mobile": "9000000903",
        "pincode": "411001",
        "address": "Near the old well",
    }
    return DemographicAsk(**(given | changes))


def _handler(stub: AbdmStub) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

        def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - its own
            return super().date_time_string(int(stub.clock))

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(
                method=self.command, path=self.path, headers=dict(self.headers), body=body
            )
            given = stub.take(asked)
            if given.is_mute:
                self.close_connection = True
                return
            self.send_response(given.status)
            for name, text in given.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(given.body) + (9 if given.is_cut else 0)))
            self.end_headers()
            self.wfile.write(given.body)
            self.close_connection = self.close_connection or given.is_cut

    return Handler
