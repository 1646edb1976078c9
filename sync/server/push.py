"""The push: batches are committed one by one as their bytes arrive, receipts go out beside them.

Reading never waits for writing. A laptop that sends its whole request before it reads an answer
would otherwise wait for the server while the server waits for the laptop. Starlette's streaming
response is not used because it takes the request's messages away to watch for a hang-up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from sync import wire
from sync.errors import EnvelopeInvalid, TooLarge
from sync.protocol import LIMITS
from sync.server.errors import HttpFault

__all__ = ["BatchStream", "Refuse", "Take"]

Take: TypeAlias = Callable[[bytes, bytes], bytes]
"""Takes (batch, nonce) in and gives the signed receipt; runs in a thread."""

Refuse: TypeAlias = Callable[[Exception], Response]
"""Turns an error into what the laptop is told; raises when it is no error of ours."""

_NONCE_BYTES: Final = 16
_MEDIA_TYPE: Final = "application/cbor-seq"


class BatchStream(Response):
    """The answer to one push. It reads the request itself, message by message.

    An error before the first receipt becomes the answer. A later one ends the answer early: the
    laptop counts receipts, and meets the error when it offers the next batch again.
    """

    def __init__(
        self,
        *,
        take: Take,
        refuse: Refuse,
        idle_seconds_max: float,
        is_draining: Callable[[], bool],
    ) -> None:
        super().__init__(media_type=_MEDIA_TYPE)
        self._take = take
        self._refuse = refuse
        self._idle_seconds_max = idle_seconds_max
        self._is_draining = is_draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the push."""
        receipts: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        reading = asyncio.create_task(self._read(receive, receipts))
        try:
            await self._answer(scope, receive, send, receipts)
        except TimeoutError as error:
            self._refuse(error)  # nobody reads the answer; the server hangs up
        finally:
            # A commit that has begun in its thread ends there; its receipt can be asked for again.
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        receipts: asyncio.Queue[bytes | Exception | None],
    ) -> None:
        first = await receipts.get()
        if isinstance(first, Exception):
            await self._refuse(first)(scope, receive, send)
            return
        headers = [(b"content-type", _MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        item: bytes | Exception | None = first
        while isinstance(item, bytes):
            body = wire.encode(item)
            async with asyncio.timeout(self._idle_seconds_max):
                await send({"type": "http.response.body", "body": body, "more_body": True})
            item = await receipts.get()
        if isinstance(item, Exception):
            self._refuse(item)
        await send({"type": "http.response.body", "body": b""})

    async def _read(
        self, receive: Receive, receipts: asyncio.Queue[bytes | Exception | None]
    ) -> None:
        try:
            await self._read_batches(receive, receipts)
        except Exception as error:  # noqa: BLE001 - handed over whole; _refuse raises what is not ours
            receipts.put_nowait(error)
        else:
            receipts.put_nowait(None)

    async def _read_batches(
        self, receive: Receive, receipts: asyncio.Queue[bytes | Exception | None]
    ) -> None:
        reader = wire.SequenceReader(item_bytes_max=LIMITS.blob_batch_bytes_max)
        nonce: bytes | None = None
        read_bytes, more = 0, True
        while more and not self._is_draining():
            message = await self._next(receive)
            piece: bytes = message.get("body", b"")
            more = message["type"] == "http.request" and message.get("more_body", False)
            read_bytes += len(piece)
            if read_bytes > LIMITS.push_bytes_max:
                raise TooLarge("push")
            for item in reader.feed(piece):
                if nonce is None:
                    nonce = _checked_nonce(item)
                    continue
                receipts.put_nowait(await asyncio.to_thread(self._take, item, nonce))
        if nonce is None:
            raise HttpFault("busy") if self._is_draining() else EnvelopeInvalid("no nonce")

    async def _next(self, receive: Receive) -> Message:
        async with asyncio.timeout(self._idle_seconds_max):
            message: dict[str, Any] = dict(await receive())
        return message


def _checked_nonce(item: bytes) -> bytes:
    if len(item) != _NONCE_BYTES:
        raise EnvelopeInvalid("nonce")
    return item
