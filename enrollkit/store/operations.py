"""What has to be told to the server: appended in the transaction that makes it so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import schemas
from enrollkit.store.clocks import reading_due
from enrollkit.store.database import Tx
from enrollkit.store.events import NOBODY
from sync import capture, wire
from sync.errors import TooLarge
from sync.protocol import BODY_SHAPES, LIMITS, Operation, OperationKind

__all__ = [
    "ENROLLMENT_KINDS",
    "LINK_KINDS",
    "OPERATION_COLUMNS",
    "append_operation",
    "operations_of",
    "queue_capture_session",
    "read_operation",
]

ENROLLMENT_KINDS: Final = frozenset({
    OperationKind.ENROLLMENT_SUBMIT, OperationKind.ENROLLMENT_AMEND,
    OperationKind.ENROLLMENT_WITHDRAW,
})  # fmt: skip
LINK_KINDS: Final = frozenset({OperationKind.LINK_ADD, OperationKind.LINK_REMOVE})

_ENVELOPE_BYTES: Final = 6 * 1024
"""Header, encapsulated key, signature and tags of a batch, and room to spare."""

_NO_RECORD: Final = "0" * 32
"""A reading of the clocks is about no record."""

OPERATION_COLUMNS: Final = "seq, record, kind, base_version, body, payload, operator, captured"
"""What :func:`read_operation` reads, in its order."""


def append_operation(
    tx: Tx,
    *,
    kind: OperationKind,
    record: str,
    base_version: int,
    body: Mapping[str, Any],
    payload: bytes | None,
    operator: int,
    captured: int,
) -> int:
    """Put one operation into the outbox and give its seq; it is now the record's newest.

    A reading of the clocks goes before it when one is due (:mod:`enrollkit.store.clocks`).
    ``TooLarge`` for one that could never travel: it must not be saved, for nothing may block the
    queue. ``ValueError`` for a body that its schema refuses; the message names pointers only.
    """
    _check(kind, body, payload)
    _append_reading(tx)
    values = (record, kind.value, base_version, _text(body), payload, operator, captured)
    seq = _insert(tx, values)
    if kind in ENROLLMENT_KINDS:
        tx.execute("UPDATE enrollments SET newest_seq = ? WHERE id = ?", (seq, record))
    elif kind in LINK_KINDS:
        tx.execute("UPDATE links SET newest_seq = ? WHERE id = ?", (seq, record))
    return seq


def queue_capture_session(tx: Tx, sealed_key: bytes, *, operator: int, at: int) -> None:
    """Put a capture session's sealed key into the outbox, once, before its first number."""
    session = capture.session_id(sealed_key)
    if tx.execute("SELECT 1 FROM capture_sessions WHERE id = ?", (session,)).fetchone():
        return
    seq = append_operation(
        tx,
        kind=OperationKind.BLOB_CHUNK,
        record=capture.record_of(sealed_key),
        base_version=0,
        body=capture.chunk_body(sealed_key),
        payload=sealed_key,
        operator=operator,
        captured=at,
    )
    tx.execute(
        "INSERT INTO capture_sessions (id, sealed_key, since, seq) VALUES (?, ?, ?, ?)",
        (session, sealed_key, at, seq),
    )


def operations_of(tx: Tx, record: str) -> list[Operation]:
    """Give a record's operations, oldest first."""
    query = f"SELECT {OPERATION_COLUMNS} FROM operations WHERE record = ? ORDER BY seq"  # noqa: S608 - the columns are ours
    rows = tx.execute(query, (record,))
    return [read_operation(row) for row in rows.fetchall()]


def read_operation(row: Any) -> Operation:
    """Read a row of :data:`OPERATION_COLUMNS`."""
    seq, record, kind, base_version, body, payload, operator, captured = row
    return Operation(
        seq=seq,
        record=record,
        kind=kind,
        base_version=base_version,
        body=json.loads(body),
        payload=payload,
        operator=operator,
        captured=captured,
    )


def _append_reading(tx: Tx) -> None:
    """Say what the clocks show, if the server could not tell it from the last reading."""
    reading = None if tx.clock is None else reading_due(tx, tx.clock)
    if reading is None:
        return
    kind = OperationKind.CLOCK_READING
    _check(kind, reading, None)
    _insert(tx, (_NO_RECORD, kind.value, 0, _text(reading), None, NOBODY, reading["wall"]))


def _insert(tx: Tx, values: tuple[Any, ...]) -> int:
    cursor = tx.execute(
        "INSERT INTO operations (record, kind, base_version, body, payload, operator, captured) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    return int(cursor.lastrowid or 0)


def _text(body: Mapping[str, Any]) -> str:
    return json.dumps(dict(body), ensure_ascii=False, separators=(",", ":"))


def _check(kind: OperationKind, body: Mapping[str, Any], payload: bytes | None) -> None:
    shape = BODY_SHAPES.get(kind)
    faults = schemas.validator(shape).faults(dict(body)) if shape else []
    if faults:
        places = ", ".join(f"{fault.pointer} {fault.code}" for fault in faults)
        raise ValueError(f"{kind.value}: {places}")
    size = len(wire.encode(dict(body)))
    extra = len(payload or b"")
    if size > LIMITS.body_bytes_max or extra > LIMITS.payload_bytes_max:
        raise TooLarge(f"{kind.value}: {size} and {extra} bytes")
    if size + extra > LIMITS.blob_batch_bytes_max - _ENVELOPE_BYTES:
        raise TooLarge(f"{kind.value}: {size + extra} bytes")
