"""Receipts, hellos and news as bytes."""

from __future__ import annotations

from typing import Any, Final

from sync.dictionaries import compress, decompress
from sync.errors import TooLarge
from sync.protocol import (
    LIMITS,
    PROTOCOL_VERSION,
    DeviceState,
    FeedEntry,
    FeedPage,
    FeedRequest,
    Hello,
    HelloReply,
    Outcome,
    Receipt,
    ServerTime,
    Verdict,
)
from sync.wire.cbor import decode, encode
from sync.wire.checks import (
    array_of,
    byte_string,
    hexadecimal,
    integer,
    json_object,
    shaped,
    text,
)

__all__ = [
    "decode_feed_page",
    "decode_feed_request",
    "decode_hello",
    "decode_hello_reply",
    "decode_receipt",
    "decode_server_time",
    "encode_feed_page",
    "encode_feed_request",
    "encode_hello",
    "encode_hello_reply",
    "encode_receipt",
    "encode_server_time",
]

_OUTCOMES: Final = (Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.HELD, Outcome.REJECTED)
_STATES: Final = (DeviceState.PENDING, DeviceState.APPROVED, DeviceState.REVOKED)


def encode_receipt(receipt: Receipt) -> bytes:
    """Write a receipt; accepted verdicts cost one byte each."""
    return encode([
        bytes.fromhex(receipt.epoch),
        bytes.fromhex(receipt.device),
        bytes.fromhex(receipt.incarnation),
        receipt.batch,
        receipt.digest,
        [_verdict_item(verdict) for verdict in receipt.verdicts],
        receipt.durable_upto,
        receipt.server_time,
        receipt.nonce,
    ])  # fmt: skip


def decode_receipt(data: bytes) -> Receipt:
    """Read a receipt."""
    array = decode(data)

    def read() -> Receipt:
        epoch, device, incarnation, batch, digest, verdicts, durable, server_time, nonce = array
        return Receipt(
            epoch=hexadecimal(epoch, 8),
            device=hexadecimal(device, 8),
            incarnation=hexadecimal(incarnation, 8),
            batch=integer(batch, least=1),
            digest=byte_string(digest, 32),
            verdicts=tuple(_verdict(item) for item in array_of(verdicts)),
            durable_upto=integer(durable),
            server_time=integer(server_time),
            nonce=byte_string(nonce, 0, 16),
        )

    return shaped(read)


def encode_hello(hello: Hello) -> bytes:
    """Write a hello."""
    return encode([
        hello.version,
        bytes.fromhex(hello.device),
        bytes.fromhex(hello.incarnation),
        hello.last_batch,
        hello.last_digest,
        hello.receipted_upto,
        hello.cursor,
        hello.programme_serial,
        hello.time,
        hello.boot,
        hello.monotonic,
        hello.nonce,
        hello.public_key,
        hello.seal_key,
    ])  # fmt: skip


def decode_hello(data: bytes) -> Hello:
    """Read a hello of any version; whether to serve it is the server's to say."""
    array = decode(data)

    def read() -> Hello:
        (
            version,
            device,
            incarnation,
            last,
            digest,
            upto,
            cursor,
            serial,
            time,
            boot,
            monotonic,
            nonce,
            public,
            seal,
        ) = _known(array, 14)
        return Hello(
            version=integer(version, least=1),
            device=hexadecimal(device, 8),
            incarnation=hexadecimal(incarnation, 8),
            last_batch=integer(last),
            last_digest=byte_string(digest, 32),
            receipted_upto=integer(upto),
            cursor=integer(cursor),
            programme_serial=integer(serial),
            time=integer(time),
            boot=byte_string(boot, 8),
            monotonic=integer(monotonic),
            nonce=byte_string(nonce, 16),
            public_key=None if public is None else byte_string(public, 32),
            seal_key=None if seal is None else byte_string(seal, 1216),
        )

    return shaped(read)


def encode_hello_reply(reply: HelloReply) -> bytes:
    """Write a hello's answer."""
    return encode([
        reply.version,
        reply.minimum_version,
        _STATES.index(reply.state),
        bytes.fromhex(reply.epoch),
        bytes.fromhex(reply.device),
        bytes.fromhex(reply.incarnation),
        reply.held_upto,
        reply.held_digest,
        reply.durable_upto,
        reply.feed_head,
        reply.feed_digest,
        reply.programme_serial,
        reply.server_time,
        reply.nonce,
    ])  # fmt: skip


def decode_hello_reply(data: bytes) -> HelloReply:
    """Read a hello's answer."""
    array = decode(data)

    def read() -> HelloReply:
        (
            version,
            least,
            state,
            epoch,
            device,
            incarnation,
            held,
            digest,
            durable,
            head,
            feed_digest,
            serial,
            time,
            nonce,
        ) = _known(array, 14)
        return HelloReply(
            version=integer(version, least=1),
            minimum_version=integer(least, least=1),
            state=_STATES[integer(state, most=len(_STATES) - 1)],
            epoch=hexadecimal(epoch, 8),
            device=hexadecimal(device, 8),
            incarnation=hexadecimal(incarnation, 8),
            held_upto=integer(held),
            held_digest=byte_string(digest, 32),
            durable_upto=integer(durable),
            feed_head=integer(head),
            feed_digest=byte_string(feed_digest, 32),
            programme_serial=integer(serial),
            server_time=integer(time),
            nonce=byte_string(nonce, 16),
        )

    return shaped(read)


def encode_feed_request(request: FeedRequest) -> bytes:
    """Write a request for news."""
    return encode([bytes.fromhex(request.device), request.after, request.time, request.nonce])


def decode_feed_request(data: bytes) -> FeedRequest:
    """Read a request for news."""
    array = decode(data)

    def read() -> FeedRequest:
        device, after, time, nonce = array
        return FeedRequest(
            device=hexadecimal(device, 8),
            after=integer(after),
            time=integer(time),
            nonce=byte_string(nonce, 16),
        )

    return shaped(read)


def encode_feed_page(page: FeedPage) -> bytes:
    """Write a page of news, compressed; entries follow ``after`` without gaps."""
    rows = [
        [
            bytes.fromhex(entry.id),
            entry.kind,
            entry.at,
            entry.record and bytes.fromhex(entry.record),
            dict(entry.body),
        ]
        for entry in page.entries
    ]
    return compress(encode([bytes.fromhex(page.device), page.after, page.head, rows, page.nonce]))


def decode_feed_page(data: bytes, dictionary: int) -> FeedPage:
    """Read a page of news."""
    array = decode(decompress(data, dictionary, bytes_max=LIMITS.feed_page_bytes_max))

    def read() -> FeedPage:
        device, after, head, rows, nonce = array
        if len(array_of(rows)) > LIMITS.feed_entries_per_page_max:
            raise TooLarge("entries of a page")
        return FeedPage(
            device=hexadecimal(device, 8),
            after=integer(after),
            head=integer(head),
            entries=tuple(
                FeedEntry(
                    seq=after + place,
                    id=hexadecimal(entry_id, 8),
                    kind=text(kind),
                    at=integer(at),
                    record=None if record is None else hexadecimal(record, 16),
                    body=json_object(body),
                )
                for place, (entry_id, kind, at, record, body) in enumerate(rows, start=1)
            ),
            nonce=byte_string(nonce, 16),
        )

    return shaped(read)


def encode_server_time(time: ServerTime) -> bytes:
    """Write what the server's clock says."""
    return encode([time.server_time, time.nonce])


def decode_server_time(data: bytes) -> ServerTime:
    """Read what the server's clock says."""
    array = decode(data)

    def read() -> ServerTime:
        server_time, nonce = array
        return ServerTime(server_time=integer(server_time), nonce=byte_string(nonce, 16))

    return shaped(read)


def _known(array: Any, length: int) -> Any:
    """Give the part of a hello or its answer that this version knows; a later one may add to it."""
    is_later = integer(array[0]) > PROTOCOL_VERSION
    return array[:length] if is_later else array


def _verdict_item(verdict: Verdict) -> Any:
    number = _OUTCOMES.index(verdict.outcome)
    if verdict.code or verdict.pointer:
        return [number, verdict.code, verdict.pointer]
    return number


def _verdict(item: Any) -> Verdict:
    if isinstance(item, list):
        number, code, pointer = item
        return Verdict(outcome=_OUTCOMES[integer(number)], code=text(code), pointer=text(pointer))
    return Verdict(outcome=_OUTCOMES[integer(item)])
