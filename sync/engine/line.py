"""One TCP line to the server: told to notice silence by itself, and cut when a word never ends.

A bearer that falls silent sends no reset. Left alone, the kernel tries again after 1, 2, 4, … 32
seconds and sleeps through the next good moment, and a reader waits for ever. No HTTP library here.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from sync.engine.pacing import Patience

__all__ = ["Line", "SocketOption", "notices_silence", "silence_options", "waiting_options"]

SocketOption: TypeAlias = tuple[int, int, int]
"""Level, name and value, as ``setsockopt`` takes them."""

_SEND_BUFFER_BYTES: Final = 32 * 1024
"""Four seconds of 2G. What lies in a deeper buffer is lost in a cut and delays every answer."""
_UNSENT_BYTES_MAX: Final = 8 * 1024
"""A writer wakes whenever less waits to be sent: so a slow line is seen to live."""
_PROBES: Final = 3
_SLOW_FACTOR: Final = 4
"""A line is given so many times what it needed to open before it counts as dead."""

# Not in every build of Python's socket module. Microsoft's ws2ipdef.h; Apple's netinet/tcp.h.
_WINDOWS_MAXRT: Final = 5
_APPLE_KEEPALIVE: Final = 0x10
_APPLE_CONNECTION_DROP_TIME: Final = 0x80


class Line:
    """Follows one HTTP client's connection by the events that its transport tells."""

    def __init__(self, patience: Patience, monotonic: Callable[[], float]) -> None:
        self._patience = patience
        self._monotonic = monotonic
        self._socket: socket.socket | None = None
        self._dialled_at: float | None = None
        self._asked_at = 0.0
        self._brake: threading.Timer | None = None
        self.opening_seconds: float | None = None
        """The least that a connection took to open, TLS included; ``None`` before the first."""
        self.round_trip_seconds: float | None = None
        """From a request's last byte to the first of its answer, in the newest exchange."""
        self.is_cut = False
        """Whether the newest exchange was cut because an answer's head did not end."""

    def close(self) -> None:
        """Forget the line; it is closed by whoever opened it."""
        self._release()
        self._socket = None

    def connect_seconds(self) -> float:
        """Give how long to wait for a connection: less once the server answered on one.

        Before that a session has few tries, and they must last longer than a usual silence.
        """
        patience = self._patience
        if self.opening_seconds is None or self.round_trip_seconds is None:
            return patience.connect_seconds
        again = max(patience.again_seconds, _SLOW_FACTOR * self.opening_seconds)
        return min(again, patience.connect_seconds)

    def on_event(self, event: str, info: Mapping[str, Any]) -> None:
        """Take one event of httpcore's trace (``connection.connect_tcp.started``, …)."""
        _where, _, what = event.partition(".")
        match what:
            case "connect_tcp.started":
                self._dialled_at = self._monotonic()
            case "connect_tcp.complete":
                self._socket = info["return_value"].get_extra_info("socket")
                self._set_options(self._socket)
            case "start_tls.complete":
                self._socket = info["return_value"].get_extra_info("socket")
            case "send_request_headers.started":
                self.is_cut = False
                self._note_opened()
            case "receive_response_headers.started":
                self._asked_at = self._monotonic()
                self._brake_after(self._patience.head_seconds_max)
            case "receive_response_headers.complete":
                self.round_trip_seconds = self._monotonic() - self._asked_at
                self._release()
            case "receive_response_headers.failed":
                self._release()

    def _note_opened(self) -> None:
        """Learn from a connection's first request how long opening it took."""
        if self._dialled_at is None:
            return
        seconds = self._monotonic() - self._dialled_at
        self._dialled_at = None
        known = self.opening_seconds
        # The least is the link; what came on top was silence or a lost packet.
        self.opening_seconds = seconds if known is None else min(known, seconds)

    def _set_options(self, line: socket.socket) -> None:
        slowest = _SLOW_FACTOR * (self.opening_seconds or 0.0)
        deaf = max(self._patience.deaf_seconds, slowest)
        for option in (*waiting_options(), *silence_options(deaf)):
            # What a platform does not know it does without: the slower timeouts hold everywhere.
            with contextlib.suppress(OSError):
                line.setsockopt(*option)

    def _brake_after(self, seconds: float) -> None:
        self._release()
        self._brake = threading.Timer(seconds, self._cut)
        self._brake.daemon = True
        self._brake.start()

    def _release(self) -> None:
        if self._brake is not None:
            self._brake.cancel()
            self._brake = None

    def _cut(self) -> None:
        if self._socket is None:
            return
        self.is_cut = True
        with contextlib.suppress(OSError):  # it may have ended by itself in this very moment
            # Past TLS, which another thread is reading: that one sees the line end.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def waiting_options() -> tuple[SocketOption, ...]:
    """Give the options that keep little between the program and the air."""
    unsent: int | None = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    options = [(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)]
    if unsent is not None:
        options.append((socket.IPPROTO_TCP, unsent, _UNSENT_BYTES_MAX))
    return tuple(options)


def silence_options(seconds: float, platform: str = sys.platform) -> tuple[SocketOption, ...]:
    """Give the options that end a line after so many seconds in which nothing was acknowledged.

    Two cases: bytes of ours are under way (each platform's limit on sending again), and none are
    (keepalive, a probe of some forty bytes).
    """
    whole = max(1, round(seconds))
    idle, between = max(1, whole // 2), max(1, whole // (2 * _PROBES))
    keepalive = {
        "TCP_KEEPALIVE" if platform == "darwin" else "TCP_KEEPIDLE": idle,
        "TCP_KEEPINTVL": between,
        "TCP_KEEPCNT": _PROBES,
    }
    numbers = {name: getattr(socket, name, None) for name in keepalive}
    if platform == "darwin":
        numbers["TCP_KEEPALIVE"] = _APPLE_KEEPALIVE
    probing = [(numbers[name], value) for name, value in keepalive.items()]
    known = [*probing, *_resending(whole, platform)]
    options = [(socket.IPPROTO_TCP, name, value) for name, value in known if name is not None]
    return ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *options)


def notices_silence(platform: str = sys.platform) -> bool:
    """Whether this platform's TCP can be told how long to send again without an answer."""
    return any(name is not None for name, _value in _resending(1, platform))


def _resending(seconds: int, platform: str) -> Iterable[tuple[int | None, int]]:
    match platform:
        case "win32":
            return [(_WINDOWS_MAXRT, seconds)]
        case "darwin":
            return [(_APPLE_CONNECTION_DROP_TIME, seconds)]
        case _:
            return [(getattr(socket, "TCP_USER_TIMEOUT", None), 1000 * seconds)]
