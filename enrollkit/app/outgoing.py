"""What leaves this laptop: operations put into the outbox, and the outbox wired to its keys."""

from __future__ import annotations

from collections.abc import Sequence

from enrollkit.app.desk import Desk
from enrollkit.domain.enrollment import FIRST_VERSION, Enrollment
from enrollkit.domain.record_link import RecordLink
from enrollkit.store.database import Tx
from enrollkit.store.drafts import SealedNumber
from enrollkit.store.operations import append_operation, queue_capture_session
from enrollkit.store.outbox import StoredOutbox
from sync.protocol import BatchHeader, Operation, OperationKind, SealedBatch
from sync.sealing import seal_batch

__all__ = ["outbox_of", "queue_enrollment", "queue_link", "seal_number"]


def seal_number(
    tx: Tx, desk: Desk, digits: str, record: str, version: int = FIRST_VERSION
) -> SealedNumber:
    """Seal an Aadhaar number (twelve digits) for one version of a record, and note whose it is.

    The sealed key of the session is queued once, before its first number.
    """
    queue_capture_session(
        tx, desk.capture.sealed_key, operator=desk.operator.slot, at=desk.system.now()
    )
    sealed = desk.capture.seal(digits, record, version)
    desk.capture.remember(digits, record)
    return SealedNumber(sealed=sealed, last4=digits[-4:], session=desk.capture.id)


def queue_enrollment(tx: Tx, desk: Desk, enrollment: Enrollment, sealed: bytes | None) -> int:
    """Queue a new person; ``sealed`` is the Aadhaar number, readable by the server's vault."""
    return append_operation(
        tx,
        kind=OperationKind.ENROLLMENT_SUBMIT,
        record=enrollment.id,
        base_version=enrollment.version - 1,
        body=enrollment.body(),
        payload=sealed,
        operator=desk.operator.slot,
        captured=desk.system.now(),
    )


def queue_link(tx: Tx, desk: Desk, link: RecordLink) -> int:
    """Queue a record link."""
    return append_operation(
        tx,
        kind=OperationKind.LINK_ADD,
        record=link.id,
        base_version=0,
        body=link.body(),
        payload=None,
        operator=desk.operator.slot,
        captured=desk.system.now(),
    )


def outbox_of(desk: Desk) -> StoredOutbox:
    """Give the outbox, sealing to the programme's ingest key under this device's signature."""

    def seal(header: BatchHeader, operations: Sequence[Operation]) -> SealedBatch:
        return seal_batch(header, operations, desk.keys.signing, desk.programme.ingest)

    return StoredOutbox(
        desk.database,
        device=desk.keys.id,
        ingest_key_id=desk.programme.ingest.id,
        seal=seal,
        clock=desk.system,
        randomness=desk.system,
    )
