"""The road by HTTP: the only file that knows httpx, and where its exceptions stop.

Batches are streamed and receipts handed on as they arrive, so that a cut costs what was in the
air and nothing else. Every reply is bounded in size and in time; no redirect is followed.
"""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Final

import httpx
import truststore

from sync import wire
from sync.address import read_address
from sync.engine.answers import CBOR_TYPE, SEQUENCE_TYPE, AnswerHead, is_answer, refusal
from sync.engine.pacing import Patience
from sync.errors import (
    AddressUnsafe,
    CertificateUntrusted,
    ClockSkew,
    EnvelopeInvalid,
    Offline,
    Portal,
    ReceiptInvalid,
    ServerUnavailable,
    SyncError,
    Timeout,
    TooLarge,
)
from sync.protocol import LIMITS, SealedBatch

__all__ = ["FOREIGN_ERRORS", "HttpTransport"]

FOREIGN_ERRORS: Final[Mapping[type[Exception], type[SyncError]]] = {
    httpx.HTTPError: Offline,
    httpx.RequestError: Offline,
    httpx.TransportError: Offline,
    httpx.TimeoutException: Timeout,
    httpx.ConnectTimeout: Timeout,
    httpx.ReadTimeout: Timeout,
    httpx.WriteTimeout: Timeout,
    httpx.PoolTimeout: Timeout,
    httpx.NetworkError: Offline,
    httpx.ConnectError: Offline,
    httpx.ReadError: Offline,
    httpx.WriteError: Offline,
    httpx.CloseError: Offline,
    httpx.ProxyError: Offline,
    httpx.ProtocolError: Offline,
    httpx.LocalProtocolError: Offline,
    httpx.RemoteProtocolError: Offline,
    httpx.HTTPStatusError: ServerUnavailable,
    httpx.DecodingError: Portal,
    httpx.TooManyRedirects: Portal,
    httpx.CookieConflict: Portal,
    httpx.UnsupportedProtocol: AddressUnsafe,
    httpx.InvalidURL: AddressUnsafe,
}
"""Every exception that httpx can raise for a reason outside this program, and what it is to us."""

_ERROR_BODY_BYTES_MAX: Final = 4096
_OUT_OF_TIME: Final = frozenset({9, 10})
"""X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED (OpenSSL): a clock that says 2019 or 2036."""
_TIME_ANSWER_BYTES_MAX: Final = 1024


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
        self._up = self._down = self._requests = 0
        self._client = httpx.Client(
            verify=ssl_context or truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            # The environment names proxies; none of them leads to this very machine.
            trust_env=not self._address.is_plain,
            follow_redirects=False,
            timeout=httpx.Timeout(
                self._patience.silence_seconds, connect=self._patience.connect_seconds
            ),
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

    def feed(self, request: bytes, after: int) -> bytes:
        """Ask for the news after a cursor with a signed request; give one sealed page."""
        token = base64.urlsafe_b64encode(request).rstrip(b"=").decode("ascii")
        headers = {"Authorization": f"Enrollkit {token}"}
        asked = self._request("GET", f"v1/feed?after={after}", headers, None)
        page = bytearray()
        with closing(self._pieces(asked, CBOR_TYPE)) as pieces:
            for piece in pieces:
                page += piece
                if len(page) > LIMITS.feed_page_bytes_max:
                    raise TooLarge("page")
        return bytes(page)

    def server_time(self, nonce: bytes) -> bytes:
        """Ask what the server's clock says, signed, though its certificate does not hold.

        A connection of its own that is closed at once. It carries a random nonce and nothing else,
        and whoever answers is believed for the signature alone (``Transport.server_time``).
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            _foreign_errors(),
            httpx.Client(
                verify=context,
                trust_env=not self._address.is_plain,
                follow_redirects=False,
                timeout=self._patience.connect_seconds,
            ) as client,
            client.stream(
                "POST", self._address.base + "v1/time", content=wire.encode(nonce)
            ) as response,
        ):
            answer = bytearray()
            for piece in response.iter_raw(_TIME_ANSWER_BYTES_MAX):
                answer += piece
                if len(answer) > _TIME_ANSWER_BYTES_MAX:
                    raise TooLarge("time")
        return bytes(answer)

    def traffic(self) -> tuple[int, int, int]:
        """Give bytes sent, bytes received and requests made: heads and bodies, without TLS."""
        return self._up, self._down, self._requests

    def _request(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        content: bytes | Iterator[bytes] | None,
    ) -> httpx.Request:
        request = self._client.build_request(
            method, self._address.base + path, headers=headers, content=content
        )
        known = len(content) if isinstance(content, bytes) else 0

        def trace(event: str, _info: Mapping[str, Any]) -> None:
            # Counted when it has left, not when it was meant to.
            if event.endswith(".send_request_headers.complete"):
                self._requests += 1
                self._up += _request_head_bytes(request) + known

        request.extensions["trace"] = trace
        return request

    def _items(self, request: httpx.Request) -> Generator[bytes, None, None]:
        """Give the byte strings of the answer one by one; what came before a cut is given too."""
        reader = wire.SequenceReader(item_bytes_max=LIMITS.receipt_bytes_max)
        with closing(self._pieces(request, SEQUENCE_TYPE)) as pieces:
            for piece in pieces:
                try:
                    yield from reader.feed(piece)
                except EnvelopeInvalid as error:
                    raise ReceiptInvalid(error.detail) from error
        if not reader.is_between_items:
            raise Offline("answer cut short")

    def _pieces(self, request: httpx.Request, media_type: str) -> Generator[bytes, None, None]:
        with _foreign_errors():
            response = self._client.send(request, stream=True)
        try:
            self._down += _response_head_bytes(response)
            head = _head(response)
            if not is_answer(head, media_type):
                raise refusal(head, self._beginning(response))
            yield from self._body(response)
        finally:
            response.close()

    def _body(self, response: httpx.Response) -> Generator[bytes, None, None]:
        until = self._monotonic() + self._patience.answer_seconds_max
        received = 0
        pieces = response.iter_raw()
        while True:
            with _foreign_errors():
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
            self._up += len(piece) + _chunk_frame_bytes(len(piece))
            yield piece
        self._up += _chunk_frame_bytes(0)


@contextmanager
def _foreign_errors() -> Iterator[None]:
    """Turn every exception of httpx into ours, by its most specific entry."""
    try:
        yield
    except tuple(FOREIGN_ERRORS) as error:
        found = next(kind for kind in type(error).__mro__ if kind in FOREIGN_ERRORS)
        raise _certificate_error(error) or FOREIGN_ERRORS[found](type(error).__name__) from error


def _certificate_error(error: BaseException) -> SyncError | None:
    """Tell a certificate that does not hold from a network that is not there."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            may_be_clock = cause.verify_code in _OUT_OF_TIME
            return ClockSkew("certificate") if may_be_clock else CertificateUntrusted("certificate")
        cause = cause.__cause__ or cause.__context__
    return None


def _push_body(nonce: bytes, batches: Iterable[SealedBatch]) -> Iterator[bytes]:
    # The nonce rides with the first batch: one packet less on a slow link.
    rest = wire.encode(nonce)
    for batch in batches:
        yield rest + wire.encode(batch.data)
        rest = b""
    if rest:
        yield rest


def _head(response: httpx.Response) -> AnswerHead:
    headers = response.headers
    return AnswerHead(
        status=response.status_code,
        content_type=headers.get("content-type", ""),
        content_encoding=headers.get("content-encoding", ""),
        retry_after=headers.get("retry-after", ""),
        date=headers.get("date", ""),
    )


def _request_head_bytes(request: httpx.Request) -> int:
    line = len(request.method) + len(request.url.raw_path) + len("  HTTP/1.1\r\n")
    return line + _fields_bytes(request.headers)


def _response_head_bytes(response: httpx.Response) -> int:
    line = len(f"HTTP/1.1 {response.status_code} {response.reason_phrase}\r\n")
    return line + _fields_bytes(response.headers)


def _fields_bytes(headers: httpx.Headers) -> int:
    return sum(len(name) + len(value) + len(": \r\n") for name, value in headers.raw) + len("\r\n")


def _chunk_frame_bytes(size: int) -> int:
    """Give what one chunk of the request body costs beside its content (RFC 9112, 7.1)."""
    return len(f"{size:x}\r\n\r\n")
