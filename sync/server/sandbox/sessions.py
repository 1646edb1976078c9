"""Who may call the practice ABDM: a client's session, and a person's own token."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sync.server.sandbox.accounts import Account
from sync.server.sandbox.replies import coded, gateway

__all__ = ["PROFILE_SECONDS", "Credentials", "Sessions"]

_BAD_MAX: Final = 8
"""So many refused sessions lock the client out (NHA, M1), for about as many minutes."""
_LOCKED_SECONDS: Final = 480
PROFILE_SECONDS: Final = 1800
_REFRESH_SECONDS: Final = 1_296_000
_KEPT_MAX: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a client must show. They are no secrets: they open a practice and nothing else."""

    client_id: str = "practice"
    client_secret: str = "practice"  # noqa: S105 - it guards nothing
    benefit: str = "practice"
    cm_id: str = "sbx"
    session_seconds: int = 1200


class Sessions:
    """Sessions and tokens in memory. Safe for several threads."""

    def __init__(self, credentials: Credentials, clock: Callable[[], float]) -> None:
        self._credentials, self._clock = credentials, clock
        self._lock = threading.Lock()
        self._sessions: dict[str, float] = {}
        self._tokens: dict[str, tuple[Account, float]] = {}
        self._bad = 0
        self._locked_until = 0.0

    def open(self, client_id: object, client_secret: object) -> dict[str, Any]:
        """Open a session, or refuse; the eighth refusal in a row locks the client out."""
        wanted = self._credentials
        is_right = _same(client_id, wanted.client_id) & _same(client_secret, wanted.client_secret)
        with self._lock:
            now = self._clock()
            if now < self._locked_until or not is_right:
                self._note_bad(now)
                raise coded(401, "ABDM-9999", "Invalid user credentials")
            self._bad = 0
            token = f"practice-session-{secrets.token_hex(24)}"
            self._sessions = {key: end for key, end in self._sessions.items() if end > now}
            self._sessions[token] = now + wanted.session_seconds
        return {
            "accessToken": token,
            "expiresIn": wanted.session_seconds,
            "refreshExpiresIn": 1800,
            "refreshToken": f"practice-refresh-{secrets.token_hex(24)}",
            "tokenType": "bearer",
        }

    def check(self, authorization: str) -> None:
        """Refuse a request without a living session, as the gateway does."""
        scheme, _, token = authorization.partition(" ")
        if not authorization:
            raise gateway(401, "900902", "Missing Credentials")
        with self._lock:
            is_alive = self._sessions.get(token, 0.0) > self._clock()
        if scheme != "Bearer" or not is_alive:
            raise gateway(401, "900901", "Invalid Credentials")

    def end_all(self) -> None:
        """Let every session run out now."""
        with self._lock:
            self._sessions.clear()

    def open_profile(self, account: Account) -> dict[str, Any]:
        """Give a token that opens somebody's profile for half an hour."""
        token = f"practice-profile-{secrets.token_hex(24)}"
        with self._lock:
            now = self._clock()
            if len(self._tokens) >= _KEPT_MAX:
                self._tokens = {key: one for key, one in self._tokens.items() if one[1] > now}
            self._tokens[token] = (account, now + PROFILE_SECONDS)
        return {
            "token": token,
            "expiresIn": PROFILE_SECONDS,
            "refreshToken": f"practice-refresh-{secrets.token_hex(24)}",
            "refreshExpiresIn": _REFRESH_SECONDS,
        }

    def profile(self, header: str) -> Account:
        """Find whose profile an ``X-token`` opens, or refuse."""
        scheme, _, token = header.partition(" ")
        with self._lock:
            found = self._tokens.get(token)
        if scheme != "Bearer" or found is None or found[1] <= self._clock():
            raise coded(401, "ABDM-2401: ", "X-token is invalid or expired")
        return found[0]

    def _note_bad(self, now: float) -> None:
        self._bad += 1
        if self._bad >= _BAD_MAX:
            self._locked_until = now + _LOCKED_SECONDS
            self._bad = 0


def _same(given: object, wanted: str) -> bool:
    data = given.encode("utf-8", "surrogatepass") if isinstance(given, str) else b""
    return hmac.compare_digest(data, wanted.encode())
