"""Sample people, databases and outboxes for the tests of the store; real keys throughout."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from enrollkit.domain.enrollment import Enrollment
from enrollkit.domain.record_link import RecordLink
from enrollkit.store.audit import append_audit
from enrollkit.store.database import Database, Tx
from enrollkit.store.enrollments import insert_enrollment
from enrollkit.store.links import insert_link
from enrollkit.store.lives import begin_life
from enrollkit.store.operations import append_operation
from enrollkit.store.outbox import StoredOutbox
from sync.protocol import (
    BatchHeader,
    Operation,
    OperationKind,
    Outcome,
    Receipt,
    SealedBatch,
    Verdict,
)
from sync.sealing import OpeningKey, SigningKey, open_batch, seal_batch, sign_receipt
from sync.sealing import open_receipt as open_signed_receipt

KEY = bytes(range(32))
INCARNATION = "1f" * 8
EPOCH = "e0" * 8
NOON = 1_795_000_000
MARK = "Zzyzxmark"
"""A name that stands nowhere else: if it is found in a file, a person was."""


@dataclass
class StillClock:
    """A clock that tells what it was told."""

    seconds: int = NOON

    def now(self) -> int:
        """Give the wall time."""
        return self.seconds

    def monotonic(self) -> float:
        """Give the same as a float."""
        return float(self.seconds)

    def boot(self) -> bytes:
        """Give the one run of this machine."""
        return b"one boot"


class Dice:
    """Randomness that is really random."""

    def token(self, size: int) -> bytes:
        """Give so many bytes."""
        return os.urandom(size)


def record_id(number: int) -> str:
    """Give a record id that looks random and is not."""
    return hashlib.sha256(number.to_bytes(8, "big")).hexdigest()[:32]


def person_body(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Give a body of shape enrollment-1."""
    return {
        "name": f"Asha{number} Devi",
        "name_native": "आशा देवी",
        "gender": "F",
        "birth": {"year": 1987, "month": 3, "day": 14},
        "mobile": f"9{number:09d}",
        "mobile_owner": "self",
        "address": {
            "line": "Ward 4",
            "village": "Nagla",
            "pincode": "282001",
            "state": 9,
            "district": 123,
        },
        "consent": {
            "version": "1.4",
            "language": "hi",
            "method": "signature",
            "given_at": "2026-11-20T10:00:00+05:30",
        },
        "language": "hi",
        "camp": "CAMP-1",
        **changes,
    }


def person(number: int = 1, *, version: int = 1, **changes: Any) -> Enrollment:
    """Give a checked enrollment."""
    return Enrollment.from_body(
        person_body(number, **changes), record_id=record_id(number), version=version
    )


def link(number: int, *, owner: int = 1, **changes: Any) -> RecordLink:
    """Give a record link of the person ``owner``."""
    body = {
        "enrollment": record_id(owner),
        "hi_type": "OPConsultation",
        "facility": "IN0812966769",
        "date": "2026-10-26",
        "display": "OPD visit",
        "reference": f"REF-{number}",
        **changes,
    }
    return RecordLink.from_body(body, record_id=record_id(1_000_000 + number))


def save_person(tx: Tx, enrollment: Enrollment, *, at: int = NOON) -> int:
    """Do what one submit does, in one transaction; give the operation's seq."""
    insert_enrollment(tx, enrollment, sealed=None, match_key="key", saved_at=at, operator=1)
    append_audit(tx, at=at, operator=1, action="enrollment.submit", record=enrollment.id)
    return append_operation(
        tx,
        kind=OperationKind.ENROLLMENT_SUBMIT,
        record=enrollment.id,
        base_version=0,
        body=enrollment.body(),
        payload=None,
        operator=1,
        captured=at,
    )


def save_link(tx: Tx, record_link: RecordLink, *, at: int = NOON) -> int:
    """Save a link with its operation."""
    assert insert_link(tx, record_link, saved_at=at, operator=1) is None
    return append_operation(
        tx,
        kind=OperationKind.LINK_ADD,
        record=record_link.id,
        base_version=0,
        body=record_link.body(),
        payload=None,
        operator=1,
        captured=at,
    )


def new_database(folder: Path) -> Database:
    """Make a database with an incarnation."""
    database = Database.create(folder / "home" / "enrollkit.db", KEY)
    database.write(lambda tx: begin_life(tx, INCARNATION, at=NOON))
    return database


@dataclass
class Ends:
    """A laptop's outbox and, with the server's keys, what the server would say."""

    database: Database
    device: SigningKey = field(default_factory=SigningKey.generate)
    ingest: OpeningKey = field(default_factory=OpeningKey.generate)
    server: SigningKey = field(default_factory=SigningKey.generate)
    clock: StillClock = field(default_factory=StillClock)

    @property
    def outbox(self) -> StoredOutbox:
        """Give a fresh outbox, as after a restart."""
        return StoredOutbox(
            self.database,
            device=self.device.public.id,
            ingest_key_id=self.ingest.public.id,
            seal=self._seal,
            clock=self.clock,
            randomness=Dice(),
        )

    def opened(self, batch: SealedBatch) -> tuple[BatchHeader, tuple[Operation, ...]]:
        """Open a batch as the server does."""
        return open_batch(batch.data, self.device.public, {self.ingest.public.id: self.ingest})

    def receipt(
        self, sealed: SealedBatch, /, *verdicts: Verdict, **changes: Any
    ) -> tuple[Receipt, bytes]:
        """Sign a receipt, and read it back as the laptop does; all accepted unless told."""
        every = verdicts or (Verdict(outcome=Outcome.ACCEPTED),) * sealed.count
        values: dict[str, Any] = {
            "epoch": EPOCH,
            "device": self.device.public.id,
            "incarnation": sealed.incarnation,
            "batch": sealed.number,
            "digest": sealed.digest,
            "verdicts": every,
            "durable_upto": 0,
            "server_time": NOON,
            "nonce": b"",
        }
        raw = sign_receipt(Receipt(**(values | changes)), self.server)
        return open_signed_receipt(raw, self.server.public), raw

    def _seal(self, header: BatchHeader, operations: Sequence[Operation]) -> SealedBatch:
        return seal_batch(header, operations, self.device, self.ingest.public)
