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

from sync import wire
from sync.errors import EnvelopeInvalid
from sync.protocol import LIMITS
from sync.server.abdm.bridge import Bridge
from sync.server.bundles import Receiver
from sync.server.contact import Contact
from sync.server.crowd import Crowd
from sync.server.errors import HttpFault
from sync.server.finishing import Finishing
from sync.server.intake import Intake, Taken
from sync.server.logs import Log, note_taken
from sync.server.push import NONCE_BYTES, Push
from sync.server.reading import RequestReader, Tempo
from sync.server.refusals import fault_of, fault_response
from sync.server.shield import HEALTH_PATH, Shield, place_of
from sync.server.streams import Dialogue, ItemStream

__all__ = ["Services", "create_app"]

_AUTHORIZATION_BYTES_MAX: Final = 2048
_AFTER: Final = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the front door needs behind it. ``is_draining`` turns true when the server must end.

    ``sign_time`` signs what the clock says together with a nonce.
    """

    name: str
    contact: Contact
    intake: Intake
    receiver: Receiver
    finishing: Finishing
    bridge: Bridge
    sign_time: Callable[[bytes], bytes]
    log: Log
    tempo: Tempo
    requests_max: int
    fair_seconds: float
    is_draining: Callable[[], bool]


def create_app(services: Services) -> FastAPI:
    """Make the application."""
    app = FastAPI(title="enrollkit", docs_url=None, redoc_url=None, openapi_url=None)
    door = _Door(services)
    for path, answer in (
        ("/v1/hello", door.hello),
        ("/v1/batches", door.batches),
        ("/v1/bundles", door.bundles),
        ("/v1/finish", door.finish),
        ("/v1/time", door.time),
    ):
        app.add_api_route(path, answer, methods=["POST"], response_model=None)
    app.add_api_route("/v1/feed", door.feed, methods=["GET"], response_model=None)
    app.add_api_route(HEALTH_PATH, door.health, methods=["GET"], response_model=None)
    services.bridge.mount(app)
    crowd = Crowd(places_max=services.requests_max, fair_seconds=services.fair_seconds)
    app.add_middleware(Shield, crowd=crowd, log=services.log, is_draining=services.is_draining)
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
        return await self._answered(request, self._greet)

    async def time(self, request: Request) -> Response:
        """Say what the clock says, signed with the nonce that was sent."""
        return await self._answered(request, self._tell_time)

    async def batches(self, request: Request) -> Response:
        """Take batches as they stream in."""
        return self._stream(request, Push(self._take))

    async def bundles(self, request: Request) -> Response:
        """Take what a courier carries, as it streams in."""
        return self._stream(request, self._services.receiver.open_reception())

    async def feed(self, request: Request) -> Response:
        """Give one sealed page of news."""
        try:
            after, message = _feed_query(request)
            page = await asyncio.to_thread(self._services.contact.page, message, after)
        except Exception as error:  # noqa: BLE001 - _refuse raises what is not ours
            return self._refuse(error)
        return Response(page, media_type="application/cbor")

    async def finish(self, request: Request) -> Response:
        """Take a step of finishing; answered when the worker has done it, or after a while."""
        services = self._services
        try:
            message = await self._whole(request, LIMITS.finish_bytes_max)
            answer = await services.finishing.serve(message, services.is_draining)
        except Exception as error:  # noqa: BLE001 - _refuse raises what is not ours
            return self._refuse(error)
        return Response(answer, media_type="application/cbor")

    def _stream(self, request: Request, dialogue: Dialogue) -> Response:
        return ItemStream(
            dialogue=dialogue,
            refuse=self._refuse,
            tempo=self._services.tempo,
            place=place_of(request.scope),
            is_draining=self._services.is_draining,
        )

    async def _answered(self, request: Request, answer: Callable[[bytes], Response]) -> Response:
        try:
            message = await self._whole(request, LIMITS.hello_bytes_max)
            return await asyncio.to_thread(answer, message)
        except Exception as error:  # noqa: BLE001 - _refuse raises what is not ours
            return self._refuse(error)

    async def _whole(self, request: Request, bytes_max: int) -> bytes:
        reader = RequestReader(
            request.receive,
            tempo=self._services.tempo,
            bytes_max=bytes_max,
            place=place_of(request.scope),
        )
        return await reader.whole()

    def _greet(self, message: bytes) -> Response:
        greeting = self._services.contact.greet(message)
        reply = greeting.reply
        self._services.log.info(
            "hello", device=reply.device, state=reply.state.value, held_upto=reply.held_upto
        )
        if greeting.is_rolled_back:
            self._services.log.warning(
                "rolled-back", device=reply.device, held_upto=reply.held_upto
            )
        body = b"".join(wire.encode_sequence(greeting.signed))
        return Response(body, media_type="application/cbor-seq")

    def _tell_time(self, message: bytes) -> Response:
        nonce = wire.decode(message)
        if not isinstance(nonce, bytes) or len(nonce) != NONCE_BYTES:
            raise EnvelopeInvalid("nonce")
        return Response(self._services.sign_time(nonce), media_type="application/cose")

    def _take(self, batch: bytes, nonce: bytes) -> Taken:
        taken = self._services.intake.take(batch, nonce)
        note_taken(self._services.log, taken.receipt, began_fork=taken.began_fork)
        return taken

    def _refuse(self, error: Exception) -> Response:
        """Tell the laptop in one code what is wrong; a fault of ours goes up to the shield."""
        fault = fault_of(error)
        if fault is None:
            raise error
        self._services.log.warning("refused", code=fault.code, error=type(error).__name__)
        return fault_response(fault)


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
