"""Reading a request at the pace of 2G, but not at the pace of somebody who only holds the door."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from starlette.types import Message, Receive

from sync.errors import TooLarge
from sync.server.crowd import Place

__all__ = ["RequestReader", "Tempo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """How slow a laptop may be. Only the time that the server waits for it counts."""

    idle_seconds_max: float
    """Without a single byte."""
    grace_seconds: float
    """Before the average counts: a link needs this to wake up."""
    bytes_per_second_min: float
    """On average, once the grace is over."""
    first_item_seconds_max: float
    """Until the first message in it has been verified."""


class RequestReader:
    """Reads one request's body. ``TimeoutError`` when it is too slow, ``TooLarge`` when too big."""

    def __init__(
        self,
        receive: Receive,
        *,
        tempo: Tempo,
        bytes_max: int,
        place: Place | None = None,
        is_draining: Callable[[], bool] = lambda: False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._receive = receive
        self._tempo = tempo
        self._bytes_max = bytes_max
        self._place = place
        self._is_draining = is_draining
        self._monotonic = monotonic
        self._received = 0
        self._waited = 0.0
        self._is_known = False

    def note_known(self) -> None:
        """Note that an approved laptop speaks: its place is no stranger's any more."""
        self._is_known = True
        if self._place is not None:
            self._place.is_known = True

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give the body as it arrives, up to its end, a hang-up, or the end of this server."""
        more = True
        while more and not self._is_draining():
            message = await self._next()
            piece: bytes = message.get("body", b"")
            more = message["type"] == "http.request" and message.get("more_body", False)
            self._received += len(piece)
            if self._place is not None:
                self._place.received_bytes = self._received
            if self._received > self._bytes_max:
                raise TooLarge("request")
            yield piece

    async def whole(self) -> bytes:
        """Give the whole body."""
        return b"".join([piece async for piece in self.pieces()])

    async def _next(self) -> Message:
        began = self._monotonic()
        self._note_waiting(is_waited_for=True)
        try:
            async with asyncio.timeout(max(0.0, self._seconds_left())):
                message: dict[str, Any] = dict(await self._receive())
        finally:
            self._waited += self._monotonic() - began
            self._note_waiting(is_waited_for=False)
        return message

    def _note_waiting(self, *, is_waited_for: bool) -> None:
        if self._place is not None:
            self._place.is_waited_for = is_waited_for

    def _seconds_left(self) -> float:
        tempo = self._tempo
        left = tempo.grace_seconds + self._received / tempo.bytes_per_second_min - self._waited
        if not self._is_known:
            left = min(left, tempo.first_item_seconds_max - self._waited)
        return min(left, tempo.idle_seconds_max)
