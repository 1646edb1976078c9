"""Counts, from what reached the server, which bytes of which batches came more than once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Recount", "pushed_bodies", "recount"]

_HEAD_END: Final = b"\r\n\r\n"
_BYTE_STRING: Final = 2
_LENGTH_BYTES: Final = {24: 1, 25: 2, 26: 4}
_NONCE_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Recount:
    """What came of all pushes of a run, over all connections."""

    batches: int
    """Different batches that came whole."""
    bytes: int
    """Bytes of batches, each counted as often as it came."""
    again_bytes: int
    """Of those, what had come before."""
    again_whole: int
    """Batches that came whole more than once."""
    partial: int
    """Batches that broke off."""
    partial_bytes_max: int


def recount(streams: Sequence[bytes]) -> Recount:
    """Compare the pushes in what each connection said, in the order of the connections."""
    pieces = [
        piece for stream in streams for body in pushed_bodies(stream) for piece in _items(body)
    ]
    whole = [data for data, is_whole in pieces if is_whole]
    partial = [data for data, is_whole in pieces if not is_whole and data]
    distinct = set(whole)
    # A batch that broke off and never came whole was at least worth its longest piece.
    lost = [data for data in partial if not any(each.startswith(data) for each in distinct)]
    total = sum(len(data) for data, _ in pieces)
    once = sum(map(len, distinct)) + max(map(len, lost), default=0)
    return Recount(
        batches=len(distinct),
        bytes=total,
        again_bytes=total - once,
        again_whole=len(whole) - len(distinct),
        partial=len(partial),
        partial_bytes_max=max(map(len, partial), default=0),
    )


def pushed_bodies(stream: bytes) -> Iterator[bytes]:
    """Give the body of every ``POST …/v1/batches`` on one connection, as far as it came."""
    while _HEAD_END in stream:
        head, _, rest = stream.partition(_HEAD_END)
        fields = head.lower()
        if b"transfer-encoding: chunked" in fields:
            body, stream = _dechunk(rest)
        else:
            length = _content_length(fields)
            body, stream = rest[:length], rest[length:]
        if head.startswith(b"POST ") and b"/v1/batches " in head.partition(b"\r\n")[0]:
            yield body


def _dechunk(rest: bytes) -> tuple[bytes, bytes]:
    body = bytearray()
    while b"\r\n" in rest:
        size, _, after = rest.partition(b"\r\n")
        length = int(size, 16)
        body += after[:length]
        rest = after[length + 2 :]
        if length == 0:
            return bytes(body), rest
    return bytes(body), b""


def _content_length(fields: bytes) -> int:
    _, found, rest = fields.partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


def _items(body: bytes) -> Iterator[tuple[bytes, bool]]:
    """Give each batch of a push with whether it came whole; the nonce is passed over."""
    is_first = True
    while body:
        length, start = _measure(body)
        data = body[start : start + length]
        if not is_first:
            yield data, len(data) == length
        is_first = False
        body = body[start + length :]


def _measure(body: bytes) -> tuple[int, int]:
    """Read a CBOR byte string's head (RFC 8949, 3.1): its length and where it starts."""
    kind, short = body[0] >> 5, body[0] & 31
    if kind != _BYTE_STRING:
        raise ValueError("not a sequence of byte strings")
    if short < min(_LENGTH_BYTES):
        return short, 1
    size = _LENGTH_BYTES[short]
    return int.from_bytes(body[1 : 1 + size], "big"), 1 + size
