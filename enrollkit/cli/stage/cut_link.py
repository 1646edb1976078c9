"""A road to the server that can be cut: a loopback relay that hangs up after so many bytes.

It stands where a village's 2G would: between laptop and server, knowing neither.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Final, Self

__all__ = ["CutLink"]

_PIECE: Final = 4096


class CutLink:
    """Relays TCP from :attr:`port` to :attr:`server_port`, once that is known.

    :meth:`cut_after` makes the next connection end, both ways, once so many bytes went up.
    """

    def __init__(self) -> None:
        self.server_port = 0
        self._allowance: int | None = None
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="cut-link", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A blocked accept() does not notice that its socket was closed; a shutdown it does.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=5)

    def cut_after(self, bytes_up: int) -> None:
        """Hang up once, after this many bytes have gone to the server."""
        self._allowance = bytes_up

    def _accept(self) -> None:
        while True:
            try:
                laptop, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(laptop,), daemon=True).start()

    def _relay(self, laptop: socket.socket) -> None:
        with laptop, socket.create_connection(("127.0.0.1", self.server_port)) as server:
            down = threading.Thread(target=_pour, args=(server, laptop), daemon=True)
            down.start()
            self._pour_up(laptop, server)
            down.join(timeout=5)

    def _pour_up(self, laptop: socket.socket, server: socket.socket) -> None:
        while True:
            try:
                piece = laptop.recv(_PIECE)
                if not piece or self._used_up(len(piece)):
                    break
                server.sendall(piece)
            except OSError:
                break
        _end(server)
        _end(laptop)

    def _used_up(self, size: int) -> bool:
        if self._allowance is None:
            return False
        self._allowance -= size
        if self._allowance > 0:
            return False
        self._allowance = None
        self.cuts += 1
        return True


def _pour(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    _end(target)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
