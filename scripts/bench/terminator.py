"""The office's TLS proxy for measurements: counts what TLS costs and keeps what came up.

Usage: terminator.py HOST PORT TARGET_PORT CHAIN.pem FOLDER. Prints ``ready``; at SIGTERM it writes
FOLDER/lines.json, one object a connection. FOLDER/N.up is what the N-th laptop's line said.
"""

from __future__ import annotations

import contextlib
import json
import select
import signal
import socket
import ssl
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

_PIECE = 65536


@dataclass(slots=True)
class Count:
    """One connection: bytes of TLS until the handshake was whole, and after it."""

    number: int
    began: float
    handshake_up: int = 0
    handshake_down: int = 0
    up: int = 0
    down: int = 0
    is_greeted: bool = False
    last_heard: float = 0.0

    def came(self, size: int) -> None:
        """Note TLS bytes from the laptop."""
        self.last_heard = time.monotonic()
        if self.is_greeted:
            self.up += size
        else:
            self.handshake_up += size

    def went(self, size: int) -> None:
        """Note TLS bytes to the laptop."""
        if self.is_greeted:
            self.down += size
        else:
            self.handshake_down += size


class Line:
    """One laptop's connection: TLS on its side, plain HTTP to the server behind."""

    def __init__(self, laptop: socket.socket, context: ssl.SSLContext, count: Count) -> None:
        self._laptop = laptop
        self._count = count
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)

    def serve(self, target: int, record: Path) -> None:
        """Carry both ways until either end hangs up."""
        with record.open("wb") as up:
            if not self._shake_hands():
                return
            with socket.create_connection(("127.0.0.1", target)) as server:
                self._carry(server, up)

    def _shake_hands(self) -> bool:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                if not self._hear():
                    return False
            else:
                self._flush()
                self._count.is_greeted = True
                return True

    def _carry(self, server: socket.socket, up: object) -> None:
        while True:
            while piece := self._open():
                up.write(piece)  # type: ignore[attr-defined]
                up.flush()  # type: ignore[attr-defined]
                server.sendall(piece)
            ready, _, _ = select.select([self._laptop, server], [], [])
            if server in ready:
                answer = server.recv(_PIECE)
                if not answer:
                    return
                self._tls.write(answer)
                self._flush()
            if self._laptop in ready and not self._hear():
                return

    def _open(self) -> bytes:
        try:
            return self._tls.read(_PIECE)
        except ssl.SSLWantReadError:
            return b""

    def _hear(self) -> bool:
        piece = self._laptop.recv(_PIECE)
        self._in.write(piece)
        self._count.came(len(piece))
        return bool(piece)

    def _flush(self) -> None:
        piece = self._out.read()
        self._count.went(len(piece))
        self._laptop.sendall(piece)


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM."""
    host, port, target, chain, folder = arguments
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    counts: list[Count] = []

    def end(_number: int, _frame: object) -> None:
        text = json.dumps([asdict(count) for count in counts])
        (Path(folder) / "lines.json").write_text(text, encoding="utf-8")
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    with socket.create_server((host, int(port)), backlog=64) as listener:
        print("ready", flush=True)
        while True:
            laptop, _address = listener.accept()
            count = Count(number=len(counts), began=time.monotonic())
            counts.append(count)
            arguments_ = (laptop, context, count, int(target), Path(folder))
            threading.Thread(target=_serve, args=arguments_, daemon=True).start()


def _serve(
    laptop: socket.socket, context: ssl.SSLContext, count: Count, target: int, folder: Path
) -> None:
    with laptop, contextlib.suppress(OSError):  # a line that breaks is what is measured
        laptop.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Line(laptop, context, count).serve(target, folder / f"{count.number}.up")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
