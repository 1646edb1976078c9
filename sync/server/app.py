"""The server's front door: HTTP in, signed bytes out. Nothing here decides anything about data."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync import wire
from sync.errors import ChainForked, EnvelopeInvalid, ProtocolMismatch, TooLarge
from sync.protocol import LIMITS
from sync.sealing import read_batch_header
from sync.server.contact import Contact
from sync.server.errors import DatabaseBusy, HttpFault
from sync.server.intake import Intake
from sync.server.logs import Log
from sync.server.push import BatchStream

__all__ = ["Services", "create_app"]

_RETRY_AFTER_SECONDS: Final = 30
_AUTHORIZATION_BYTES_MAX: Final = 2048
_AFTER: Final = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the front door needs behind it. ``is_draining`` turns true when the server must end."""

    name: str
    contact: Contact
    intake: Intake
    log: Log
    idle_seconds_max: float
    requests_max: int
    is_draining: Callable[[], bool]


def create_app(services: Services) -> FastAPI:
    """Make the application."""
    app = FastAPI(title="enrollkit", docs_url=None, redoc_url=None, openapi_url=None)
    door = _Door(services)
    app.add_api_route("/v1/hello", door.hello, methods=["POST"], response_model=None)
    app.add_api_route("/v1/batches", door.batches, methods=["POST"], response_model=None)
    app.add_api_route("/v1/feed", door.feed, methods=["GET"], response_model=None)
    app.add_api_route("/v1/health", door.health, methods=["GET"], response_model=None)
    app.add_middleware(_Shield, services=services)
    return app


class _Door:
    """The endpoints."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def health(self) -> Response:
        """Say that the server is there."""
        return JSONResponse({"status": "ok", "name": self._services.name})

    async def hello(self, request: Request) -> Response:
        """Answer a signed hello."""
        return await self._guarded(self._greet, request)

    async def batches(self, _request: Request) -> Response:
        """Take batches as they stream in."""
        return BatchStream(
            take=self._take,
            refuse=self._refuse,
            idle_seconds_max=self._services.idle_seconds_max,
            is_draining=self._services.is_draining,
        )

    async def feed(self, request: Request) -> Response:
        """Give one sealed page of news."""
        try:
            after, message = _feed_query(request)
            page = await asyncio.to_thread(self._services.contact.page, message, after)
        except Exception as error:  # noqa: BLE001 - _refuse raises what is not ours
            return self._refuse(error)
        return Response(page, media_type="application/cbor")

    async def _guarded(self, answer: Callable[[bytes], Response], request: Request) -> Response:
        try:
            async with asyncio.timeout(self._services.idle_seconds_max):
                message = await _body(request, bytes_max=LIMITS.hello_bytes_max)
            return await asyncio.to_thread(answer, message)
        except Exception as error:  # noqa: BLE001 - _refuse raises what is not ours
            return self._refuse(error)

    def _greet(self, message: bytes) -> Response:
        greeting = self._services.contact.greet(message)
        reply = greeting.reply
        self._services.log.info(
            "hello", device=reply.device, state=reply.state.value, held_upto=reply.held_upto
        )
        body = b"".join(wire.encode_sequence(greeting.signed))
        return Response(body, media_type="application/cbor-seq")

    def _take(self, batch: bytes, nonce: bytes) -> bytes:
        try:
            taken = self._services.intake.take(batch, nonce)
        except ChainForked:
            self._services.log.warning("fork", device=read_batch_header(batch).device)
            raise
        receipt = taken.receipt
        counts: dict[str, int] = {}
        for verdict in receipt.verdicts:
            counts[verdict.outcome.value] = counts.get(verdict.outcome.value, 0) + 1
        self._services.log.info(
            "batch",
            device=receipt.device,
            incarnation=receipt.incarnation,
            number=receipt.batch,
            **counts,
        )
        return taken.signed

    def _refuse(self, error: Exception) -> Response:
        """Tell the laptop in one code what is wrong; a fault of ours goes up to the shield."""
        fault = _fault(error)
        if fault is None:
            raise error
        self._services.log.warning("refused", code=fault.code, error=type(error).__name__)
        return _fault_response(fault)


class _Shield:
    """Keeps crashes out of other hands: they are logged without their message and answered 500.

    It also bounds how many requests are in work, so that a crowd waits outside and not in memory.
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services
        self._in_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._in_work >= self._services.requests_max or self._services.is_draining():
            await _fault_response(HttpFault("busy"))(scope, receive, send)
            return
        self._in_work += 1
        try:
            await self._serve(scope, receive, send)
        finally:
            self._in_work -= 1

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def watch(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:  # noqa: BLE001 - the one place where a crash ends
            self._services.log.crash(error)
            if not has_begun:
                await _fault_response(HttpFault("server-error"))(scope, receive, send)


def _fault(error: Exception) -> HttpFault | None:
    match error:
        case HttpFault():
            return error
        case TooLarge():
            return HttpFault("too-large")
        case ProtocolMismatch():
            return HttpFault("protocol-mismatch")
        case EnvelopeInvalid():
            return HttpFault("bad-request")
        case ChainForked():
            return HttpFault("chain-forked")
        case DatabaseBusy():
            return HttpFault("busy")
        case TimeoutError():
            return HttpFault("too-slow")
        case _:
            return None


def _fault_response(fault: HttpFault) -> Response:
    headers = {"retry-after": str(_RETRY_AFTER_SECONDS)} if fault.code == "busy" else None
    body = wire.encode({"code": fault.code, "text": fault.text})
    return Response(body, status_code=fault.status, headers=headers, media_type="application/cbor")


async def _body(request: Request, *, bytes_max: int) -> bytes:
    held = bytearray()
    async for piece in request.stream():
        held += piece
        if len(held) > bytes_max:
            raise TooLarge("body")
    return bytes(held)


def _feed_query(request: Request) -> tuple[int, bytes]:
    """Read cursor and signed request; ``HttpFault`` when they are not as they should be."""
    after = request.query_params.get("after", "")
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if _AFTER.fullmatch(after) is None or scheme.lower() != "enrollkit":
        raise HttpFault("bad-request")
    if len(text) > _AUTHORIZATION_BYTES_MAX:
        raise HttpFault("too-large")
    try:
        return int(after), base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise HttpFault("bad-request") from error
