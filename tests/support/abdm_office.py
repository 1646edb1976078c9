"""A server whose people have real sealed Aadhaar numbers, for the tests of the ABDM worker."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from journey_people import aadhaar
from server_laptops import Laptop, Office
from sync.capture import MEDIA_TYPE, chunk_body, seal_number, seal_session_key, session_id
from sync.capture import record_of as session_record_of
from sync.protocol import Operation, OperationKind
from sync.server.abdm.gathering import gather
from sync.server.abdm.jobs import Claim, claim_jobs
from sync.server.store.tables import (
    abdm_exchanges,
    abdm_jobs,
    enrollments,
    feed,
    sealed_ids,
)
from sync.server.versions import version_body

__all__ = ["MEDIA_TYPE", "MINUTE", "Camp", "aadhaar"]

MINUTE = 60_000


class Camp:
    """One laptop at an office: people come, are corrected and withdrawn. Moments in ms."""

    def __init__(self, office: Office, laptop: Laptop | None = None) -> None:
        self.office = office
        self.store = office.store
        self.laptop = laptop or office.laptop()
        self.key = os.urandom(32)
        self.sealed_key = seal_session_key(self.key, office.keys.vault)
        self.session = session_id(self.sealed_key)
        self.versions: dict[str, int] = {}

    @property
    def now(self) -> int:
        return self.office.now * 1000

    def bring_key(self) -> None:
        """Let the capture session key arrive."""
        operation = self.laptop.operation(
            OperationKind.BLOB_CHUNK,
            chunk_body(self.sealed_key),
            record=session_record_of(self.sealed_key),
            payload=self.sealed_key,
        )
        self.bring(operation)

    def bring(self, *operations: Operation) -> None:
        receipt = self.office.take(self.laptop, self.laptop.batch(operations))
        assert {verdict.outcome.value for verdict in receipt.verdicts} == {"accepted"}, receipt

    def person(self, number: str | None = None, **changes: Any) -> str:
        """Let a person arrive and give their record id; without a number they have none."""
        told = {"aadhaar_last4": None, "capture_session": None}
        operation = self.laptop.person(**{**told, **changes})
        record = operation.record
        if number is not None:
            operation = self._sealed(operation, number, 1)
        self.versions[record] = 1
        self.bring(operation)
        return record

    def amend(self, record: str, number: str | None = None, **changes: Any) -> None:
        """Let a correction arrive; without a number the one that was sealed before stays."""
        base = self.versions[record]
        body = {**self.body(record), **changes}
        operation = self.laptop.operation(
            OperationKind.ENROLLMENT_AMEND,
            {name: value for name, value in body.items() if value is not None},
            record=record,
            base_version=base,
        )
        if number is not None:
            operation = self._sealed(operation, number, base + 1)
        self.versions[record] = base + 1
        self.bring(operation)

    def withdraw(self, record: str) -> None:
        operation = self.laptop.operation(
            OperationKind.ENROLLMENT_WITHDRAW, {}, record=record, base_version=self.versions[record]
        )
        self.bring(operation)

    def claim(self, limit: int = 1, *, worker: str = "w1", seconds: int = 120) -> list[Claim]:
        gather(self.store, now=self.now)
        return claim_jobs(self.store, worker, self.now, limit, lease_ms=seconds * 1000)

    def state(self, record: str) -> str:
        return str(self.row(record)["state"])

    def row(self, record: str) -> Mapping[str, Any]:
        with self.store.read() as connection:
            query = select(enrollments).where(enrollments.c.enrollment == record)
            return dict(connection.execute(query).mappings().one())

    def body(self, record: str) -> dict[str, Any]:
        with self.store.read() as connection:
            return version_body(connection, record, self.row(record)["version"])

    def job(self, record: str, kind: str = "enroll") -> Mapping[str, Any]:
        with self.store.read() as connection:
            query = select(abdm_jobs).where(
                abdm_jobs.c.enrollment == record, abdm_jobs.c.kind == kind
            )
            return dict(connection.execute(query).mappings().one())

    def exchanges(self, record: str) -> list[Mapping[str, Any]]:
        with self.store.read() as connection:
            query = select(abdm_exchanges).where(abdm_exchanges.c.enrollment == record)
            rows = connection.execute(query.order_by(abdm_exchanges.c.number)).mappings()
            return [dict(row) for row in rows]

    def news(self, laptop: Laptop | None = None) -> list[tuple[str, str | None, dict[str, Any]]]:
        """Give what the laptop is told, but corrections and programmes: (kind, record, body)."""
        device = (laptop or self.laptop).id
        with self.store.read() as connection:
            rows = connection.execute(
                select(feed).where(feed.c.device == device).order_by(feed.c.seq)
            ).all()
        left_out = {"programme.updated", "correction", "verdict.changed"}
        return [
            (row.kind, row.record, json.loads(row.body)) for row in rows if row.kind not in left_out
        ]

    def sealed(self, record: str) -> int:
        with self.store.read() as connection:
            query = select(sealed_ids.c.version).where(sealed_ids.c.enrollment == record)
            return len(connection.execute(query).all())

    def issue(self, record: str, number: str, address: str | None = None) -> None:
        """Give a person a number as if the worker had."""
        values = {"state": "ISSUED", "abha_number": number, "abha_address": address}
        with self.store.write() as connection:
            mine = enrollments.c.enrollment == record
            connection.execute(update(enrollments).where(mine).values(values))

    def _sealed(self, operation: Operation, number: str, version: int) -> Operation:
        body = {
            **operation.body,
            "aadhaar_last4": number[-4:],
            "capture_session": self.session,
        }
        payload = seal_number(self.key, number, record_id=operation.record, version=version)
        return Operation(
            seq=operation.seq,
            record=operation.record,
            kind=operation.kind,
            base_version=operation.base_version,
            body=body,
            operator=operation.operator,
            captured=operation.captured,
            payload=payload,
        )
