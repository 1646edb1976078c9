"""The road by HTTP: beside :mod:`sync.engine.foreign` the only file that knows httpx.

Batches are streamed and receipts handed on as they arrive, so that a cut costs what was in the
air and nothing else. Every reply is bounded in size and in time; no redirect is followed.
"""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any, Final

import httpx
import truststore

from sync import wire
from sync.address import read_address
from sync.engine.answers import CBOR_TYPE, SEQUENCE_TYPE, AnswerHead, is_answer, refusal
from sync.engine.foreign import foreign_errors
from sync.engine.line import Line, notices_silence
from sync.engine.pacing import Patience
from sync.engine.weights import answer_head_bytes, chunk_frame_bytes, request_head_bytes
from sync.errors import (
    EnvelopeInvalid,
    Offline,
    ReceiptInvalid,
    SyncError,
    Timeout,
    TooLarge,
)
from sync.protocol import LIMITS, SealedBatch

__all__ = ["HttpTransport"]

_ERROR_BODY_BYTES_MAX: Final = 4096
_TIME_ANSWER_BYTES_MAX: Final = 1024
_PIECE_BYTES: Final = 4096


class HttpTransport:
    """A road to one server; ``Transport`` of :mod:`sync.ports`. Close it in the end."""

    def __init__(
        self,
        url: str,
        *,
        patience: Patience | None = None,
        ssl_context: ssl.SSLContext | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the server's address; ``AddressUnsafe`` when it may not be used.

        Without an ``ssl_context`` the operating system's certificates decide.
        """
        self._address = read_address(url)
        self._patience = patience or Patience()
        self._monotonic = monotonic
        self._line = Line(self._patience, monotonic)
        self._up = self._down = self._requests = 0
        self._client = httpx.Client(
            verify=ssl_context or truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            # The environment names proxies; none of them leads to this very machine.
            trust_env=not self._address.is_plain,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=1, keepalive_expiry=60.0),
            headers={
                "User-Agent": "enrollkit",
                "Accept": "*/*",
                "Accept-Encoding": "identity",
            },
        )

    def __repr__(self) -> str:
        return f"HttpTransport({self._address.host})"

    def close(self) -> None:
        """Hang up."""
        self._line.close()
        self._client.close()

    def hello(self, message: bytes) -> Generator[bytes, None, None]:
        """Send a signed hello; give the signed reply, then the missing receipts."""
        request = self._request("POST", "v1/hello", {"Content-Type": "application/cose"}, message)
        yield from self._items(request)

    def push(self, nonce: bytes, batches: Iterable[SealedBatch]) -> Generator[bytes, None, None]:
        """Stream batches; give the signed receipts as they arrive."""
        body = self._counted(_push_body(nonce, batches))
        request = self._request("POST", "v1/batches", {"Content-Type": SEQUENCE_TYPE}, body)
        yield from self._items(request)

    def carry(self, hello: bytes, batches: Iterable[bytes]) -> Generator[bytes, None, None]:
        """Hand in another laptop's hello and batches; give the answer's items as they arrive.

        They are its signed hello reply, a receipt for each batch as it is committed, and pages of
        news sealed to it. Which is which, their public headers say.
        """
        body = self._counted(wire.encode_sequence([hello, *batches]))
        request = self._request("POST", "v1/bundles", {"Content-Type": SEQUENCE_TYPE}, body)
        yield from self._items(request, item_bytes_max=LIMITS.feed_page_bytes_max)

    def feed(self, request: bytes, after: int) -> bytes:
        """Ask for the news after a cursor with a signed request; give one sealed page."""
        token = base64.urlsafe_b64encode(request).rstrip(b"=").decode("ascii")
        headers = {"Authorization": f"Enrollkit {token}"}
        asked = self._request("GET", f"v1/feed?after={after}", headers, None)
        return self._whole(asked, "page", LIMITS.feed_page_bytes_max)

    def finish(self, message: bytes) -> bytes:
        """Send one signed step of finishing; give the sealed answer."""
        asked = self._request("POST", "v1/finish", {"Content-Type": "application/cose"}, message)
        return self._whole(asked, "finish answer", LIMITS.finish_bytes_max)

    def server_time(self, nonce: bytes) -> bytes:
        """Ask what the server's clock says, signed, though its certificate does not hold.

        A connection of its own that is closed at once. It carries a random nonce and nothing else,
        and whoever answers is believed for the signature alone (``Transport.server_time``).
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        hasty = replace(
            self._patience,
            silence_seconds=self._patience.connect_seconds,
            answer_seconds_max=self._patience.connect_seconds,
            answer_bytes_max=_TIME_ANSWER_BYTES_MAX,
        )
        road = HttpTransport(self._address.base, patience=hasty, ssl_context=context)
        with closing(road):
            fields = {"Content-Type": CBOR_TYPE}
            asked = road._request("POST", "v1/time", fields, wire.encode(nonce))
            with closing(road._send(asked)) as response:
                return b"".join(road._body(response))

    def traffic(self) -> tuple[int, int, int]:
        """Give bytes sent, bytes received and requests made: heads and bodies, without TLS."""
        return self._up, self._down, self._requests

    def round_trip(self) -> float | None:
        """Give the seconds from the newest request's last byte to its answer's first."""
        return self._line.round_trip_seconds

    def _request(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        content: bytes | Iterator[bytes] | None,
    ) -> httpx.Request:
        request = self._client.build_request(
            method,
            self._address.base + path,
            headers=headers,
            content=content,
            timeout=self._timeout(),
        )
        known = len(content) if isinstance(content, bytes) else 0

        def trace(event: str, info: Mapping[str, Any]) -> None:
            self._line.on_event(event, info)
            # Counted when it has left, not when it was meant to.
            if event.endswith(".send_request_headers.complete"):
                self._requests += 1
                head = request_head_bytes(method, request.url.raw_path, request.headers.raw)
                self._up += head + known

        request.extensions["trace"] = trace
        return request

    def _items(
        self, request: httpx.Request, *, item_bytes_max: int = LIMITS.receipt_bytes_max
    ) -> Generator[bytes, None, None]:
        """Give the byte strings of the answer one by one; what came before a cut is given too."""
        reader = wire.SequenceReader(item_bytes_max=item_bytes_max)
        with closing(self._pieces(request, SEQUENCE_TYPE)) as pieces:
            for piece in pieces:
                try:
                    yield from reader.feed(piece)
                except EnvelopeInvalid as error:
                    raise ReceiptInvalid(error.detail) from error
        if not reader.is_between_items:
            raise Offline("answer cut short")

    def _whole(self, request: httpx.Request, what: str, bytes_max: int) -> bytes:
        """Give the whole of a bounded answer."""
        found = bytearray()
        with closing(self._pieces(request, CBOR_TYPE)) as pieces:
            for piece in pieces:
                found += piece
                if len(found) > bytes_max:
                    raise TooLarge(what)
        return bytes(found)

    def _pieces(self, request: httpx.Request, media_type: str) -> Generator[bytes, None, None]:
        response = self._send(request)
        try:
            head = _head(response)
            if not is_answer(head, media_type):
                raise refusal(head, self._beginning(response))
            yield from self._body(response)
        finally:
            response.close()

    def _send(self, request: httpx.Request) -> httpx.Response:
        """Send the request; give the answer when its head is whole."""
        try:
            with foreign_errors():
                response = self._client.send(request, stream=True)
        except SyncError as error:
            if self._line.is_cut:
                raise Timeout("answer's head without an end") from error
            raise
        reason, fields = response.reason_phrase, response.headers.raw
        self._down += answer_head_bytes(response.status_code, reason, fields)
        return response

    def _timeout(self) -> httpx.Timeout:
        patience = self._patience
        silence = patience.silence_seconds if notices_silence() else patience.unaided_seconds
        return httpx.Timeout(silence, connect=self._line.connect_seconds())

    def _body(self, response: httpx.Response) -> Generator[bytes, None, None]:
        until = self._monotonic() + self._patience.answer_seconds_max
        received = 0
        pieces = response.iter_raw()
        while True:
            with foreign_errors():
                piece = next(pieces, None)
            if piece is None:
                return
            self._down += len(piece)
            received += len(piece)
            if received > self._patience.answer_bytes_max:
                raise TooLarge("answer")
            if self._monotonic() > until:
                raise Timeout("answer without an end")
            yield piece

    def _beginning(self, response: httpx.Response) -> bytes:
        """Give the first bytes of an error's body; the rest is not worth its bytes on 2G."""
        start = bytearray()
        with closing(self._body(response)) as pieces:
            for piece in pieces:
                start += piece
                if len(start) > _ERROR_BODY_BYTES_MAX:
                    return b""
        return bytes(start)

    def _counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._up += len(piece) + chunk_frame_bytes(len(piece))
            yield piece
        self._up += chunk_frame_bytes(0)


def _push_body(nonce: bytes, batches: Iterable[SealedBatch]) -> Iterator[bytes]:
    # The nonce rides with the first batch: one packet less on a slow link.
    rest = wire.encode(nonce)
    for batch in batches:
        yield from _small_pieces(rest + wire.encode(batch.data))
        rest = b""
    if rest:
        yield rest


def _small_pieces(data: bytes) -> Iterator[bytes]:
    """Cut into what even the slowest living link takes well within the time for one write."""
    for start in range(0, len(data), _PIECE_BYTES):
        yield data[start : start + _PIECE_BYTES]


def _head(response: httpx.Response) -> AnswerHead:
    headers = response.headers
    return AnswerHead(
        status=response.status_code,
        content_type=headers.get("content-type", ""),
        content_encoding=headers.get("content-encoding", ""),
        retry_after=headers.get("retry-after", ""),
        date=headers.get("date", ""),
    )
