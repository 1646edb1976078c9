"""A request that is a sequence of messages, answered by another: each is committed as it arrives.

Reading never waits for writing. A laptop that sends its whole request before it reads an answer
would otherwise wait for the server while the server waits for the laptop. Starlette's streaming
response is not used because it takes the request's messages away to watch for a hang-up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sync import wire
from sync.errors import EnvelopeInvalid
from sync.protocol import LIMITS
from sync.server.crowd import Place
from sync.server.errors import HttpFault
from sync.server.reading import RequestReader, Tempo

__all__ = ["Dialogue", "ItemStream", "Refuse"]

Refuse: TypeAlias = Callable[[Exception], Response]
"""Turns an error into what the laptop is told; raises when it is no error of ours."""

_MEDIA_TYPE: Final = "application/cbor-seq"

_Answers: TypeAlias = "asyncio.Queue[bytes | Exception | None]"


class Dialogue(Protocol):
    """What a request's messages mean. Its methods run in a thread, one after the other."""

    @property
    def bytes_max(self) -> int:
        """Give the most that one request may hold."""

    @property
    def is_known(self) -> bool:
        """Whether an approved laptop has proved to be the speaker, by what nobody can replay."""

    def begin(self, first: bytes) -> tuple[bytes, ...]:
        """Answer the first message."""

    def take(self, item: bytes) -> tuple[bytes, ...]:
        """Answer each further message, once it is committed."""

    def finish(self) -> tuple[bytes, ...]:
        """Say what there is to say when the request has ended."""


class ItemStream(Response):
    """The answer to one such request. It reads the request itself, piece by piece.

    An error before the first message of the answer becomes the answer. A later one ends it early:
    the laptop counts receipts, and meets the error when it offers the next batch again.
    """

    def __init__(
        self,
        *,
        dialogue: Dialogue,
        refuse: Refuse,
        tempo: Tempo,
        place: Place | None,
        is_draining: Callable[[], bool],
    ) -> None:
        super().__init__(media_type=_MEDIA_TYPE)
        self._dialogue = dialogue
        self._refuse = refuse
        self._tempo = tempo
        self._place = place
        self._is_draining = is_draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request."""
        answers: _Answers = asyncio.Queue()
        reader = RequestReader(
            receive,
            tempo=self._tempo,
            bytes_max=self._dialogue.bytes_max,
            place=self._place,
            is_draining=self._is_draining,
        )
        reading = asyncio.create_task(self._read(reader, answers))
        try:
            await self._answer(scope, receive, send, answers)
        except TimeoutError as error:
            self._refuse(error)  # nobody reads the answer; the server hangs up
        finally:
            # A commit that has begun in its thread ends there; its receipt can be asked for again.
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, answers: _Answers) -> None:
        first = await answers.get()
        if isinstance(first, Exception):
            await self._refuse(first)(scope, receive, send)
            return
        headers = [(b"content-type", _MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        item: bytes | Exception | None = first
        while isinstance(item, bytes):
            body = wire.encode(item)
            async with asyncio.timeout(self._tempo.idle_seconds_max):
                await send({"type": "http.response.body", "body": body, "more_body": True})
            item = await answers.get()
        if isinstance(item, Exception):
            self._refuse(item)
        await send({"type": "http.response.body", "body": b""})

    async def _read(self, reader: RequestReader, answers: _Answers) -> None:
        try:
            await self._read_items(reader, answers)
        except Exception as error:  # noqa: BLE001 - handed over whole; _refuse raises what is not ours
            answers.put_nowait(error)
        else:
            answers.put_nowait(None)

    async def _read_items(self, reader: RequestReader, answers: _Answers) -> None:
        items = wire.SequenceReader(item_bytes_max=LIMITS.blob_batch_bytes_max)
        has_begun = False
        async for piece in reader.pieces():
            for item in items.feed(piece):
                act = self._dialogue.take if has_begun else self._dialogue.begin
                has_begun = True
                self._put(answers, await asyncio.to_thread(act, item))
                if self._dialogue.is_known:
                    reader.note_known()
        if not has_begun:
            raise HttpFault("busy") if self._is_draining() else EnvelopeInvalid("empty")
        self._put(answers, await asyncio.to_thread(self._dialogue.finish))

    def _put(self, answers: _Answers, messages: tuple[bytes, ...]) -> None:
        for message in messages:
            answers.put_nowait(message)
