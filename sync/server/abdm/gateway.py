"""ABDM's two hosts, the headers that both want, and what is asked of them about nobody.

A session and a certificate belong to the whole process. Their requests are no exchange of any
person's, so they are told to ``note`` by kind and id, which is what a log may hold.
"""

from __future__ import annotations

import json
import ssl
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from sync.server.abdm import reading
from sync.server.abdm.calls import AbdmRefused, AbdmUnsent, Effect, Ending, EndKind, Refusal
from sync.server.abdm.certificate import Certificates
from sync.server.abdm.http import Line, NotSent, Reply, ReplyLost, checked_url
from sync.server.abdm.refusals import judge, says_no
from sync.server.abdm.session import Sessions
from sync.server.abdm.settings import AbdmSettings

__all__ = ["CLOCK_REASON", "Gateway", "Note"]

Note: TypeAlias = Callable[[str, str], None]
"""Takes the kind (``session``, ``certificate``) and the request id, before it leaves."""

CLOCK_REASON: Final = "abdm:clock"
_KEYS_PATH: Final = "/api/hiecm/gateway/v3/certs"
_SKEW_SECONDS_MIN: Final = 2.0
"""What ABDM's ``Date`` can be off by itself: it knows whole seconds."""
_SKEW_SECONDS_MAX: Final = 60.0
_SKEW_SECONDS_CREDIBLE: Final = 86_400.0
"""Beyond it nobody can tell whose clock is wrong, and requests are not dated by a guess."""


class Gateway:
    """Holds the lines, the session and the certificate; several threads may use it at once."""

    def __init__(
        self,
        settings: AbdmSettings,
        *,
        clock: Callable[[], float],
        note: Note,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.url = checked_url(settings.gateway_url, "abdm.gateway_url")
        self.abha_url = checked_url(settings.abha_url, "abdm.abha_url")
        self._cm_id = settings.cm_id
        self._clock = clock
        self._note = note
        self._lines = {
            base: Line(
                timeout_seconds=settings.timeout_seconds,
                is_plain=base.startswith("http:"),
                ssl_context=ssl_context,
            )
            for base in (self.url, self.abha_url)
        }
        self._offset = 0.0
        self._skew: float | None = None
        self.sessions = Sessions(
            self._speak,
            url=self.url,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            clock=clock,
        )
        self.certificates = Certificates(
            self._speak, url=self.abha_url, hours=settings.certificate_hours, clock=clock
        )

    def close(self) -> None:
        """Hang up."""
        for line in self._lines.values():
            line.close()

    def send(
        self,
        base: str,
        path: str,
        *,
        request_id: str,
        bearer: str,
        headers: Mapping[str, str] | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Send one request with everything that ABDM wants in its head: GET without a payload."""
        method = "GET" if payload is None else "POST"
        moment = datetime.fromtimestamp(self._clock() + self._offset, UTC)
        head = {
            "REQUEST-ID": request_id,
            "TIMESTAMP": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "X-CM-ID": self._cm_id,
            "Accept": "application/json",
            **({"Authorization": f"Bearer {bearer}"} if bearer else {}),
            **({"Content-Type": "application/json"} if payload is not None else {}),
            **(headers or {}),
        }
        body = None if payload is None else json.dumps(payload).encode("ascii")
        reply = self._lines[base].send(method, base + path, head, body)
        self._look_at_clock(reply)
        return reply

    def callback_keys(self) -> dict[str, Any]:
        """Fetch the public keys under which callbacks are signed; they want a session (NHA)."""
        for is_last in (False, True):
            token = self.sessions.token()
            try:
                return self._speak("callback-keys", self.url, _KEYS_PATH, None, token)
            except AbdmRefused as error:
                if is_last or error.refusal.effect is not Effect.RENEW:
                    raise
                self.sessions.drop(token)
        raise AssertionError("the last try returns or raises")

    def correct_clock(self) -> bool:
        """Take ABDM's own time for the next requests; ``False`` when ours was right.

        Only after a refusal: a request is dated by this server's clock until ABDM does not take it.
        """
        skew = self._skew
        if skew is None or abs(skew - self._offset) < _SKEW_SECONDS_MIN:
            return False
        self._offset = skew
        return True

    def judged_clock(self, refusal: Refusal) -> Refusal:
        """Say whose clock is wrong: ours (``STOP``), or ABDM's, which comes right by itself."""
        if self._skew is None or abs(self._skew - self._offset) > _SKEW_SECONDS_MAX:
            return refusal
        return replace(refusal, effect=Effect.WAIT, reason="abdm:wait")

    def _look_at_clock(self, reply: Reply) -> None:
        said = reading.moment_of(reply.headers.get("date", ""))
        if said is None:
            return
        skew = said - self._clock()
        self._skew = skew if abs(skew) <= _SKEW_SECONDS_CREDIBLE else None

    def _speak(
        self, what: str, base: str, path: str, payload: dict[str, Any] | None, bearer: str
    ) -> dict[str, Any]:
        """Ask about nobody; see :data:`sync.server.abdm.session.Speak`."""
        for is_last in (False, True):
            request_id = str(uuid.uuid4())
            self._note(what, request_id)
            try:
                reply = self.send(base, path, request_id=request_id, bearer=bearer, payload=payload)
            except (NotSent, ReplyLost) as error:
                raise AbdmUnsent(_unbegun(f"ENROLLKIT-{what}")) from error
            answer = reading.json_object(reply.body) or {}
            if 200 <= reply.status < 300 and answer and not says_no(answer):  # noqa: PLR2004 - HTTP
                return answer
            refusal = judge(reply.status, reply.body, reply.headers, module="GW").refusal
            if is_last or refusal.reason != CLOCK_REASON or not self.correct_clock():
                break
        if refusal.reason == CLOCK_REASON:
            refusal = self.judged_clock(refusal)
        raise AbdmRefused(_unbegun(refusal.code, reply.status), refusal)


def _unbegun(code: str, status: int | None = None) -> Ending:
    """Give the ending of what no person's exchange begins with: it has no request id."""
    return Ending(request_id="", kind=EndKind.UNSENT, status=status, code=code)
