"""The gateway's session token: fetched once for all threads, and hardly ever asked for in vain.

Eight bad session calls lock a client out for about eight minutes (NHA), and with it every camp of
the programme. So refused sessions are counted, spaced, and after three nobody asks for a while.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from sync.server.abdm.calls import AbdmRefused, AbdmUnsent, Effect, Ending, EndKind, Refusal
from sync.server.abdm.payloads import checked, session
from sync.server.abdm.reading import first_text, seconds_of

__all__ = ["LOCKED_SECONDS", "REFUSED_MAX", "Sessions", "Speak"]

_PATH: Final = "/api/hiecm/gateway/v3/sessions"
REFUSED_MAX: Final = 3
LOCKED_SECONDS: Final = 600.0
_SPACING_SECONDS: Final = (0.0, 0.0, 15.0)
"""How long nobody asks again, by how many were refused in a row; then ``LOCKED_SECONDS``."""
_ASSUMED_SECONDS: Final = 600
"""The life of a session whose answer names none; NHA's own is twice as long."""
_OUTAGE_SECONDS_MAX: Final = 300
_SERVER_FAULT: Final = 500
_EARLY: Final = 0.9
"""A token is used for this part of its life: what leaves late must still arrive in time."""


Speak: TypeAlias = Callable[[str, str, str, dict[str, Any] | None, str], dict[str, Any]]
"""Asks for something that is about nobody: kind, base, path, payload, bearer -> a JSON object.

Raises ``AbdmRefused`` or ``AbdmUnsent``, with an ending that has no request id.
"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Session:
    token: str
    until: float
    is_proven: bool = False


class Sessions:
    """Keeps one session for all threads of a process."""

    def __init__(
        self,
        speak: Speak,
        *,
        url: str,
        client_id: str,
        client_secret: str,
        clock: Callable[[], float],
    ) -> None:
        self._speak = speak
        self._url = url
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._lock = threading.Lock()
        self._session: _Session | None = None
        self._refused = self._outages = 0
        self._refusal: Refusal | None = None
        self._pause = self._quiet_until = 0.0

    def token(self) -> str:
        """Give a token that holds; ``AbdmRefused`` (``WAIT`` or ``STOP``) when there is none."""
        with self._lock:
            held = self._session
            if held is None or self._clock() >= held.until:
                held = self._session = self._fetched()
            return held.token

    def prove(self, token: str) -> None:
        """Note that ABDM took a token: what was refused before is forgiven."""
        with self._lock:
            self._refused = 0
            held = self._session
            if held is not None and held.token == token and not held.is_proven:
                self._session = replace(held, is_proven=True)

    def drop(self, token: str) -> None:
        """Forget a token that ABDM did not take. One that never was taken counts as refused."""
        with self._lock:
            held = self._session
            if held is None or held.token != token:
                return  # another thread has dropped it already
            self._session = None
            if not held.is_proven:
                self._count(_UNUSABLE)

    def _fetched(self) -> _Session:
        self._be_quiet()
        payload = checked("abdm-session-1", session(self._client_id, self._client_secret))
        try:
            answer = self._speak("session", self._url, _PATH, payload, "")
        except AbdmRefused as error:
            raise _unbegun(self._judged(error.refusal)) from error
        except AbdmUnsent:
            # Whoever waits behind this one must not wait for the same silence again.
            self._judged(_SILENT)
            raise
        token = first_text(answer, "accessToken", "access_token", "token")
        if token is None:
            self._count(_UNUSABLE)
            raise _unbegun(self._worded(_UNUSABLE))
        self._outages = 0
        given = seconds_of(answer, "expiresIn", "expires_in") or _ASSUMED_SECONDS
        return _Session(token=token, until=self._clock() + _EARLY * given)

    def _be_quiet(self) -> None:
        """Hold back while it is too early to ask again; say why, and for how long."""
        left = self._quiet_until - self._clock()
        # A clock that was set back must not keep everybody quiet for longer than was meant.
        if self._refusal is None or not 0 < left <= self._pause:
            return
        raise _unbegun(replace(self._worded(self._refusal), wait_seconds=int(left) + 1))

    def _judged(self, refusal: Refusal) -> Refusal:
        if refusal.effect is Effect.WAIT or refusal.status >= _SERVER_FAULT:
            # An outage or a limit is no bad call; but whoever says "later" is believed.
            self._outages += 1
            pause = max(refusal.wait_seconds or 0, min(2**self._outages, _OUTAGE_SECONDS_MAX))
            self._rest(pause)
            self._refusal = replace(
                refusal, effect=Effect.WAIT, reason="abdm:wait", wait_seconds=pause
            )
            return self._refusal
        self._count(refusal)
        return self._worded(refusal)

    def _count(self, refusal: Refusal) -> None:
        self._refused += 1
        self._refusal = refusal
        pause = LOCKED_SECONDS if self._refused >= REFUSED_MAX else _SPACING_SECONDS[self._refused]
        self._rest(pause)

    def _worded(self, refusal: Refusal) -> Refusal:
        """Say ``STOP`` once the office must look, and until then that it is to be tried again."""
        if refusal.effect is Effect.WAIT:
            return refusal
        is_over = self._refused >= REFUSED_MAX
        left = max(0, int(self._quiet_until - self._clock()) + 1)
        reason = refusal.reason if refusal.effect is Effect.STOP else "abdm:session"
        return replace(
            refusal,
            effect=Effect.STOP if is_over else Effect.WAIT,
            reason=reason if is_over else "abdm:wait",
            wait_seconds=left,
        )

    def _rest(self, seconds: float) -> None:
        self._pause = seconds
        self._quiet_until = self._clock() + seconds


_SILENT: Final = Refusal(
    code="ENROLLKIT-session",
    message="no answer",
    status=0,
    module="GW",
    effect=Effect.WAIT,
    reason="abdm:wait",
)
_UNUSABLE: Final = Refusal(
    code="HTTP-401",
    message="a new session is not taken",
    status=401,
    module="GW",
    effect=Effect.STOP,
    reason="abdm:session",
)


def _unbegun(refusal: Refusal) -> AbdmRefused:
    ending = Ending(
        request_id="", kind=EndKind.UNSENT, status=refusal.status or None, code=refusal.code
    )
    return AbdmRefused(ending, refusal)
