"""The practice ABDM put together: its parts, its routes, and what a test may reach for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sync.server.sandbox.accounts import Accounts
from sync.server.sandbox.asking import Asked, Heads, keys_of
from sync.server.sandbox.callbacks import Callbacks, checked_address
from sync.server.sandbox.coding import Coding
from sync.server.sandbox.dating import dated
from sync.server.sandbox.enrolling import Enrolling
from sync.server.sandbox.faults import FaultPlan
from sync.server.sandbox.front import Front, Route
from sync.server.sandbox.journal import Journal
from sync.server.sandbox.keys import ALGORITHM, CertificateKeys
from sync.server.sandbox.linking import Linking
from sync.server.sandbox.otp import Codes
from sync.server.sandbox.pages import make_pages
from sync.server.sandbox.papers import card_png, qr_png
from sync.server.sandbox.replies import Reply, fields
from sync.server.sandbox.sessions import Credentials, Sessions
from sync.server.sandbox.signing import GatewayKey

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
    codes: Codes
    callbacks: Callbacks

    def close(self) -> None:
        """Post the callbacks that wait, and close what it writes to."""
        self.callbacks.close()
        self.journal.close()


def create_sandbox(
    *,
    keys: CertificateKeys,
    faults: FaultPlan,
    clock: Callable[[], float],
    tell: Callable[[str], None],
    credentials: Credentials | None = None,
    callback_url: str = "",
    journal_file: Path | None = None,
) -> Sandbox:
    """Put a practice ABDM together.

    ``clock`` gives seconds since 1970; ``tell`` is told of each code; ``callback_url`` is the
    beginning of the addresses at which the programme's server listens for M2's answers;
    ``ValueError`` when it is none, ``OSError`` when the file cannot be written.
    """
    credentials = credentials or Credentials()
    checked_address(callback_url)
    journal = Journal(clock, journal_file)
    signer = GatewayKey(clock)
    callbacks = Callbacks(callback_url, clock, signer.bearer)
    accounts, sessions, codes = Accounts(clock), Sessions(credentials, clock), Codes(clock, tell)
    shared: dict[str, Any] = {
        "accounts": accounts, "sessions": sessions, "keys": keys, "journal": journal,
    }  # fmt: skip
    routes = _Routes(
        heads=Heads(sessions=sessions, credentials=credentials, clock=clock),
        enrolling=Enrolling(**shared, credentials=credentials),
        coding=Coding(**shared, codes=codes),
        linking=Linking(accounts=accounts, callbacks=callbacks, clock=clock),
        keys=keys,
        signer=signer,
    )
    pages = make_pages(
        journal=journal, accounts=accounts, faults=faults, codes=codes, callbacks=callbacks
    )
    front = Front(
        pages, routes=routes.table(), journal=journal, faults=faults, keys=keys, sessions=sessions
    )
    return Sandbox(
        app=dated(front, clock), credentials=credentials, accounts=accounts, sessions=sessions,
        faults=faults, journal=journal, keys=keys, codes=codes, callbacks=callbacks,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Routes:
    """Which route is answered by whom, behind the check of its heads."""

    heads: Heads
    enrolling: Enrolling
    coding: Coding
    linking: Linking
    keys: CertificateKeys
    signer: GatewayKey

    def table(self) -> dict[tuple[str, str], Route]:
        """Give every route by method and path."""
        enrollment, profile = f"{ABHA_PATH}/v3/enrollment", f"{ABHA_PATH}/v3/profile"
        m1, m2 = self._m1, self._m2
        return {
            ("POST", "/api/hiecm/gateway/v3/sessions"): Route(
                name="session", answer=self._session, is_gateway=True
            ),
            ("GET", "/api/hiecm/gateway/v3/certs"): m2("certs", self._certs),
            ("GET", f"{profile}/public/certificate"): m1("certificate", self._certificate),
            ("POST", f"{enrollment}/enrol/byAadhaar"): m1("enrol", self._enrol),
            ("POST", f"{enrollment}/request/otp"): m1("otp", self.coding.request),
            ("POST", f"{enrollment}/auth/byAbdm"): m1("verify", self.coding.verify),
            ("GET", f"{enrollment}/enrol/suggestion"): m1("suggestions", self.coding.suggest),
            ("POST", f"{enrollment}/enrol/abha-address"): m1("address", self.coding.address),
            ("GET", f"{profile}/account"): m1("profile", self.coding.profile),
            ("GET", f"{profile}/account/qrCode"): m1("qr", self._qr),
            ("GET", f"{profile}/account/abha-card"): m1("card", self._card),
            ("POST", "/api/hiecm/v3/token/generate-token"): m2("link-token", self.linking.token),
            ("POST", "/api/hiecm/hip/v3/link/carecontext"): m2("link", self.linking.link),
        }

    def _m1(self, name: str, answer: Callable[[Asked], Reply]) -> Route:
        def checked(asked: Asked) -> Reply:
            self.heads.check(asked, is_gateway=False)
            return answer(asked)

        return Route(name=name, answer=checked)

    def _m2(self, name: str, answer: Callable[[Asked], Reply]) -> Route:
        def checked(asked: Asked) -> Reply:
            self.heads.check(asked, is_gateway=True)
            return answer(asked)

        return Route(name=name, answer=checked, is_gateway=True)

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

    def _certs(self, _asked: Asked) -> Reply:
        return Reply.of(self.signer.key_set)

    def _enrol(self, asked: Asked) -> Reply:
        body = asked.json()
        auth = body.get("authData")
        match auth.get("authMethods") if isinstance(auth, dict) else None:
            case ["demo_auth"]:
                return self.enrolling.by_demographics(asked, body)
            case ["otp"]:
                return self.coding.enrol(asked, body)
            case _:
                raise fields(authMethods="AuthMethod cannot be null or empty")

    def _qr(self, asked: Asked) -> Reply:
        account = self.heads.sessions.profile(asked.head("X-token"))
        return Reply(body=qr_png(account), media_type="image/png")

    def _card(self, asked: Asked) -> Reply:
        account = self.heads.sessions.profile(asked.head("X-token"))
        return Reply(status=202, body=card_png(account), media_type="image/png")
