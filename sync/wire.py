"""Protocol types as bytes: canonical CBOR, a trained zstd dictionary, RFC 8742 sequences.

Nothing here signs or seals; :mod:`sync.sealing` does. Everything that reads is bounded, and says
``EnvelopeInvalid`` or ``TooLarge`` instead of leaking an error of a parser. The layouts are
written out in docs/PROTOCOL.md.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import cbor2

from sync.dictionaries import CURRENT as CURRENT_DICTIONARY
from sync.dictionaries import compress, decompress
from sync.errors import EnvelopeInvalid, ProtocolMismatch, TooLarge
from sync.protocol import (
    LIMITS,
    MINIMUM_VERSION,
    PROTOCOL_VERSION,
    BatchHeader,
    DeviceState,
    FeedEntry,
    FeedPage,
    FeedRequest,
    Hello,
    HelloReply,
    Operation,
    OperationKind,
    Outcome,
    Receipt,
    Verdict,
)

__all__ = [
    "CURRENT_DICTIONARY",
    "SequenceReader",
    "decode",
    "decode_feed_page",
    "decode_feed_request",
    "decode_header",
    "decode_hello",
    "decode_hello_reply",
    "decode_operations",
    "decode_receipt",
    "decode_sign1",
    "encode",
    "encode_feed_page",
    "encode_feed_request",
    "encode_header",
    "encode_hello",
    "encode_hello_reply",
    "encode_operations",
    "encode_receipt",
    "encode_sequence",
]

_T = TypeVar("_T")

# Kinds travel as small integers; a kind without a number travels as its name. Numbers are for ever.
_KIND_NUMBER: Final[Mapping[str, int]] = {
    OperationKind.ENROLLMENT_SUBMIT: 1,
    OperationKind.ENROLLMENT_AMEND: 2,
    OperationKind.ENROLLMENT_WITHDRAW: 3,
    OperationKind.LINK_ADD: 4,
    OperationKind.LINK_REMOVE: 5,
    OperationKind.BLOB_CHUNK: 6,
    OperationKind.AUDIT_HEAD: 7,
}
_KIND_NAME: Final = {number: str(kind) for kind, number in _KIND_NUMBER.items()}
_TAG_SIGN1: Final = b"\xd2"
_OUTCOMES: Final = (Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.HELD, Outcome.REJECTED)
_STATES: Final = (DeviceState.PENDING, DeviceState.APPROVED, DeviceState.REVOKED)


def encode(value: Any) -> bytes:
    """Write canonical CBOR (RFC 8949, 4.2.1): one value has one form."""
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes) -> Any:
    """Read exactly one CBOR item and nothing after it."""
    stream = io.BytesIO(data)
    try:
        value = cbor2.CBORDecoder(stream, tag_hook=_refuse_tag).decode()
    except (cbor2.CBORDecodeError, RecursionError, ValueError, MemoryError) as error:
        raise EnvelopeInvalid("not CBOR") from error
    if stream.tell() != len(data):
        raise EnvelopeInvalid("bytes after the CBOR item")
    return value


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


def encode_operations(operations: Sequence[Operation]) -> bytes:
    """Write a run of operations, compressed. Their seq numbers must follow one another."""
    first = operations[0].seq
    assert [op.seq for op in operations] == list(range(first, first + len(operations)))  # noqa: S101 - the id of an operation follows from its place
    base = operations[0].captured
    rows = [_operation_row(op, base if place else 0) for place, op in enumerate(operations)]
    return compress(encode(rows))


def decode_operations(data: bytes, header: BatchHeader) -> tuple[Operation, ...]:
    """Read what :func:`encode_operations` wrote; the header gives dictionary, seq and count."""
    plain = decompress(data, header.dictionary, bytes_max=LIMITS.plain_batch_bytes_max)
    rows = decode(plain)
    if not isinstance(rows, list) or len(rows) != header.count:
        raise EnvelopeInvalid("count of operations")
    return _shaped(lambda: tuple(_operations(rows, header.first_seq)))


def encode_header(header: BatchHeader) -> list[Any]:
    """Give the array that stands in the batch's protected header."""
    return [
        header.version,
        bytes.fromhex(header.incarnation),
        header.number,
        header.previous,
        header.first_seq,
        header.count,
        header.audit_head,
        bytes.fromhex(header.key_id),
        header.dictionary,
    ]


def decode_header(array: Any, device: str) -> BatchHeader:
    """Read the array; ``ProtocolMismatch`` for a version this code does not know."""
    _check_version(_shaped(lambda: _integer(array[0])))

    def read() -> BatchHeader:
        version, incarnation, number, previous, first_seq, count, audit_head, key_id, used = array
        return BatchHeader(
            version=version,
            device=device,
            incarnation=_hex(incarnation, 8),
            number=_integer(number, least=1),
            previous=_bytes(previous, 32),
            first_seq=_integer(first_seq, least=1),
            count=_integer(count, least=1, most=LIMITS.operations_per_batch_max),
            audit_head=_bytes(audit_head, 32),
            key_id=_hex(key_id, 8),
            dictionary=_integer(used),
        )

    return _shaped(read)


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
            epoch=_hex(epoch, 8),
            device=_hex(device, 8),
            incarnation=_hex(incarnation, 8),
            batch=_integer(batch, least=1),
            digest=_bytes(digest, 32),
            verdicts=tuple(_verdict(item) for item in verdicts),
            durable_upto=_integer(durable),
            server_time=_integer(server_time),
            nonce=_bytes(nonce, 0, 16),
        )

    return _shaped(read)


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
            nonce,
            public,
            seal,
        ) = array
        return Hello(
            version=_integer(version, least=1),
            device=_hex(device, 8),
            incarnation=_hex(incarnation, 8),
            last_batch=_integer(last),
            last_digest=_bytes(digest, 32),
            receipted_upto=_integer(upto),
            cursor=_integer(cursor),
            programme_serial=_integer(serial),
            time=_integer(time),
            nonce=_bytes(nonce, 16),
            public_key=None if public is None else _bytes(public, 32),
            seal_key=None if seal is None else _bytes(seal, 1216),
        )

    return _shaped(read)


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
            serial,
            time,
            nonce,
        ) = (  # fmt: skip
            array
        )
        return HelloReply(
            version=_integer(version, least=1),
            minimum_version=_integer(least, least=1),
            state=_STATES[_integer(state, most=len(_STATES) - 1)],
            epoch=_hex(epoch, 8),
            device=_hex(device, 8),
            incarnation=_hex(incarnation, 8),
            held_upto=_integer(held),
            held_digest=_bytes(digest, 32),
            durable_upto=_integer(durable),
            feed_head=_integer(head),
            programme_serial=_integer(serial),
            server_time=_integer(time),
            nonce=_bytes(nonce, 16),
        )

    return _shaped(read)


def encode_feed_request(request: FeedRequest) -> bytes:
    """Write a request for news."""
    return encode([bytes.fromhex(request.device), request.after, request.time, request.nonce])


def decode_feed_request(data: bytes) -> FeedRequest:
    """Read a request for news."""
    array = decode(data)

    def read() -> FeedRequest:
        device, after, time, nonce = array
        return FeedRequest(
            device=_hex(device, 8),
            after=_integer(after),
            time=_integer(time),
            nonce=_bytes(nonce, 16),
        )

    return _shaped(read)


def encode_feed_page(page: FeedPage) -> bytes:
    """Write a page of news, compressed; entries follow ``after`` without gaps."""
    rows = [
        [entry.kind, entry.at, entry.record and bytes.fromhex(entry.record), dict(entry.body)]
        for entry in page.entries
    ]
    return compress(encode([bytes.fromhex(page.device), page.after, page.head, rows, page.nonce]))


def decode_feed_page(data: bytes, dictionary: int) -> FeedPage:
    """Read a page of news."""
    array = decode(decompress(data, dictionary, bytes_max=LIMITS.feed_page_bytes_max))

    def read() -> FeedPage:
        device, after, head, rows, nonce = array
        if len(rows) > LIMITS.feed_entries_per_page_max:
            raise TooLarge("entries of a page")
        return FeedPage(
            device=_hex(device, 8),
            after=_integer(after),
            head=_integer(head),
            entries=tuple(
                FeedEntry(
                    seq=after + place,
                    kind=_text(kind),
                    at=_integer(at),
                    record=None if record is None else _hex(record, 16),
                    body=_object(body),
                )
                for place, (kind, at, record, body) in enumerate(rows, start=1)
            ),
            nonce=_bytes(nonce, 16),
        )

    return _shaped(read)


def _operation_row(operation: Operation, base: int) -> list[Any]:
    """Give one operation as an array; its time is the difference to ``base`` (may be negative)."""
    row: list[Any] = [
        _KIND_NUMBER.get(operation.kind, operation.kind),
        bytes.fromhex(operation.record),
        operation.base_version,
        operation.operator,
        operation.captured - base,
        dict(operation.body),
    ]
    return row if operation.payload is None else [*row, operation.payload]


def _operations(rows: list[Any], first_seq: int) -> Iterator[Operation]:
    base = 0
    for place, row in enumerate(rows):
        operation = _operation(row, first_seq + place, base)
        base = base if place else operation.captured
        yield operation


def _operation(row: Any, seq: int, base: int) -> Operation:
    kind, record, base_version, operator, captured, body, *payload = row
    if len(payload) > 1:
        raise EnvelopeInvalid("operation")
    return Operation(
        seq=seq,
        record=_hex(record, 16),
        kind=_KIND_NAME[kind] if isinstance(kind, int) and kind in _KIND_NAME else str(kind),
        base_version=_integer(base_version),
        body=_object(body),
        operator=_integer(operator),
        captured=_integer(base + captured),
        payload=_bytes(payload[0], 0, LIMITS.payload_bytes_max) if payload else None,
    )


def _verdict_item(verdict: Verdict) -> Any:
    number = _OUTCOMES.index(verdict.outcome)
    if verdict.code or verdict.pointer:
        return [number, verdict.code, verdict.pointer]
    return number


def _verdict(item: Any) -> Verdict:
    if isinstance(item, list):
        number, code, pointer = item
        return Verdict(
            outcome=_OUTCOMES[_integer(number)], code=_text(code), pointer=_text(pointer)
        )
    return Verdict(outcome=_OUTCOMES[_integer(item)])


def _check_version(version: int) -> None:
    if not MINIMUM_VERSION <= version <= PROTOCOL_VERSION:
        raise ProtocolMismatch(f"version {version}")


def _refuse_tag(_decoder: Any, _tag: Any) -> Any:
    raise EnvelopeInvalid("tag")


def _shaped(read: Callable[[], _T]) -> _T:
    """Turn every way in which a foreign array can be misshapen into ``EnvelopeInvalid``."""
    try:
        return read()
    except (TypeError, ValueError, IndexError, KeyError, AttributeError, OverflowError) as error:
        raise EnvelopeInvalid("shape") from error


def _integer(value: Any, *, least: int = 0, most: int = 2**63 - 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise EnvelopeInvalid("number")
    return value


def _bytes(value: Any, *sizes: int) -> bytes:
    """Check a byte string: one size is exact, two are either the empty or at most the second."""
    if not isinstance(value, bytes):
        raise EnvelopeInvalid("bytes")
    if len(value) != sizes[0] and not (len(sizes) > 1 and len(value) <= sizes[1]):
        raise EnvelopeInvalid("size")
    return value


def _hex(value: Any, size: int) -> str:
    return _bytes(value, size).hex()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise EnvelopeInvalid("text")
    return value


def _object(value: Any) -> dict[str, Any]:
    """Check that a body is what JSON can say: the schemas speak of nothing else."""
    if not isinstance(value, dict) or not _is_json(value):
        raise EnvelopeInvalid("body")
    return value


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(_is_json(inner) for inner in value)
    if isinstance(value, float):
        return value - value == 0  # neither infinite nor NaN
    return value is None or isinstance(value, str | int)
