"""The readers of plain messages: what is decoded is what would be written for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from unittest import mock

import fuzz_samples
from fuzz_target import ROAD, Target
from sync import wire
from sync.address import read_address
from sync.dictionaries import CURRENT, _dictionary, compress, decompress, zstd
from sync.engine.answers import CBOR_TYPE, SEQUENCE_TYPE, AnswerHead, is_answer, refusal
from sync.errors import AddressUnsafe, EnvelopeInvalid, SyncError, TooLarge
from sync.protocol import LIMITS, PROTOCOL_VERSION
from sync.wire.guard import demand_harmless
from sync_samples import header

__all__ = ["WIRE", "squeezed"]

_T = TypeVar("_T")
_ITEM_BYTES_MAX: Final = 4096
_HEADS: Final = ("application/cbor", "text/html", "application/cbor-seq; charset=x", "")


def squeezed(plain: bytes) -> bytes:
    """Compress in no time; :func:`sync.dictionaries.compress` takes its time to save bytes."""
    return bytes(zstd.compress(plain, level=1, zstd_dict=_dictionary(CURRENT)))


def _again(
    read: Callable[[bytes], _T], write: Callable[[_T], bytes], *, is_unique: bool
) -> Callable[[bytes], None]:
    """Read; then the value written is what was read, in its one form.

    Of a message of a later version, which may say more, only the value must stay. So it is with a
    receipt, in which a plain verdict can be written in two ways (``is_unique`` is false).
    """

    def run(data: bytes) -> None:
        value = read(data)
        written = write(value)
        assert read(written) == value
        if is_unique and getattr(value, "version", PROTOCOL_VERSION) <= PROTOCOL_VERSION:
            assert written == wire.encode(wire.decode(data))

    return run


def _cbor(data: bytes) -> None:
    written = wire.encode(wire.decode(data))
    assert wire.encode(wire.decode(written)) == written


def _sequence(data: bytes) -> None:
    """Items come out the same however the bytes are cut into pieces; the first byte says how."""
    step = 1 + data[0] % 17 if data else 1
    whole = _items([data[1:]])
    pieces = [data[at : at + step] for at in range(1, len(data), step)]
    assert _items(pieces) == whole


def _items(pieces: Sequence[bytes]) -> tuple[list[bytes], str, bool]:
    reader = wire.SequenceReader(item_bytes_max=_ITEM_BYTES_MAX)
    found: list[bytes] = []
    try:
        for piece in pieces:
            found.extend(reader.feed(piece))
    except (EnvelopeInvalid, TooLarge) as error:
        return [], error.code, False  # how many came before depends on the pieces
    return found, "", reader.is_between_items


def _header(data: bytes) -> None:
    head = wire.decode_header(wire.decode(data), "ab" * 8)
    assert wire.decode_header(wire.encode_header(head), "ab" * 8) == head


def _operations(data: bytes) -> None:
    """Read rows as a device with a valid key may have written them."""
    try:
        demand_harmless(data, items_max=LIMITS.plain_batch_bytes_max)
        rows = wire.decode(data)
        count = max(1, len(rows)) if isinstance(rows, list) else 1
    except (ValueError, EnvelopeInvalid):
        count = 1
    head = header(fuzz_samples.DEVICE.public, fuzz_samples.INGEST, count=count)
    found = wire.decode_operations(squeezed(data), head)
    assert [operation.seq for operation in found] == list(range(1, count + 1))
    with mock.patch("sync.wire.batches.compress", squeezed):
        assert wire.decode_operations(wire.encode_operations(found), head) == found
    assert all(type(row[0]) in {int, str} and type(row[4]) is int for row in wire.decode(data))


def _operations_frame(data: bytes) -> None:
    wire.decode_operations(data, header(fuzz_samples.DEVICE.public, fuzz_samples.INGEST))


def _feed_page(data: bytes) -> None:
    page = wire.decode_feed_page(squeezed(data), CURRENT)
    with mock.patch("sync.wire.answers.compress", squeezed):
        assert wire.decode_feed_page(wire.encode_feed_page(page), CURRENT) == page
    assert [entry.seq for entry in page.entries] == [
        page.after + place for place in range(1, len(page.entries) + 1)
    ]


def _decompress(data: bytes) -> None:
    number = data[0] if data else 0
    assert len(decompress(data[1:], number, bytes_max=_ITEM_BYTES_MAX)) <= _ITEM_BYTES_MAX


def _refusal(data: bytes) -> None:
    """Read an answer's head and body: two bytes of status, then lines, then the body."""
    lines = data[2:].split(b"\n", 4)
    texts = [line.decode("latin-1") for line in lines[:4]] + [""] * 4
    head = AnswerHead(
        status=int.from_bytes(data[:2], "big") % 1000,
        content_type=texts[0],
        content_encoding=texts[1],
        retry_after=texts[2],
        date=texts[3],
    )
    is_answer(head, CBOR_TYPE)
    is_answer(head, SEQUENCE_TYPE)
    error = refusal(head, lines[4] if len(lines) > 4 else b"")
    assert isinstance(error, SyncError)
    assert error.text
    wait = getattr(error, "retry_after_seconds", None)
    assert wait is None or 0 <= wait < 10**12


def _address(data: bytes) -> None:
    try:
        url = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return  # whoever asks has a text
    address = read_address(url)
    assert address.base.endswith("/")
    assert address.host


def _refusals() -> list[bytes]:
    bodies = [wire.encode({"code": code, "text": "Words."}) for code in ("busy", "device-revoked")]
    dates = (b"Sun, 22 Nov 2026 10:00:00 GMT", b"Sun, 22 Nov 2026 10:05:00 GMT")
    return [
        (503).to_bytes(2, "big") + b"application/cbor\n\n120\n" + dates[0] + b"\n" + bodies[0],
        (429).to_bytes(2, "big") + b"text/html\ngzip\n" + dates[1] + b"\n" + dates[0] + b"\n<html>",
        (403).to_bytes(2, "big") + b"application/cbor\n\n\n\n" + bodies[1],
    ]


def _sequences() -> list[bytes]:
    items = [b"", b"x", bytes(23), bytes(24), bytes(300)]
    return [bytes([step]) + b"".join(wire.encode_sequence(items)) for step in (0, 1, 16)]


def _plain(values: Sequence[Any], write: Callable[[Any], bytes]) -> Callable[[], list[bytes]]:
    return lambda: [write(value) for value in values]


def _pages() -> list[bytes]:
    return [
        decompress(wire.encode_feed_page(page), CURRENT, bytes_max=LIMITS.feed_page_bytes_max)
        for page in fuzz_samples.feed_pages()
    ]


def _plain_target(
    name: str, read: Callable[[bytes], Any], write: Callable[[Any], bytes], values: Sequence[Any]
) -> Target:
    return Target(
        name=name,
        run=_again(read, write, is_unique=name != "receipt"),
        samples=_plain(values, write),
        allowed=ROAD,
        form="cbor",
    )


WIRE: Final = (
    Target(name="cbor", run=_cbor, samples=fuzz_samples.operation_rows, allowed=ROAD, form="cbor"),
    Target(
        name="sign1", run=wire.decode_sign1, samples=lambda: list(fuzz_samples.batches()),
        allowed=ROAD,
    ),
    Target(name="sequence", run=_sequence, samples=_sequences, allowed=ROAD),
    Target(
        name="header",
        run=_header,
        samples=lambda: [
            wire.encode(wire.encode_header(header(fuzz_samples.DEVICE.public, fuzz_samples.INGEST)))
        ],
        allowed=ROAD,
        form="cbor",
    ),
    Target(
        name="operations", run=_operations, samples=fuzz_samples.operation_rows, allowed=ROAD,
        form="cbor",
    ),
    Target(
        name="operations-frame",
        run=_operations_frame,
        samples=lambda: [wire.encode_operations(fuzz_samples.operations()[:1])],
        allowed=ROAD,
    ),
    _plain_target("receipt", wire.decode_receipt, wire.encode_receipt, fuzz_samples.receipts()),
    _plain_target("hello", wire.decode_hello, wire.encode_hello, fuzz_samples.hellos()),
    _plain_target(
        "hello-reply", wire.decode_hello_reply, wire.encode_hello_reply,
        fuzz_samples.hello_replies(),
    ),
    _plain_target(
        "feed-request", wire.decode_feed_request, wire.encode_feed_request,
        fuzz_samples.feed_requests(),
    ),
    _plain_target(
        "finish-request", wire.decode_finish_request, wire.encode_finish_request,
        fuzz_samples.finish_requests(),
    ),
    _plain_target(
        "finish-answer", wire.decode_finish_answer, wire.encode_finish_answer,
        fuzz_samples.finish_answers(),
    ),
    _plain_target(
        "server-time", wire.decode_server_time, wire.encode_server_time,
        fuzz_samples.server_times(),
    ),
    Target(name="feed-page", run=_feed_page, samples=_pages, allowed=ROAD, form="cbor"),
    Target(
        name="decompress",
        run=_decompress,
        samples=lambda: [bytes([CURRENT]) + compress(bytes(300)), bytes([CURRENT]) + compress(b"")],
        allowed=ROAD,
    ),
    Target(name="refusal", run=_refusal, samples=_refusals),
    Target(
        name="address",
        run=_address,
        samples=lambda: [b"https://abha.example.in/kit", b"http://127.0.0.1:8000", b"http://[::1]/"],
        allowed=(AddressUnsafe,),
    ),
)  # fmt: skip
