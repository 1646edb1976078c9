"""The same bearer where no namespace can be made: a relay of TCP in this process.

It is kinder than the tunnel: the laptop's own TCP sees loopback, which loses nothing and answers at
once, so that only what the program itself does about silence is tried.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from typing import Final

from bench.shape import Channel, Direction, Shape, Traffic

__all__ = ["Shaper"]

_PIECE: Final = 1400
_BUFFER_BYTES: Final = 16 * 1024
_PIECES_MAX: Final = 16


class Shaper:
    """A link inside this process; stands in for :class:`bench.tunnel.Tunnel`."""

    is_real = False
    far_host = "127.0.0.1"
    near: tuple[str, ...] = ()
    far: tuple[str, ...] = ()

    def __init__(self, shape: Shape) -> None:
        self.channels = {"up": Channel(shape, "up"), "down": Channel(shape, "down")}
        self._gate = threading.Lock()
        self._begun = time.monotonic()
        self._closing = threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def reach(self, port: int) -> tuple[str, int]:
        """Give where the laptop's side finds what listens at :attr:`far_host` and ``port``."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        self._open.append(listener)
        self._run(self._accept, listener, port)
        host, here = listener.getsockname()
        return host, here

    def begin(self) -> None:
        """Start the circle of carrying and silence, the dice and the counters anew, now."""
        with self._gate:
            self._begun = time.monotonic()
            for channel in self.channels.values():
                channel.reset()

    def traffic(self, direction: Direction) -> Traffic:
        """Give what travelled since :meth:`begin`, without headers."""
        with self._gate:
            return self.channels[direction].traffic()

    def close(self) -> None:
        """Hang up everywhere."""
        self._closing.set()
        for line in list(self._open):
            _end(line)
        for thread in self._threads:
            thread.join(timeout=10)

    def _run(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket, port: int) -> None:
        with listener, contextlib.suppress(OSError):
            while not self._closing.is_set():
                laptop, _address = listener.accept()
                try:
                    server = socket.create_connection((self.far_host, port))
                except OSError:
                    laptop.close()
                    continue
                self._open += [laptop, server]
                self._join(laptop, server, "up")
                self._join(server, laptop, "down")

    def _join(self, source: socket.socket, goal: socket.socket, direction: Direction) -> None:
        """Carry one direction of one connection: one thread reads, the other keeps the time."""
        pieces: queue.Queue[tuple[float, bytes]] = queue.Queue(_PIECES_MAX)
        self._run(self._read, source, self.channels[direction], pieces)
        self._run(self._write, goal, pieces)

    def _read(
        self, source: socket.socket, channel: Channel, pieces: queue.Queue[tuple[float, bytes]]
    ) -> None:
        last = 0.0
        piece = b"-"
        while piece:
            try:
                piece = source.recv(_PIECE)
            except OSError:
                piece = b""
            with self._gate:
                # What follows a lost piece waits for it: TCP hands over in order.
                last = max(last, channel.insist(self._now(), len(piece)) if piece else self._now())
                entry = (self._begun + last, piece)
            pieces.put(entry)

    def _write(self, goal: socket.socket, pieces: queue.Queue[tuple[float, bytes]]) -> None:
        piece = b"-"
        broken = False
        while piece:
            due, piece = pieces.get()
            while (
                not self._closing.is_set() and not broken and (left := due - time.monotonic()) > 0
            ):
                self._closing.wait(min(left, 0.5))
            try:
                if not broken:
                    goal.sendall(piece)
            except OSError:
                broken = True  # go on reading, so that the other thread ends
        _end(goal)

    def _now(self) -> float:
        return time.monotonic() - self._begun


def _end(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
