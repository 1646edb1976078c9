"""One TCP connection, watched: heads that never end and answers that nobody reads are cut.

uvicorn bounds how long an idle connection is kept after an answer, and nothing else. What happens
inside a request is bounded in :mod:`sync.server.reading`.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

__all__ = ["ConnectionLimits", "make_protocol"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What connections may cost."""

    connections_max: int
    """Open at the same time; beyond it, those that ask for nothing give way."""
    head_seconds_max: float
    """From a connection, or from an answer's end, to the end of the next request's head."""
    grace_seconds: float
    """How long an answer may wait before its reader must keep the pace."""
    bytes_per_second_min: float
    """How fast an answer must be read on average once that is over."""
    look_seconds: float = 2.0
    """Between two looks at a connection."""


def make_protocol(limits: ConnectionLimits) -> type[asyncio.Protocol]:
    """Give the class that uvicorn makes a protocol of for each connection."""
    return type("Watched", (_Watched,), {"limits": limits, "watched": set()})


class _Watched(H11Protocol):
    """uvicorn's protocol, with an eye on it."""

    limits: ClassVar[ConnectionLimits]
    watched: ClassVar[set[_Watched]]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._look: asyncio.TimerHandle | None = None
        self._silent_since = self._blocked_since = 0.0
        self._written: _Written | None = None
        self._read_when_blocked = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch; make room if there are too many."""
        self._written = _Written(transport)
        super().connection_made(self._written)  # type: ignore[arg-type]
        self._silent_since = self._blocked_since = time.monotonic()
        if len(self.watched) >= self.limits.connections_max and not _make_room(self.watched):
            transport.abort()
            return
        self.watched.add(self)
        self._look_again()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        self.watched.discard(self)
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer a whole request though its sender says that nothing more comes from there."""
        cycle: RequestResponseCycle | None = self.cycle
        is_waited_for = cycle is not None and not cycle.more_body and not cycle.response_complete
        if cycle is not None and is_waited_for:
            cycle.keep_alive = False
        return is_waited_for

    def on_response_complete(self) -> None:
        """From here the next request's head may be waited for."""
        self._silent_since = time.monotonic()
        super().on_response_complete()

    @property
    def peer(self) -> str:
        """Give the address at the other end: the proxy's, if there is one."""
        return str(self.client[0]) if self.client else ""

    @property
    def silent_since(self) -> float | None:
        """Give since when no request is in work (monotonic seconds); ``None`` when one is."""
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request
        return None if cycle and not cycle.response_complete else self._silent_since

    def abort(self) -> None:
        """Cut it at once, whatever waits to be read."""
        self.watched.discard(self)
        self.transport.abort()

    def _look_again(self) -> None:
        self._look = self.loop.call_later(self.limits.look_seconds, self._look_at)

    def _look_at(self) -> None:
        now = time.monotonic()
        since = self.silent_since
        if self._is_unread(now) or (
            since is not None and now - since > self.limits.head_seconds_max
        ):
            self.abort()
        else:
            self._look_again()

    def _is_unread(self, now: float) -> bool:
        """Whether an answer waits in memory and its reader takes too little of it."""
        assert self._written is not None  # noqa: S101 - it is made with the connection
        if self._written.waiting == 0:
            self._blocked_since, self._read_when_blocked = now, self._written.read
            return False
        read = self._written.read - self._read_when_blocked
        owed = now - self._blocked_since - self.limits.grace_seconds
        return read < owed * self.limits.bytes_per_second_min


class _Written:
    """A transport that counts what it was given to write."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._total = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write, and count."""
        self._total += len(data)
        self._transport.write(data)

    @property
    def waiting(self) -> int:
        """Give the bytes that the network has not taken yet."""
        return self._transport.get_write_buffer_size()

    @property
    def read(self) -> int:
        """Give the bytes that the network has taken."""
        return self._total - self.waiting


def _make_room(watched: set[_Watched]) -> bool:
    """Cut the longest silent connection of the address that has most of them, if there is one."""
    silent = [one for one in watched if one.silent_since is not None]
    if not silent:
        return False
    crowd = Counter(one.peer for one in silent)
    min(silent, key=lambda one: (-crowd[one.peer], one.silent_since or 0.0)).abort()
    return True
