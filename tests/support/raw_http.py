"""HTTP by hand, for what a well-behaved client never does: half a head, HTTP/1.0, a lost answer."""

from __future__ import annotations

import socket
import struct

__all__ = ["Answer", "begin", "cut_off", "post_head", "read_answer", "talk"]


class Answer:
    """What came back: status, head fields in lower case, and the body without its framing."""

    def __init__(self, raw: bytes) -> None:
        head, _, rest = raw.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        self.version, status, _phrase = line.split(" ", 2)
        self.status = int(status)
        pairs = (field.partition(":") for field in fields)
        self.fields = {name.lower(): value.strip() for name, _, value in pairs}
        is_chunked = self.fields.get("transfer-encoding") == "chunked"
        self.body = _without_chunks(rest) if is_chunked else rest


def post_head(path: str, length: int | None, *extra: str, version: str = "1.1") -> bytes:
    """Write a request's head; a length of ``None`` means that chunks follow."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [f"POST {path} HTTP/{version}", "Host: office", framing, *extra]
    return "\r\n".join([*lines, "", ""]).encode()


def begin(port: int, data: bytes = b"") -> socket.socket:
    """Connect and send some bytes; nothing is read."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    if data:
        connection.sendall(data)
    return connection


def talk(port: int, data: bytes) -> Answer:
    """Send a whole request that asks to be hung up on, and read until the other end has done so."""
    with begin(port, data) as connection:
        return read_answer(connection)


def read_answer(connection: socket.socket) -> Answer:
    """Read until the other end hangs up."""
    held = bytearray()
    while piece := connection.recv(65_536):
        held += piece
    return Answer(bytes(held))


def cut_off(connection: socket.socket) -> None:
    """Hang up at once with a reset, as a phone does that lost its cell."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _without_chunks(rest: bytes) -> bytes:
    body = bytearray()
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        body += rest[:length]
        rest = rest[length + 2 :]
    return bytes(body)
