"""A road between laptop and server that a test owns: it keeps what passes, and breaks at a byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

__all__ = ["Passage", "Relay", "Trap"]

_PIECE = 4096


@dataclass(slots=True)
class Passage:
    """One connection: what went up to the server and what came down."""

    up: bytearray = field(default_factory=bytearray)
    down: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class Trap:
    """Springs at the n-th byte of one direction, counted over all connections since it was set.

    The bytes before it still pass; then ``action`` runs and the connection ends both ways.
    """

    direction: str
    after: int
    action: Callable[[], object]
    sprung: threading.Event = field(default_factory=threading.Event)


class Relay:
    """Relays TCP from :attr:`port` to ``target``, a port of this machine; ``None`` hangs up."""

    def __init__(self, target: int | None = None) -> None:
        self.target = target
        self.passages: list[Passage] = []
        self._trap: Trap | None = None
        self._counted = 0
        self._gate = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._run(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _end(self._listener)
        self._listener.close()
        with self._gate:
            left = list(self._open)
        for connection in left:
            _end(connection)
        for thread in self._threads:
            thread.join(timeout=10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def set_trap(self, direction: str, after: int, action: Callable[[], object]) -> Trap:
        """Do something at a byte ("up" or "down") of what passes from now on."""
        with self._gate:
            self._trap, self._counted = Trap(direction, max(1, after), action), 0
            return self._trap

    def clear_trap(self) -> None:
        with self._gate:
            self._trap = None

    def forget(self) -> None:
        """Forget the traffic so far."""
        with self._gate:
            self.passages = []

    def traffic(self) -> tuple[int, int]:
        """Give how many bytes went up and down since :meth:`forget`."""
        with self._gate:
            return (
                sum(len(passage.up) for passage in self.passages),
                sum(len(passage.down) for passage in self.passages),
            )

    def replay(self, passage: Passage) -> bytes:
        """Send a whole recorded connection to the server once more and give its answer."""
        assert self.target is not None
        last = (
            f"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.target), timeout=30) as server:
            server.sendall(bytes(passage.up) + last.encode())
            answer = bytearray()
            while piece := server.recv(_PIECE):
                answer += piece
        return bytes(answer)

    def _accept(self) -> None:
        while True:
            try:
                laptop, _address = self._listener.accept()
            except OSError:
                return
            self._run(lambda laptop=laptop: self._serve(laptop))

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="journey-relay", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, laptop: socket.socket) -> None:
        with laptop, contextlib.suppress(OSError):
            if self.target is None:
                return
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                passage = Passage()
                with self._gate:
                    self.passages.append(passage)
                    self._open += [laptop, server]
                down = threading.Thread(
                    target=self._pour, args=(server, laptop, "down", passage), daemon=True
                )
                down.start()
                self._pour(laptop, server, "up", passage)
                down.join(timeout=60)

    def _pour(
        self, source: socket.socket, goal: socket.socket, direction: str, passage: Passage
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                before, trap = self._until_trap(direction, piece)
                with self._gate:
                    getattr(passage, direction).extend(before)
                goal.sendall(before)
                if trap is not None:
                    trap.action()
                    trap.sprung.set()
                    break
        _end(source)
        _end(goal)

    def _until_trap(self, direction: str, piece: bytes) -> tuple[bytes, Trap | None]:
        with self._gate:
            trap = self._trap
            if trap is None or trap.direction != direction:
                return piece, None
            left = trap.after - self._counted
            self._counted += len(piece)
            if len(piece) < left:
                return piece, None
            self._trap = None
            return piece[:left], trap


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
