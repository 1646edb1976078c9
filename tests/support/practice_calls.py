"""Calls to the practice ABDM as any client would make them, written without ours."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_der_public_key

from practice_abdm import PracticeAbdm, practice_abdm

__all__ = ["CONSENT", "HIP", "SHANTI", "Clock", "PracticeClient", "practice_client"]

SHANTI = "999927467707"
"""The Aadhaar number of nobody, as all of the test range."""
HIP = "IN0812966769"
CONSENT = {"code": "abha-enrollment", "version": "1.4"}


@dataclass(slots=True)
class Clock:
    """A clock that a test sets."""

    now: float = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True, kw_only=True)
class PracticeClient:
    """Somebody who calls; ``abdm`` is whom."""

    abdm: PracticeAbdm
    http: httpx.Client
    clock: Callable[[], float]
    session: str = ""
    key: RSAPublicKey | None = field(default=None, repr=False)

    def heads(self, **changes: str | None) -> dict[str, str]:
        """Give what every request brings; ``None`` takes one away."""
        now = datetime.fromtimestamp(self.clock(), UTC)
        given: dict[str, str | None] = {
            "REQUEST-ID": str(uuid.uuid4()),
            "TIMESTAMP": now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z",
            "X-CM-ID": "sbx",
            "Authorization": f"Bearer {self.session}" if self.session else None,
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        return {name: value for name, value in given.items() if value is not None}

    def log_in(self, **changes: Any) -> httpx.Response:
        """Ask for a session, and keep it."""
        body = {
            "clientId": "practice",
            "clientSecret": "practice",
            "grantType": "client_credentials",
            **changes,
        }
        reply = self.http.post(
            "/api/hiecm/gateway/v3/sessions", json=body, headers=self.heads(Authorization=None)
        )
        if reply.status_code == httpx.codes.OK:
            self.session = reply.json()["accessToken"]
        return reply

    def fetch_key(self) -> httpx.Response:
        """Ask for the certificate, and keep its key."""
        reply = self.get("/abha/api/v3/profile/public/certificate")
        found = load_der_public_key(base64.b64decode(reply.json()["publicKey"]))
        assert isinstance(found, RSAPublicKey)
        self.key = found
        return reply

    def seal(self, text: str) -> str:
        """Encrypt a field as NHA prescribes."""
        assert self.key is not None
        padding = OAEP(MGF1(SHA1()), SHA1(), None)  # noqa: S303 - NHA prescribes it
        sealed = self.key.encrypt(text.encode(), padding)
        return base64.b64encode(sealed).decode()

    def get(self, path: str, **heads: str | None) -> httpx.Response:
        """Ask."""
        return self.http.get(path, headers=self.heads(**heads))

    def post(self, path: str, body: Any, **heads: str | None) -> httpx.Response:
        """Say."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self.heads(**heads)}
        return self.http.post(path, content=content, headers=headers)

    def ask_body(self, aadhaar: str = SHANTI, **changes: Any) -> dict[str, Any]:
        """Build an enrolment by demographics; ``...`` takes a field away."""
        person = {
            "aadhaarNumber": self.seal(aadhaar),
            "name": "Shanti Devi",
            "dateOfBirth": "00-00-1970",
            "gender": "F",
            "stateCode": "8",
            "districtCode": "88",
            **changes,
        }
        kept = {name: value for name, value in person.items() if value is not ...}
        auth = {"authMethods": ["demo_auth"], "demo_auth": kept}
        return {"authData": auth, "consent": CONSENT}

    def enrol(self, aadhaar: str = SHANTI, **changes: Any) -> httpx.Response:
        """Enrol somebody by demographics."""
        return self.send_enrolment(self.ask_body(aadhaar, **changes))

    def send_enrolment(self, body: Any, **heads: str | None) -> httpx.Response:
        """Send an enrolment as it is."""
        wanted = {"BENEFIT_NAME": "practice", **heads}
        return self.post("/abha/api/v3/enrollment/enrol/byAadhaar", body, **wanted)


@contextmanager
def practice_client(**options: Any) -> Iterator[PracticeClient]:
    """Run a practice ABDM and give somebody who has logged in and has its key."""
    clock = options.setdefault("clock", Clock())
    with practice_abdm(**options) as abdm, httpx.Client(base_url=abdm.url, timeout=20) as http:
        client = PracticeClient(abdm=abdm, http=http, clock=clock)
        client.log_in()
        client.fetch_key()
        yield client
