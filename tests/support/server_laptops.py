"""A laptop as the server sees one: keys, a chain of batches, signed hellos. And a server to call.

It is written against sync's types alone, so that the server is tested without the kit.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from schemas.numbers import approval_code
from sync import wire
from sync.programme import Programme, open_programme
from sync.protocol import (
    NO_DIGEST,
    BatchHeader,
    FeedPage,
    FeedRequest,
    Hello,
    HelloReply,
    Operation,
    OperationKind,
    Receipt,
    SealedBatch,
)
from sync.sealing import (
    OpeningKey,
    SigningKey,
    open_feed_page,
    open_hello_reply,
    open_receipt,
    seal_batch,
    sign_feed_request,
    sign_hello,
)
from sync.server.app import Services, create_app
from sync.server.approval import approve_code
from sync.server.contact import Contact
from sync.server.intake import Intake
from sync.server.keys import KdfCost, ServerKeys, open_keys
from sync.server.logs import Log
from sync.server.programme import newest_programme
from sync.server.serving import make_services
from sync.server.settings import Settings, load_settings
from sync.server.site import initialise
from sync.server.store import Store

__all__ = [
    "CHEAP",
    "NOW",
    "Laptop",
    "Office",
    "link_body",
    "person_body",
    "record_id",
    "sequence_items",
]

NOW = 1_780_000_000
CHEAP = KdfCost(memory_kib=64, iterations=1, lanes=1)


class Office:
    """A whole server in this process, without HTTP unless ``client`` is asked for."""

    def __init__(self, home: Path, log: Any) -> None:
        self.settings: Settings = load_settings(home, {})
        if not (home / "keys.json").exists():
            initialise(self.settings, name="Practice", url="http://127.0.0.1:9", now=NOW)
        self.store = Store(self.settings.db)
        self.keys: ServerKeys = open_keys(home, None)
        self.now = NOW
        self.is_draining = False
        self.services: Services = make_services(
            self.settings,
            store=self.store,
            keys=self.keys,
            log=Log(log),
            clock=lambda: self.now,
            is_draining=lambda: self.is_draining,
        )

    def close(self) -> None:
        self.store.close()

    @property
    def contact(self) -> Contact:
        return self.services.contact

    @property
    def intake(self) -> Intake:
        return self.services.intake

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(create_app(self.services))
        return httpx.AsyncClient(transport=transport, base_url="http://office")

    def programme(self) -> Programme:
        with self.store.read() as connection:
            _, signed = newest_programme(connection)
        return open_programme(signed, self.keys.signing.public)

    def laptop(self, *, approved: bool = True) -> Laptop:
        laptop = Laptop(programme=self.programme())
        self.contact.greet(laptop.hello())
        if approved:
            self.approve(laptop)
        return laptop

    def approve(self, laptop: Laptop) -> str | None:
        with self.store.write() as connection:
            return approve_code(connection, self.keys, laptop.approval_code, now=self.now)

    def take(self, laptop: Laptop, batch: SealedBatch) -> Receipt:
        """Hand a batch in and give its receipt, verified as a laptop does."""
        taken = self.intake.take(batch.data, bytes(16))
        receipt = laptop.open_receipt(taken.signed)
        assert receipt.digest == batch.digest
        return receipt

    def count(self, sql: str) -> int:
        with self.store.read() as connection:
            number: int = connection.exec_driver_sql(sql).scalar_one()
        return number


@dataclass(slots=True, kw_only=True)
class Laptop:
    """A laptop's keys and chain."""

    programme: Programme = field(repr=False)
    key: SigningKey = field(default_factory=SigningKey.generate)
    opening: OpeningKey = field(default_factory=OpeningKey.generate, repr=False)
    incarnation: str = field(default_factory=lambda: os.urandom(8).hex())
    number: int = 0
    previous: bytes = NO_DIGEST
    seq: int = 0

    @property
    def id(self) -> str:
        return self.key.public.id

    @property
    def approval_code(self) -> str:
        return approval_code(self.key.public.digest())

    def hello(self, *, receipted_upto: int = 0, with_keys: bool = True) -> bytes:
        return sign_hello(
            Hello(
                version=1,
                device=self.id,
                incarnation=self.incarnation,
                last_batch=self.number,
                last_digest=self.previous,
                receipted_upto=receipted_upto,
                cursor=0,
                programme_serial=1,
                time=NOW,
                boot=bytes(8),
                monotonic=100,
                nonce=bytes(16),
                public_key=self.key.public.raw if with_keys else None,
                seal_key=self.opening.public.raw if with_keys else None,
            ),
            self.key,
        )

    def operation(
        self,
        kind: str,
        body: Mapping[str, Any],
        *,
        record: str | None = None,
        base_version: int = 0,
        payload: bytes | None = None,
    ) -> Operation:
        return Operation(
            seq=1,  # the batch gives the true number
            record=record or record_id(),
            kind=kind,
            base_version=base_version,
            body=body,
            operator=1,
            captured=NOW,
            payload=payload,
        )

    def person(self, record: str | None = None, **changes: Any) -> Operation:
        body = person_body(**changes)
        payload = bytes(28) if "aadhaar_last4" in body else None
        return self.operation(OperationKind.ENROLLMENT_SUBMIT, body, record=record, payload=payload)

    def link(self, enrollment: str, **changes: Any) -> Operation:
        return self.operation(OperationKind.LINK_ADD, link_body(enrollment, **changes))

    def batch(self, operations: Sequence[Operation], first_seq: int | None = None) -> SealedBatch:
        """Number the operations and seal them as the next batch of the chain."""
        self.number += 1
        first = first_seq or self.seq + 1
        operations = [replace(one, seq=seq) for seq, one in enumerate(operations, start=first)]
        self.seq = max(self.seq, operations[-1].seq)
        sealed = seal_batch(self.header(operations), operations, self.key, self.programme.ingest)
        self.previous = sealed.digest
        return sealed

    def header(self, operations: Sequence[Operation], **changes: Any) -> BatchHeader:
        fields: dict[str, Any] = {
            "version": 1,
            "device": self.id,
            "incarnation": self.incarnation,
            "number": self.number,
            "previous": self.previous,
            "first_seq": operations[0].seq,
            "count": len(operations),
            "audit_head": NO_DIGEST,
            "key_id": self.programme.ingest.id,
            "dictionary": wire.CURRENT_DICTIONARY,
        }
        return BatchHeader(**{**fields, **changes})

    def push_body(self, batches: Sequence[SealedBatch], nonce: bytes = bytes(16)) -> bytes:
        return b"".join(wire.encode_sequence([nonce, *(batch.data for batch in batches)]))

    def feed_request(self, after: int) -> bytes:
        request = FeedRequest(device=self.id, after=after, time=NOW, nonce=bytes(16))
        return sign_feed_request(request, self.key)

    def open_receipt(self, raw: bytes) -> Receipt:
        return open_receipt(raw, self.programme.signing)

    def open_reply(self, raw: bytes) -> HelloReply:
        return open_hello_reply(raw, self.programme.signing)

    def open_page(self, raw: bytes) -> FeedPage:
        return open_feed_page(raw, self.programme.signing, self.opening)


def record_id() -> str:
    return os.urandom(16).hex()


def sequence_items(body: bytes) -> list[bytes]:
    reader = wire.SequenceReader(item_bytes_max=1 << 20)
    items = list(reader.feed(body))
    assert reader.is_between_items
    return items


def person_body(**changes: Any) -> dict[str, Any]:
    """Give a body of ``enrollment-1``; ``None`` takes a key away."""
    body: dict[str, Any] = {
        "name": "Marked Zebra Quokka",
        "gender": "F",
        "birth": {"year": 1980, "month": 2, "day": 3},
        "mobile": "9123456780",
        "mobile_owner": "self",
        "address": {
            "line": "Pangolin House",
            "village": "Okapipur",
            "pincode": "110001",
            "state": 7,
            "district": 77,
        },
        "consent": {
            "version": "1.4",
            "language": "hi",
            "method": "signature",
            "given_at": "2026-11-20T10:00:00+05:30",
        },
        "language": "hi",
        "aadhaar_last4": "4321",
        "capture_session": hashlib.sha256(b"session").hexdigest()[:16],
    }
    return {key: value for key, value in {**body, **changes}.items() if value is not None}


def link_body(enrollment: str, **changes: Any) -> dict[str, Any]:
    """Give a body of ``record-link-1``."""
    body = {
        "enrollment": enrollment,
        "hi_type": "Prescription",
        "facility": "IN0123456789",
        "date": "2026-11-20",
        "display": "Visit at camp",
        "reference": "OPD-1",
    }
    return {**body, **changes}
