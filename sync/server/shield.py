"""What stands around every request: places for laptops, and an end for every crash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync.server.crowd import Crowd, Place
from sync.server.errors import HttpFault
from sync.server.logs import Log
from sync.server.refusals import fault_response

__all__ = ["HEALTH_PATH", "Shield", "place_of"]

HEALTH_PATH: Final = "/v1/health"
_PLACE: Final = "enrollkit.place"


def place_of(scope: Scope) -> Place | None:
    """Give the place that a request has taken; ``None`` for one that needs none."""
    place: Place | None = scope.get(_PLACE)
    return place


class Shield:
    """Bounds how many requests are in work, so that a crowd waits outside and not in memory.

    It keeps crashes out of other hands: they are logged without their message and answered 500.
    """

    def __init__(
        self, app: ASGIApp, *, crowd: Crowd, log: Log, is_draining: Callable[[], bool]
    ) -> None:
        self._app = app
        self._crowd = crowd
        self._log = log
        self._is_draining = is_draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request if there is a place for it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._is_draining():
            await fault_response(HttpFault("busy"))(scope, receive, send)
        elif scope["path"] == HEALTH_PATH:
            await self._serve(scope, receive, send)
        else:
            await self._serve_in_place(scope, receive, send)

    async def _serve_in_place(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it until it ends, or until its place must go to another."""
        work: asyncio.Task[None] | None = None
        is_sent_away = False

        def give_up() -> None:
            nonlocal is_sent_away
            is_sent_away = True
            if work is not None:
                work.cancel()

        try:
            place = self._crowd.enter(_peer(scope), give_up)
        except HttpFault as fault:
            await fault_response(fault)(scope, receive, send)
            return
        work = asyncio.create_task(self._serve({**scope, _PLACE: place}, receive, send))
        try:
            await work
        except asyncio.CancelledError:
            if not is_sent_away:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
                raise
            self._log.warning("sent-away", received=place.received_bytes)
        finally:
            self._crowd.leave(place)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def watch(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except asyncio.CancelledError:
            if not has_begun:
                await fault_response(HttpFault("busy"))(scope, receive, send)
            raise
        except Exception as error:  # noqa: BLE001 - the one place where a crash ends
            self._log.crash(error)
            if not has_begun:
                await fault_response(HttpFault("server-error"))(scope, receive, send)


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
