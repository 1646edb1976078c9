"""Taking a batch in: one transaction, a verdict for every operation, a signed receipt.

The order is always the same: open and judge what needs no database; write everything in one
transaction in which UNIQUE constraints decide what is a repetition; sign after the commit. An
operation that cannot be taken steps aside and the rest goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.exc import DBAPIError, OperationalError

from sync import wire
from sync.errors import ChainForked, EnvelopeInvalid
from sync.protocol import (
    NO_DIGEST,
    BatchHeader,
    DeviceState,
    Operation,
    OperationKind,
    Outcome,
    Receipt,
    Verdict,
)
from sync.sealing import open_batch, read_batch_header, sign_receipt
from sync.server import blobs, links, people
from sync.server.arrival import Apply, Arrival, Decision, content_digest
from sync.server.devices import Device, find_device, note_contact
from sync.server.errors import HttpFault
from sync.server.held import keep_held, release
from sync.server.judging import ACCEPTED, DUPLICATE, held, judge
from sync.server.keys import ServerKeys
from sync.server.receipts import advance_chain, rebuild_receipt
from sync.server.store import Store, insert_once
from sync.server.store.tables import audit_heads, batches, chains, operations, repeats

__all__ = ["Intake", "Taken"]

_KIND_LETTERS_MAX: Final = 60
_QUARANTINE: Final = held("device:revoked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A batch that is committed: its receipt, in words and signed."""

    receipt: Receipt
    signed: bytes


class Intake:
    """Takes batches for one server. ``clock`` gives seconds since 1970 UTC."""

    def __init__(
        self, *, store: Store, keys: ServerKeys, epoch: str, clock: Callable[[], int]
    ) -> None:
        self._store = store
        self._keys = keys
        self._ingest = {keys.ingest.public.id: keys.ingest}
        self._epoch = epoch
        self._clock = clock

    def take(self, data: bytes, nonce: bytes) -> Taken:
        """Take one batch and give its receipt; the same batch again gives the same verdicts.

        ``HttpFault`` when the device is unknown or pending, ``EnvelopeInvalid``, ``TooLarge`` or
        ``ProtocolMismatch`` when the batch does not open, ``ChainForked`` when another batch has
        its place. Nothing is stored in any of these cases.
        """
        claimed = read_batch_header(data)
        with self._store.read() as connection:
            device = _admit(find_device(connection, claimed.device))
        header, run = open_batch(data, device.key, self._ingest)
        judged = [judge(operation) for operation in run]
        now = self._clock()
        with self._store.write() as connection:
            device = _admit(find_device(connection, claimed.device))
            batch, is_new = _insert_batch(connection, header, hashlib.sha256(data).digest(), now)
            if is_new:
                revoked = device.state is DeviceState.REVOKED
                for arrival, verdict in zip(_arrivals(header, run, now), judged, strict=True):
                    _take_one(connection, arrival, _QUARANTINE if revoked else verdict)
                advance_chain(connection, header.device, header.incarnation)
            note_contact(connection, header.device, now=now)
            receipt = rebuild_receipt(connection, batch, epoch=self._epoch, nonce=nonce, now=now)
        return Taken(receipt=receipt, signed=sign_receipt(receipt, self._keys.signing))


def _arrivals(header: BatchHeader, run: tuple[Operation, ...], now: int) -> Iterator[Arrival]:
    for operation in run:
        yield Arrival(
            device=header.device,
            incarnation=header.incarnation,
            batch=header.number,
            at=now,
            operation=operation,
        )


def _admit(device: Device | None) -> Device:
    if device is None:
        raise HttpFault("device-unknown")
    if device.state is DeviceState.PENDING:
        raise HttpFault("device-pending")
    return device


def _insert_batch(
    connection: Connection, header: BatchHeader, digest: bytes, now: int
) -> tuple[Row[Any], bool]:
    """Put the batch in its place; ``ChainForked`` when the place, before or after, is another's."""
    life = {"device": header.device, "incarnation": header.incarnation}
    empty = {"held_upto": 0, "held_digest": NO_DIGEST, "durable_upto": 0}
    insert_once(connection, chains, {**life, **empty})
    row = {
        **life,
        "number": header.number,
        "digest": digest,
        "previous": header.previous,
        "first_seq": header.first_seq,
        "operation_count": header.count,
        "audit_head": header.audit_head,
        "received_at": now,
    }
    is_new = insert_once(connection, batches, row)
    around = select(batches).where(
        batches.c.device == header.device,
        batches.c.incarnation == header.incarnation,
        batches.c.number.between(header.number - 1, header.number + 1),
    )
    near = {found.number: found for found in connection.execute(around)}
    if near[header.number].digest != digest:
        raise ChainForked("number")
    _check_neighbours(header, digest, near)
    return near[header.number], is_new


def _check_neighbours(header: BatchHeader, digest: bytes, near: Mapping[int, Row[Any]]) -> None:
    before, after = near.get(header.number - 1), near.get(header.number + 1)
    if header.number == 1 and header.previous != NO_DIGEST:
        raise EnvelopeInvalid("first batch")
    if before is not None and before.digest != header.previous:
        raise ChainForked("previous")
    if after is not None and after.previous != digest:
        raise ChainForked("next")


def _take_one(connection: Connection, arrival: Arrival, verdict: Verdict | None) -> None:
    """Decide one operation and write down the decision."""
    if not _insert_operation(connection, arrival):
        _insert_repeat(connection, arrival)
        return
    decision = Decision(verdict=verdict) if verdict else _apply_apart(connection, arrival)
    _write_decision(connection, arrival, decision)
    if decision.verdict.outcome is Outcome.ACCEPTED:
        release(connection, arrival.operation.record, at=arrival.at, apply=_apply_apart)


def _insert_operation(connection: Connection, arrival: Arrival) -> bool:
    operation = arrival.operation
    row = {
        "device": arrival.device,
        "incarnation": arrival.incarnation,
        "seq": operation.seq,
        "batch": arrival.batch,
        "digest": content_digest(operation),
        "kind": operation.kind[:_KIND_LETTERS_MAX],
        "record": operation.record,
        "operator": operation.operator,
        "captured": operation.captured,
        "outcome": Outcome.HELD.value,
        "code": "",
        "pointer": "",
    }
    return insert_once(connection, operations, row)


def _insert_repeat(connection: Connection, arrival: Arrival) -> None:
    """Answer an operation that another batch brought before; other content under its id is held."""
    seen = select(operations.c.digest).where(
        operations.c.device == arrival.device,
        operations.c.incarnation == arrival.incarnation,
        operations.c.seq == arrival.operation.seq,
    )
    same = connection.execute(seen).scalar_one() == content_digest(arrival.operation)
    verdict = DUPLICATE if same else held("operation:differs")
    if not same:
        keep_held(connection, arrival, waits_for=None)
    connection.execute(
        insert(repeats).values(
            device=arrival.device,
            incarnation=arrival.incarnation,
            batch=arrival.batch,
            seq=arrival.operation.seq,
            outcome=verdict.outcome.value,
            code=verdict.code,
        )
    )


def _apply_apart(connection: Connection, arrival: Arrival) -> Decision:
    """Apply in a savepoint: what the database cannot take is held, and the rest goes on."""
    apply = _APPLY[OperationKind(arrival.operation.kind)]
    try:
        with connection.begin_nested():
            return apply(connection, arrival)
    except OperationalError:
        raise  # a lock or a disk: the whole batch must come again
    except (DBAPIError, OverflowError, ValueError):
        return Decision(verdict=held("operation:unstorable"))


def _write_decision(connection: Connection, arrival: Arrival, decision: Decision) -> None:
    verdict = decision.verdict
    connection.execute(
        operations.update()
        .where(
            operations.c.device == arrival.device,
            operations.c.incarnation == arrival.incarnation,
            operations.c.seq == arrival.operation.seq,
        )
        .values(outcome=verdict.outcome.value, code=verdict.code, pointer=verdict.pointer)
    )
    if verdict.outcome is Outcome.HELD:
        keep_held(connection, arrival, waits_for=decision.waits_for)


def _take_audit_head(connection: Connection, arrival: Arrival) -> Decision:
    row = {
        "device": arrival.device,
        "incarnation": arrival.incarnation,
        "seq": arrival.operation.seq,
        "body": wire.encode(dict(arrival.operation.body)),
    }
    connection.execute(insert(audit_heads).values(row))
    return Decision(verdict=ACCEPTED)


_APPLY: Final[Mapping[OperationKind, Apply]] = {
    OperationKind.ENROLLMENT_SUBMIT: people.submit,
    OperationKind.ENROLLMENT_AMEND: people.amend,
    OperationKind.ENROLLMENT_WITHDRAW: people.withdraw,
    OperationKind.LINK_ADD: links.add,
    OperationKind.LINK_REMOVE: links.remove,
    OperationKind.BLOB_CHUNK: blobs.take_chunk,
    OperationKind.AUDIT_HEAD: _take_audit_head,
}
