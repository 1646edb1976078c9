"""The front of the practice ABDM: each call is written down, spoilt by the weather, and marked."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from uvicorn.protocols.http.h11_impl import H11Protocol

from sync.server.sandbox.asking import Asked, bad_time
from sync.server.sandbox.faults import Fault, FaultPlan, Spoilt
from sync.server.sandbox.journal import Call, Journal
from sync.server.sandbox.keys import CertificateKeys
from sync.server.sandbox.replies import Refused, Reply, coded, fields, gateway
from sync.server.sandbox.sessions import Sessions

__all__ = ["DroppingProtocol", "Front", "Route"]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_BODY_BYTES_MAX: Final = 512 * 1024
_SILENT_SECONDS: Final = 120
_RETRY_SECONDS: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route: its name in journal and faults, and who answers it."""

    name: str
    answer: Callable[[Asked], Reply]
    is_gateway: bool = False


class DroppingProtocol(H11Protocol):
    """uvicorn's protocol, whose application may cut the connection (``scope["state"]["cut"]``)."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.app_state = {**self.app_state, "cut": self._cut}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let head and body of a reply leave at once; asyncio does not see to it for our socket."""
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    def _cut(self) -> None:
        self.transport.abort()


class Front:
    """An ASGI application that answers the routes itself; ``pages`` answers everything else."""

    def __init__(
        self,
        pages: Callable[[Scope, Receive, Send], Awaitable[None]],
        *,
        routes: dict[tuple[str, str], Route],
        journal: Journal,
        faults: FaultPlan,
        keys: CertificateKeys,
        sessions: Sessions,
    ) -> None:
        self._pages, self._routes = pages, routes
        self._journal, self._faults = journal, faults
        self._keys, self._sessions = keys, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        route = self._routes.get((scope.get("method", ""), scope.get("path", "")))
        if scope["type"] != "http" or route is None:
            await self._pages(scope, receive, _marked(send))
            return
        headers = {
            name.decode("latin-1").lower().replace("_", "-"): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        call = self._journal.begin(route.name, headers.get("request-id", ""))
        spoilt = self._faults.take(route.name)
        if spoilt.fault is not None:
            call.fate = spoilt.fault.value
        try:
            body = await _body(receive)
            asked = Asked(route=route.name, headers=headers, body=body or b"", call=call)
            line = _Line(scope, receive, _marked(send))
            await asyncio.sleep(spoilt.delay)
            if spoilt.fault is Fault.DROPPED:
                await line.cut()
                return
            reply = await self._reply(route, asked, spoilt, is_too_large=body is None)
            await self._deliver(reply, spoilt.fault, call, line)
        except ConnectionAbortedError:
            call.fate = "hung-up"
        finally:
            self._journal.end(call)

    async def _reply(
        self, route: Route, asked: Asked, spoilt: Spoilt, *, is_too_large: bool
    ) -> Reply:
        try:
            self._strike(spoilt.fault, is_gateway=route.is_gateway)
            if is_too_large:
                raise fields(body="The request is too large")
            reply = await asyncio.to_thread(route.answer, asked)
        except Refused as refused:
            reply = refused.reply
        asked.call.status, asked.call.code = reply.status, reply.code
        return reply

    async def _deliver(self, reply: Reply, fault: Fault | None, call: Call, line: _Line) -> None:
        match fault:
            case Fault.CUT_REPLY if reply.body:
                await line.write(reply, upto=len(reply.body) // 2)
                await line.cut()
            case Fault.LOST_REPLY | Fault.CUT_REPLY:
                await line.cut()
            case Fault.SILENT:
                await _hold(line)
            case _:
                self._journal.note_sent(call)
                await line.write(reply)

    def _strike(self, fault: Fault | None, *, is_gateway: bool) -> None:
        """Let a fault of this side happen before the request is looked at."""
        match fault:
            case Fault.UNAVAILABLE:
                raise coded(503, "ABDM-1019", "Dependent Service Unavailable")
            case Fault.BUSY:
                code = "ABDM-2429" if is_gateway else "ABDM-1022"
                raise _with(coded(429, code, "Too many requests"), retry_after=_RETRY_SECONDS)
            case Fault.HTML:
                raise Refused(_web_page())
            case Fault.BROKEN:
                raise gateway(500, "900900", "Unclassified Authentication Failure")
            case Fault.SKEWED:
                raise bad_time(is_gateway=is_gateway)
            case Fault.EXPIRED:
                self._sessions.end_all()
            case Fault.EMPTY_401:
                self._sessions.end_all()
                raise Refused(Reply(status=401, code="empty"))
            case Fault.ROTATED:
                self._keys.rotate()
            case _:
                return


@dataclass(frozen=True, slots=True)
class _Line:
    """The connection to the client."""

    scope: Scope
    receive: Receive
    send: Send

    async def cut(self) -> None:
        """End the connection at once, and wait until that is known."""
        self.scope["state"]["cut"]()
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def write(self, reply: Reply, *, upto: int | None = None) -> None:
        """Send a reply, or the beginning of one that promised more."""
        headers = {
            "content-type": reply.media_type,
            "content-length": str(len(reply.body)),
            **reply.headers,
        }
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": reply.status, "headers": raw})
        body = reply.body[:upto]
        await self.send({
            "type": "http.response.body", "body": body, "more_body": upto is not None,
        })  # fmt: skip


async def _hold(line: _Line) -> None:
    """Keep the connection open in silence until the client gives up, or for two minutes."""
    try:
        async with asyncio.timeout(_SILENT_SECONDS):
            while (await line.receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        await line.cut()


async def _body(receive: Receive) -> bytes | None:
    """Read the body; ``None`` when it is larger than any that is meant.

    ``ConnectionAbortedError``: the client went away before its request was whole.
    """
    parts = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        parts += message.get("body", b"")
        if len(parts) > _BODY_BYTES_MAX:
            return None
        if not message.get("more_body"):
            return bytes(parts)


def _marked(send: Send) -> Send:
    """Mark each reply, so that none is taken for ABDM's."""

    async def marked(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), (b"x-practice", b"yes")]
        await send(message)

    return marked


def _with(refused: Refused, *, retry_after: int | None = None) -> Refused:
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Refused(replace(refused.reply, headers=headers))


def _web_page() -> Reply:
    page = "<html><head><title>502 Bad Gateway</title></head><body>PRACTICE</body></html>"
    return Reply(status=502, body=page.encode(), media_type="text/html", code="html")
