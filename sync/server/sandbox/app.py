"""The practice ABDM put together: its parts, its routes, and what a test may reach for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sync.server.sandbox.accounts import Accounts
from sync.server.sandbox.asking import Asked, Heads, keys_of
from sync.server.sandbox.enrolling import Enrolling
from sync.server.sandbox.faults import FaultPlan
from sync.server.sandbox.front import Front, Route
from sync.server.sandbox.journal import Journal
from sync.server.sandbox.keys import ALGORITHM, CertificateKeys
from sync.server.sandbox.pages import make_pages
from sync.server.sandbox.papers import card_png, qr_png
from sync.server.sandbox.replies import Reply, fields
from sync.server.sandbox.sessions import Credentials, Sessions

__all__ = ["ABHA_PATH", "Sandbox", "create_sandbox"]

ABHA_PATH: Final = "/abha/api"
"""Where the ABHA routes begin; the gateway's begin at the root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A practice ABDM. ``app`` is its ASGI application; the rest is for whoever watches it."""

    app: Callable[[Any, Any, Any], Awaitable[None]]
    credentials: Credentials
    accounts: Accounts
    sessions: Sessions
    faults: FaultPlan
    journal: Journal
    keys: CertificateKeys

    def close(self) -> None:
        """Close what it writes to."""
        self.journal.close()


def create_sandbox(
    *,
    keys: CertificateKeys,
    faults: FaultPlan,
    clock: Callable[[], float],
    credentials: Credentials | None = None,
    journal_file: Path | None = None,
) -> Sandbox:
    """Put a practice ABDM together; ``clock`` gives seconds since 1970."""
    credentials = credentials or Credentials()
    journal = Journal(clock, journal_file)
    accounts, sessions = Accounts(clock), Sessions(credentials, clock)
    routes = _Routes(
        heads=Heads(sessions=sessions, credentials=credentials, clock=clock),
        enrolling=Enrolling(
            accounts=accounts, sessions=sessions, keys=keys, journal=journal,
            credentials=credentials,
        ),
        keys=keys,
    )  # fmt: skip
    app = Front(
        make_pages(journal=journal, accounts=accounts, faults=faults),
        routes=routes.table(),
        journal=journal,
        faults=faults,
        keys=keys,
        sessions=sessions,
    )
    return Sandbox(
        app=app, credentials=credentials, accounts=accounts, sessions=sessions,
        faults=faults, journal=journal, keys=keys,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Routes:
    """Which route is answered by whom, behind the check of its heads."""

    heads: Heads
    enrolling: Enrolling
    keys: CertificateKeys

    def table(self) -> dict[tuple[str, str], Route]:
        """Give every route by method and path."""
        enrollment, profile = f"{ABHA_PATH}/v3/enrollment", f"{ABHA_PATH}/v3/profile"
        return {
            ("POST", "/api/hiecm/gateway/v3/sessions"): Route(
                name="session", answer=self._session, is_gateway=True
            ),
            ("GET", f"{profile}/public/certificate"): self._m1("certificate", self._certificate),
            ("POST", f"{enrollment}/enrol/byAadhaar"): self._m1("enrol", self._enrol),
            ("GET", f"{profile}/account/qrCode"): self._m1("qr", self._qr),
            ("GET", f"{profile}/account/abha-card"): self._m1("card", self._card),
        }

    def _m1(self, name: str, answer: Callable[[Asked], Reply]) -> Route:
        def checked(asked: Asked) -> Reply:
            self.heads.check(asked, is_gateway=False)
            return answer(asked)

        return Route(name=name, answer=checked)

    def _session(self, asked: Asked) -> Reply:
        self.heads.check(asked, is_gateway=True, needs_session=False)
        body = keys_of(
            asked.json(),
            required={"clientId", "clientSecret", "grantType"},
            optional=set(),
            name="request",
        )
        if body["grantType"] != "client_credentials":
            raise fields(grantType="Invalid grantType")
        return Reply.of(self.heads.sessions.open(body["clientId"], body["clientSecret"]))

    def _certificate(self, _asked: Asked) -> Reply:
        return Reply.of({"publicKey": self.keys.public, "encryptionAlgorithm": ALGORITHM})

    def _enrol(self, asked: Asked) -> Reply:
        body = asked.json()
        auth = body.get("authData")
        match auth.get("authMethods") if isinstance(auth, dict) else None:
            case ["demo_auth"]:
                return self.enrolling.by_demographics(asked, body)
            case _:
                raise fields(authMethods="AuthMethod cannot be null or empty")

    def _qr(self, asked: Asked) -> Reply:
        account = self.heads.sessions.profile(asked.head("X-token"))
        return Reply(body=qr_png(account), media_type="image/png")

    def _card(self, asked: Asked) -> Reply:
        account = self.heads.sessions.profile(asked.head("X-token"))
        return Reply(status=202, body=card_png(account), media_type="image/png")
