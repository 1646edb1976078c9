"""The line to ABDM: the only file of the server that knows httpx, and the only one that dials.

What it adds to httpx is what ABDM's promises hang on: whether a request can have left at all, an
answer that is bounded in bytes and in time, and the operating system's certificates.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any, Final

import httpx
import truststore

from sync.address import read_address
from sync.errors import AddressUnsafe
from sync.server.errors import SettingsInvalid

__all__ = ["Line", "NotSent", "Reply", "ReplyLost", "checked_url"]

_ANSWER_BYTES_MAX: Final = 2 * 1024 * 1024
"""A profile with a photo, or a card; ABDM documents no size."""
_CONNECT_SECONDS_MAX: Final = 10.0
_IDLE_SECONDS: Final = 30.0


class NotSent(Exception):
    """Not a byte of the request left; nothing was done."""


class ReplyLost(Exception):
    """The request may have left, and no whole answer came."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reply:
    """An answer as it came, whole. Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Reply({self.status}, <{len(self.body)} bytes>)"


def checked_url(url: str, name: str) -> str:
    """Give an address without its last slash; ``SettingsInvalid`` unless https or loopback."""
    try:
        return read_address(url).base.rstrip("/")
    except AddressUnsafe as error:
        raise SettingsInvalid(name) from error


class Line:
    """Sends one request at a time in each thread that asks; keeps connections for the next."""

    def __init__(
        self,
        *,
        timeout_seconds: float,
        is_plain: bool,
        ssl_context: ssl.SSLContext | None = None,
        answer_bytes_max: int = _ANSWER_BYTES_MAX,
    ) -> None:
        """Take how long a whole exchange may last once it is connected.

        ``is_plain``: it calls this machine itself, where no proxy of the environment leads.
        """
        self._timeout_seconds = timeout_seconds
        self._is_plain = is_plain
        self._answer_bytes_max = answer_bytes_max
        self._context = ssl_context or truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._lock = threading.Lock()
        self._idle: list[_Wire] = []
        self._is_closed = False

    def close(self) -> None:
        """Hang up all that is idle; what is under way hangs up when it ends."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for wire in idle:
            wire.close()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply:
        """Send one request and read its answer whole; ``NotSent`` or ``ReplyLost`` otherwise.

        No redirect is followed and nothing is repeated.
        """
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise NotSent("header")
        with self._wire() as wire:
            return wire.send(method, url, headers, body)

    @contextmanager
    def _wire(self) -> Iterator[_Wire]:
        with self._lock:
            if self._is_closed:
                raise NotSent("closed")
            wire = self._idle.pop() if self._idle else None
        wire = wire or self._new_wire()
        try:
            yield wire
        finally:
            with self._lock:
                is_kept = not self._is_closed
                if is_kept:
                    self._idle.append(wire)
            if not is_kept:
                wire.close()

    def _new_wire(self) -> _Wire:
        connect_seconds = min(self._timeout_seconds, _CONNECT_SECONDS_MAX)
        return _Wire(
            httpx.Client(
                verify=self._context,
                cookies=_NoCookies(),
                trust_env=not self._is_plain,
                follow_redirects=False,
                # One connection: the one that the brake cuts is the one that is in use.
                limits=httpx.Limits(max_connections=1, keepalive_expiry=_IDLE_SECONDS),
                headers={"User-Agent": "enrollkit-server", "Accept-Encoding": "identity"},
                timeout=httpx.Timeout(self._timeout_seconds, connect=connect_seconds),
            ),
            seconds_max=connect_seconds + self._timeout_seconds,
            answer_bytes_max=self._answer_bytes_max,
        )


class _NoCookies(CookieJar):
    """Keeps nothing: ABDM documents no cookie, and an odd one would spoil every later request."""

    def extract_cookies(self, response: object, request: object) -> None:
        """Let what an answer sets pass."""

    def add_cookie_header(self, request: object) -> None:
        """Send none."""


class _Wire:
    """One connection, used by one thread at a time."""

    def __init__(self, client: httpx.Client, *, seconds_max: float, answer_bytes_max: int) -> None:
        self._client = client
        self._seconds_max = seconds_max
        self._answer_bytes_max = answer_bytes_max
        self._socket: socket.socket | None = None
        self._has_left = False

    def close(self) -> None:
        self._client.close()

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        self._has_left = False
        try:
            request = self._client.build_request(
                method, url, headers=dict(headers), content=body, extensions={"trace": self._follow}
            )
            with self._brake():
                return self._exchange(request)
        except (httpx.HTTPError, httpx.InvalidURL, zlib.error) as error:
            kind = ReplyLost if self._has_left else NotSent
            raise kind(type(error).__name__) from error

    def _exchange(self, request: httpx.Request) -> Reply:
        until = time.monotonic() + self._seconds_max
        with closing(self._client.send(request, stream=True)) as response:
            raw = bytearray()
            for piece in response.iter_raw():
                raw += piece
                if len(raw) > self._answer_bytes_max or time.monotonic() > until:
                    raise ReplyLost("answer without an end")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Reply(
                status=response.status_code,
                headers=headers,
                body=self._plain(bytes(raw), headers.get("content-encoding", "")),
            )

    def _plain(self, raw: bytes, encoding: str) -> bytes:
        """Unpack what was packed although nobody asked for it."""
        match encoding.strip().lower():
            case "" | "identity":
                return raw
            case "gzip" | "deflate":
                unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
                plain = unpacking.decompress(raw, self._answer_bytes_max)
                if unpacking.eof:
                    return plain
        raise ReplyLost("content encoding")

    def _follow(self, event: str, info: Mapping[str, Any]) -> None:
        """Take one event of httpcore's trace (``http11.send_request_headers.started``, …)."""
        match event.partition(".")[2]:
            case "connect_tcp.complete" | "start_tls.complete":
                self._socket = info["return_value"].get_extra_info("socket")
            # A proxy is asked for the way by a request of its own, which is not ours.
            case "send_request_headers.started" if info["request"].method != b"CONNECT":
                self._has_left = True

    @contextmanager
    def _brake(self) -> Iterator[None]:
        """Cut an exchange whose answer trickles for ever: httpx bounds each read, not their sum."""
        brake = threading.Timer(self._seconds_max, self._cut)
        brake.daemon = True
        brake.start()
        try:
            yield
        finally:
            brake.cancel()

    def _cut(self) -> None:
        line = self._socket
        if line is None:
            return
        with contextlib.suppress(OSError):  # it may have ended by itself in this very moment
            # Past TLS, which another thread is reading: that one sees the line end.
            socket.socket.shutdown(line, socket.SHUT_RDWR)
