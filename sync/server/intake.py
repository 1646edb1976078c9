"""Taking a batch in: one transaction, a verdict for every operation, a signed receipt.

The order is always the same: open and judge what needs no database; write everything in one
transaction in which UNIQUE constraints decide what is a repetition; sign after the commit. An
operation that cannot be taken steps aside and the rest goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert
from sqlalchemy.exc import DBAPIError, OperationalError

from sync import wire
from sync.protocol import (
    BatchHeader,
    DeviceState,
    Operation,
    OperationKind,
    Outcome,
    Receipt,
    Verdict,
)
from sync.sealing import open_batch, read_batch_header, sign_receipt
from sync.server import blobs, clocks, links, people
from sync.server.arrival import Apply, Arrival, Decision, content_digest
from sync.server.devices import Device, find_device, note_contact
from sync.server.errors import HttpFault
from sync.server.held import keep_held, opens_way, records_waiting, release, settle
from sync.server.judging import ACCEPTED, cleaned, held, judge
from sync.server.keys import ServerKeys
from sync.server.placing import Place, place
from sync.server.receipts import rebuild_receipt
from sync.server.store import Store
from sync.server.store.tables import audit_heads, operations
from sync.server.versions import note_refusal

__all__ = ["Intake", "Taken"]

_KIND_LETTERS_MAX: Final = 60
_QUARANTINE: Final = held("device:revoked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A batch that is committed: its receipt, in words and signed.

    ``is_new``: it was not here before, so nobody but its laptop can have sent it.
    ``began_fork``: another chain of its laptop was here before. That is worth an alert.
    ``told``: the verdicts on people and links, which are what people are told counts of.
    """

    receipt: Receipt
    signed: bytes
    is_new: bool
    told: tuple[Verdict, ...]
    began_fork: bool = False


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
        ``ProtocolMismatch`` when the batch does not open. Nothing is stored in any of these cases.
        """
        claimed = read_batch_header(data)
        with self._store.read() as connection:
            device = _admit(find_device(connection, claimed.device))
        header, run = open_batch(data, device.key, self._ingest)
        judged: list[Verdict | None] = [judge(operation) for operation in run]
        now = self._clock()
        with self._store.write() as connection:
            device = _admit(find_device(connection, claimed.device))
            found = place(connection, header, hashlib.sha256(data).digest(), now=now)
            if found.is_new:
                if device.state is DeviceState.REVOKED:
                    judged = [_QUARANTINE] * len(run)
                arrivals = list(_arrivals(header, run, found, now))
                for arrival, verdict in zip(arrivals, judged, strict=True):
                    _take_one(connection, arrival, verdict)
                if device.state is DeviceState.APPROVED:
                    _release_followers(connection, arrivals[-1], found)
            note_contact(connection, header.device, now=now)
            receipt = rebuild_receipt(
                connection, found.batch, epoch=self._epoch, nonce=nonce, now=now
            )
        return Taken(
            receipt=receipt,
            signed=sign_receipt(receipt, self._keys.signing),
            is_new=found.is_new,
            told=tuple(_told(run, receipt)),
            began_fork=found.began_fork,
        )


def _told(run: tuple[Operation, ...], receipt: Receipt) -> Iterator[Verdict]:
    for operation, verdict in zip(run, receipt.verdicts, strict=True):
        if operation.kind.startswith(("enrollment.", "link.")):
            yield verdict


def _arrivals(
    header: BatchHeader, run: tuple[Operation, ...], found: Place, now: int
) -> Iterator[Arrival]:
    for operation in run:
        yield Arrival(
            device=header.device,
            life=found.life,
            batch=header.number,
            at=now,
            in_order=found.in_order,
            operation=operation,
        )


def _admit(device: Device | None) -> Device:
    if device is None:
        raise HttpFault("device-unknown")
    if device.state is DeviceState.PENDING:
        raise HttpFault("device-pending")
    return device


def _take_one(connection: Connection, arrival: Arrival, verdict: Verdict | None) -> None:
    """Decide one operation and write down the decision."""
    _insert_operation(connection, arrival)
    decision = Decision(verdict=verdict) if verdict else _apply_apart(connection, arrival)
    _write_decision(connection, arrival, decision)
    if decision.settles:
        settle(connection, arrival, cause=arrival)
    if opens_way(arrival.operation, decision.verdict):
        release(connection, arrival.operation.record, cause=arrival, apply=_apply_apart)


def _release_followers(connection: Connection, arrival: Arrival, found: Place) -> None:
    """Try again what later batches brought too early, when this one filled the gap before them."""
    if found.held_upto <= arrival.batch:
        return
    followers = records_waiting(
        connection, arrival.device, arrival.life, above=arrival.batch, upto=found.held_upto
    )
    for record in followers:
        release(connection, record, cause=arrival, apply=_apply_apart)


def _insert_operation(connection: Connection, arrival: Arrival) -> None:
    """Write it down. No other batch of its life has its number: that is what placing sees to."""
    operation = arrival.operation
    row = {
        "device": arrival.device,
        "life": arrival.life,
        "seq": operation.seq,
        "batch": arrival.batch,
        "digest": content_digest(operation),
        "kind": cleaned(operation.kind)[:_KIND_LETTERS_MAX],
        "record": operation.record,
        "operator": operation.operator,
        "captured": operation.captured,
        "outcome": Outcome.HELD.value,
        "code": "",
        "pointer": "",
    }
    connection.execute(insert(operations).values(row))


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
    note_refusal(connection, arrival, verdict)
    connection.execute(
        operations.update()
        .where(
            operations.c.device == arrival.device,
            operations.c.life == arrival.life,
            operations.c.seq == arrival.operation.seq,
        )
        .values(outcome=verdict.outcome.value, code=verdict.code, pointer=verdict.pointer)
    )
    if verdict.outcome is Outcome.HELD:
        keep_held(connection, arrival, waits_for=decision.waits_for)


def _take_audit_head(connection: Connection, arrival: Arrival) -> Decision:
    row = {
        "device": arrival.device,
        "life": arrival.life,
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
    OperationKind.CLOCK_READING: clocks.take_reading,
}
