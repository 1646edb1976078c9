"""What HTTP/1.1 messages weigh on the wire: the same count as the network's, TLS aside."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["answer_head_bytes", "chunk_frame_bytes", "request_head_bytes"]


def request_head_bytes(method: str, target: bytes, fields: Iterable[tuple[bytes, bytes]]) -> int:
    """Give the bytes of a request's line and fields, up to the empty line."""
    return len(method) + len(target) + len("  HTTP/1.1\r\n") + _fields_bytes(fields)


def answer_head_bytes(status: int, reason: str, fields: Iterable[tuple[bytes, bytes]]) -> int:
    """Give the bytes of an answer's line and fields, up to the empty line."""
    return len(f"HTTP/1.1 {status} {reason}\r\n") + _fields_bytes(fields)


def chunk_frame_bytes(size: int) -> int:
    """Give what one chunk of a body costs beside its content (RFC 9112, 7.1)."""
    return len(f"{size:x}\r\n\r\n")


def _fields_bytes(fields: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + len(": \r\n") for name, value in fields) + len("\r\n")
