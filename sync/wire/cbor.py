"""Canonical CBOR, COSE_Sign1 taken apart, and RFC 8742 sequences read as they arrive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import cbor2

from sync.errors import EnvelopeInvalid, TooLarge
from sync.wire.guard import demand_harmless

__all__ = ["SequenceReader", "decode", "decode_sign1", "encode", "encode_sequence"]

ITEMS_MAX: Final = 200_000
"""A thousand operations of sixty values each, and room to spare."""

_TAG_SIGN1: Final = b"\xd2"


def encode(value: Any) -> bytes:
    """Write canonical CBOR (RFC 8949, 4.2.1): one value has one form."""
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes) -> Any:
    """Read exactly one CBOR item without tags, and nothing after it.

    The guard looks first: the decoder would follow standard tags by itself, and a shared reference
    (tags 28 and 29) makes an object that holds itself.
    """
    try:
        demand_harmless(data, items_max=ITEMS_MAX)
        return cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError, TypeError) as error:
        raise EnvelopeInvalid("not CBOR") from error


def decode_sign1(data: bytes) -> tuple[bytes, Mapping[Any, Any], bytes, bytes]:
    """Take a COSE_Sign1 (RFC 9052, 4.2; tag 18) apart: protected, unprotected, payload, signature.

    Nothing is verified.
    """
    if data[:1] != _TAG_SIGN1:
        raise EnvelopeInvalid("not a COSE_Sign1")
    parts = decode(data[1:])
    if not isinstance(parts, list) or [type(part) for part in parts] != [bytes, dict, bytes, bytes]:
        raise EnvelopeInvalid("not a COSE_Sign1")
    return parts[0], parts[1], parts[2], parts[3]


def encode_sequence(items: Iterable[bytes]) -> Iterator[bytes]:
    """Write a CBOR sequence (RFC 8742) of byte strings, one chunk for each."""
    for item in items:
        yield encode(item)


class SequenceReader:
    """Reads a CBOR sequence of byte strings as its bytes arrive, in pieces of any size.

    ``item_bytes_max`` bounds one item before its bytes are there: a length that promises more is
    ``TooLarge``; anything that is not a byte string is ``EnvelopeInvalid``.
    """

    def __init__(self, *, item_bytes_max: int) -> None:
        self._item_bytes_max = item_bytes_max
        self._held = bytearray()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Take a piece; give every item that is whole now."""
        self._held += piece
        while (head := self._head()) is not None:
            start, length = head
            if len(self._held) < start + length:
                return
            item = bytes(self._held[start : start + length])
            del self._held[: start + length]
            yield item

    @property
    def is_between_items(self) -> bool:
        """Whether no item is cut short here."""
        return not self._held

    def _head(self) -> tuple[int, int] | None:
        """Give where the next item's content starts and how long it is, once that is known."""
        if not self._held:
            return None
        major, info = self._held[0] >> 5, self._held[0] & 31
        if major != 2 or info > 27:  # noqa: PLR2004 - RFC 8949, 3: byte string, definite length
            raise EnvelopeInvalid("not a sequence of byte strings")
        extra = 0 if info < 24 else 1 << (info - 24)  # noqa: PLR2004 - RFC 8949, 3
        if len(self._held) < 1 + extra:
            return None
        length = int.from_bytes(self._held[1 : 1 + extra], "big") if extra else info
        if length > self._item_bytes_max:
            raise TooLarge("item of a sequence")
        return 1 + extra, length
