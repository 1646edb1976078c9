"""A real TCP server on loopback that answers each request with bytes from a script."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_SECONDS_MAX = 10.0


def answer(
    body: bytes = b"",
    *,
    status: str = "200 OK",
    kind: str = "application/cbor-seq",
    length: int | None = None,
    **headers: str,
) -> bytes:
    """Give a whole HTTP answer; ``length`` lies about the body when given."""
    fields = {
        "Content-Type": kind,
        "Content-Length": str(len(body) if length is None else length),
        # It hangs up after each answer: a client that is told does not race against that.
        "Connection": "close",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


class ScriptedServer:
    """Answers the n-th connection with the n-th answer, after reading the whole request.

    ``None`` hangs up without a word. ``is_held`` keeps the line open after the answer until the
    server is closed, so that a client that waits for more must give up by itself.
    """

    def __init__(
        self,
        answers: Sequence[bytes | None],
        *,
        is_held: bool = False,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[bytes] = []
        self._answers = list(answers)
        self._is_held = is_held
        self._context = context
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_SECONDS_MAX)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop and wait for the thread."""
        self._closing.set()
        if self._thread.is_alive():
            # Wakes an accept that nobody will call any more.
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                pass
        self._thread.join(_SECONDS_MAX)
        self._listener.close()

    def _serve(self) -> None:
        for given in self._answers:
            try:
                line, _address = self._listener.accept()
            except OSError:
                return
            with line:
                line.settimeout(_SECONDS_MAX)
                if self._closing.is_set():
                    return
                try:
                    self._talk(line, given)
                except OSError:
                    continue  # the client hung up first: that is what some tests are about

    def _talk(self, line: socket.socket, given: bytes | None) -> None:
        if self._context is None:
            self._exchange(line, given)
            return
        with self._context.wrap_socket(line, server_side=True) as sealed:
            self._exchange(sealed, given)

    def _exchange(self, line: socket.socket, given: bytes | None) -> None:
        self.requests.append(_read_request(line))
        if given is not None:
            line.sendall(given)
        if self._is_held:
            self._closing.wait(_SECONDS_MAX)


@contextmanager
def serving(
    *answers: bytes | None, is_held: bool = False, context: ssl.SSLContext | None = None
) -> Iterator[ScriptedServer]:
    """Serve the answers while the block runs."""
    server = ScriptedServer(answers, is_held=is_held, context=context)
    try:
        yield server
    finally:
        server.close()


def _read_request(line: socket.socket) -> bytes:
    held = b""
    while b"\r\n\r\n" not in held:
        held += _some(line)
    head, _, body = held.partition(b"\r\n\r\n")
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        while not body.endswith(b"0\r\n\r\n"):
            body += _some(line)
    elif b"content-length:" in lower:
        wanted = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(body) < wanted:
            body += _some(line)
    return head + b"\r\n\r\n" + body


def _some(line: socket.socket) -> bytes:
    piece = line.recv(65536)
    if not piece:
        raise ConnectionResetError
    return piece
