"""Each message of the protocol, signed and, where it carries a person, sealed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from sync import wire
from sync.errors import EnvelopeInvalid, ReceiptInvalid, TooLarge
from sync.protocol import (
    LIMITS,
    BatchHeader,
    FeedPage,
    FeedRequest,
    Hello,
    HelloReply,
    Operation,
    Receipt,
    SealedBatch,
    ServerTime,
)
from sync.sealing.keys import OpeningKey, SealKey, SigningKey, VerifyKey
from sync.sealing.signed import context_of, open_signed, read_unverified, sign

__all__ = [
    "open_batch",
    "open_feed_page",
    "open_feed_request",
    "open_hello",
    "open_hello_reply",
    "open_receipt",
    "open_server_time",
    "read_batch_header",
    "seal_batch",
    "seal_feed_page",
    "sign_feed_request",
    "sign_hello",
    "sign_hello_reply",
    "sign_receipt",
    "sign_server_time",
]

_BATCH: Final = "batch"
_RECEIPT: Final = "receipt"
_HELLO: Final = "hello"
_HELLO_REPLY: Final = "hello-reply"
_FEED_REQUEST: Final = "feed-request"
_FEED_PAGE: Final = "feed-page"
_TIME: Final = "time"


def seal_batch(
    header: BatchHeader, operations: Sequence[Operation], key: SigningKey, ingest: SealKey
) -> SealedBatch:
    """Write, compress, seal to the server and sign a run of operations."""
    if (header.count, header.first_seq) != (len(operations), operations[0].seq):
        raise ValueError("header and operations differ")
    meaning = [_BATCH, *wire.encode_header(header)]
    sealed = ingest.seal(wire.encode_operations(operations), context_of(meaning, key.public.kid))
    data = sign(sealed, meaning, key)
    return SealedBatch(
        incarnation=header.incarnation,
        number=header.number,
        first_seq=header.first_seq,
        count=header.count,
        digest=hashlib.sha256(data).digest(),
        data=data,
    )


def read_batch_header(data: bytes) -> BatchHeader:
    """Read what a courier may read; nothing is verified yet."""
    if len(data) > LIMITS.blob_batch_bytes_max:
        raise TooLarge("batch")
    kid, meaning, _ = read_unverified(data)
    if meaning[0] != _BATCH:
        raise EnvelopeInvalid("not a batch")
    return wire.decode_header(meaning[1:], kid.hex())


def open_batch(
    data: bytes, key: VerifyKey, ingest: Mapping[str, OpeningKey]
) -> tuple[BatchHeader, tuple[Operation, ...]]:
    """Verify the device's signature, unseal with the ingest key the header names, and read."""
    header = read_batch_header(data)
    meaning, sealed = open_signed(data, _BATCH, key)
    opening = ingest.get(header.key_id)
    if opening is None:
        raise EnvelopeInvalid("unknown ingest key")
    plain = opening.open(sealed, context_of([_BATCH, *meaning], key.kid))
    return header, wire.decode_operations(plain, header)


def sign_receipt(receipt: Receipt, key: SigningKey) -> bytes:
    """Sign a receipt."""
    return sign(wire.encode_receipt(receipt), [_RECEIPT], key)


def open_receipt(data: bytes, key: VerifyKey) -> Receipt:
    """Read a receipt that the programme's server signed; ``ReceiptInvalid`` otherwise."""
    if len(data) > LIMITS.receipt_bytes_max:
        raise TooLarge("receipt")
    return wire.decode_receipt(_server_word(data, _RECEIPT, key))


def sign_hello(hello: Hello, key: SigningKey) -> bytes:
    """Sign a hello."""
    return sign(wire.encode_hello(hello), [_HELLO], key)


def open_hello(data: bytes, key: VerifyKey | None = None) -> Hello:
    """Read a hello. Without a known key the one inside must fit signature and device id."""
    if len(data) > LIMITS.hello_bytes_max:
        raise TooLarge("hello")
    hello = wire.decode_hello(read_unverified(data)[2])
    if key is None:
        if hello.public_key is None:
            raise EnvelopeInvalid("unknown device without its key")
        key = VerifyKey(hello.public_key)
    open_signed(data, _HELLO, key)
    if hello.device != key.id:
        raise EnvelopeInvalid("device and key differ")
    return hello


def sign_hello_reply(reply: HelloReply, key: SigningKey) -> bytes:
    """Sign a hello's answer."""
    return sign(wire.encode_hello_reply(reply), [_HELLO_REPLY], key)


def open_hello_reply(data: bytes, key: VerifyKey) -> HelloReply:
    """Read a hello's answer that the programme's server signed; ``ReceiptInvalid`` otherwise."""
    return wire.decode_hello_reply(_server_word(data, _HELLO_REPLY, key))


def sign_feed_request(request: FeedRequest, key: SigningKey) -> bytes:
    """Sign a request for news."""
    return sign(wire.encode_feed_request(request), [_FEED_REQUEST], key)


def open_feed_request(data: bytes, key: VerifyKey) -> FeedRequest:
    """Read a request for news that this device signed."""
    request = wire.decode_feed_request(open_signed(data, _FEED_REQUEST, key)[1])
    if request.device != key.id:
        raise EnvelopeInvalid("device and key differ")
    return request


def seal_feed_page(page: FeedPage, key: SigningKey, device: SealKey) -> bytes:
    """Seal a page of news to one device and sign it."""
    meaning = [_FEED_PAGE, bytes.fromhex(page.device), wire.CURRENT_DICTIONARY]
    sealed = device.seal(wire.encode_feed_page(page), context_of(meaning, key.public.kid))
    return sign(sealed, meaning, key)


def open_feed_page(data: bytes, key: VerifyKey, opening: OpeningKey) -> FeedPage:
    """Read a page that the programme's server sealed to this device."""
    if len(data) > LIMITS.feed_page_bytes_max:
        raise TooLarge("feed page")
    meaning, sealed = open_signed(data, _FEED_PAGE, key)
    plain = opening.open(sealed, context_of([_FEED_PAGE, *meaning], key.kid))
    if len(meaning) != 2 or not isinstance(meaning[1], int):  # noqa: PLR2004 - device, dictionary
        raise EnvelopeInvalid("feed page")
    page = wire.decode_feed_page(plain, meaning[1])
    if bytes.fromhex(page.device) != meaning[0]:
        raise EnvelopeInvalid("device of a feed page")
    return page


def sign_server_time(time: ServerTime, key: SigningKey) -> bytes:
    """Sign what the server's clock says."""
    return sign(wire.encode_server_time(time), [_TIME], key)


def open_server_time(data: bytes, key: VerifyKey) -> ServerTime:
    """Read what the programme's server signed of its clock; ``ReceiptInvalid`` otherwise."""
    if len(data) > LIMITS.hello_bytes_max:
        raise TooLarge("time")
    return wire.decode_server_time(_server_word(data, _TIME, key))


def _server_word(data: bytes, name: str, key: VerifyKey) -> bytes:
    try:
        return open_signed(data, name, key)[1]
    except EnvelopeInvalid as error:
        raise ReceiptInvalid(error.detail) from error
