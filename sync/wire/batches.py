"""Operations and the header of their batch as bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sync.dictionaries import compress, decompress
from sync.errors import EnvelopeInvalid, ProtocolMismatch
from sync.protocol import (
    LIMITS,
    MINIMUM_VERSION,
    PROTOCOL_VERSION,
    BatchHeader,
    Operation,
    OperationKind,
)
from sync.wire.cbor import decode, encode
from sync.wire.checks import byte_string, hexadecimal, integer, json_object, shaped

__all__ = ["decode_header", "decode_operations", "encode_header", "encode_operations"]

# Kinds travel as small integers; a kind without a number travels as its name. Numbers are for ever.
_KIND_NUMBER: Final[Mapping[str, int]] = {
    OperationKind.ENROLLMENT_SUBMIT: 1,
    OperationKind.ENROLLMENT_AMEND: 2,
    OperationKind.ENROLLMENT_WITHDRAW: 3,
    OperationKind.LINK_ADD: 4,
    OperationKind.LINK_REMOVE: 5,
    OperationKind.BLOB_CHUNK: 6,
    OperationKind.AUDIT_HEAD: 7,
    OperationKind.CLOCK_READING: 8,
}
_TIME_MAX: Final = 2**63 - 1
_KIND_NAME: Final = {number: str(kind) for kind, number in _KIND_NUMBER.items()}


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
    return shaped(lambda: tuple(_operations(rows, header.first_seq)))


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
    _check_version(shaped(lambda: integer(array[0])))

    def read() -> BatchHeader:
        version, incarnation, number, previous, first_seq, count, audit_head, key_id, used = array
        return BatchHeader(
            version=version,
            device=device,
            incarnation=hexadecimal(incarnation, 8),
            number=integer(number, least=1),
            previous=byte_string(previous, 32),
            first_seq=integer(first_seq, least=1),
            count=integer(count, least=1, most=LIMITS.operations_per_batch_max),
            audit_head=byte_string(audit_head, 32),
            key_id=hexadecimal(key_id, 8),
            dictionary=integer(used),
        )

    return shaped(read)


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
        record=hexadecimal(record, 16),
        kind=_kind(kind),
        base_version=integer(base_version),
        body=json_object(body),
        operator=integer(operator),
        captured=integer(base + integer(captured, least=-_TIME_MAX, most=_TIME_MAX)),
        payload=byte_string(payload[0], 0, LIMITS.payload_bytes_max) if payload else None,
    )


def _kind(value: Any) -> str:
    """Give the name of a kind; one that this version does not know is named as it was written."""
    if isinstance(value, str):
        return value
    number = integer(value, least=1)
    return _KIND_NAME.get(number, str(number))


def _check_version(version: int) -> None:
    if not MINIMUM_VERSION <= version <= PROTOCOL_VERSION:
        raise ProtocolMismatch(f"version {version}")
