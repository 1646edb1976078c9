"""What travels between a device and the central server, as plain frozen types.

The types say what is meant; :mod:`sync.wire` says how it is written in bytes and
:mod:`sync.sealing` how it is signed and sealed. docs/PROTOCOL.md is the same in prose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

__all__ = [
    "BODY_SHAPES",
    "FINISH_VALUES",
    "LIMITS",
    "MINIMUM_VERSION",
    "NO_DIGEST",
    "PROTOCOL_VERSION",
    "BatchHeader",
    "DeviceState",
    "FeedEntry",
    "FeedKind",
    "FeedPage",
    "FeedRequest",
    "FinishAction",
    "FinishAnswer",
    "FinishRequest",
    "FinishStage",
    "Hello",
    "HelloReply",
    "Limits",
    "Operation",
    "OperationKind",
    "Outcome",
    "Receipt",
    "SealedBatch",
    "ServerTime",
    "Verdict",
]

PROTOCOL_VERSION: Final = 1
"""2026-11: the first version."""

MINIMUM_VERSION: Final = 1
"""The oldest version this code still understands."""

NO_DIGEST: Final = bytes(32)
"""Stands for *the batch before the first*, and for an empty audit chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on everything that comes from outside."""

    text_batch_bytes_max: int = 16 * 1024
    """A sealed batch of people and links."""
    blob_batch_bytes_max: int = 64 * 1024
    """A sealed batch that carries blob chunks; also the most that is read as one batch."""
    plain_batch_bytes_max: int = 1024 * 1024
    """A batch after decompression."""
    operations_per_batch_max: int = 1000
    body_bytes_max: int = 32 * 1024
    """One operation's body, as CBOR."""
    payload_bytes_max: int = 48 * 1024
    push_bytes_max: int = 4 * 1024 * 1024
    """One push request."""
    receipt_bytes_max: int = 256 * 1024
    hello_bytes_max: int = 8 * 1024
    feed_entries_per_page_max: int = 200
    feed_page_bytes_max: int = 8 * 1024 * 1024
    finish_bytes_max: int = 4 * 1024
    """One step of finishing, and its answer."""
    finish_value_bytes_max: int = 64
    """A one-time code or a handle, before it is sealed."""
    finish_handles_max: int = 20
    programme_bytes_max: int = 2 * 1024 * 1024
    bundle_bytes_max: int = 64 * 1024 * 1024
    """One file on a stick; more goes into a second file."""


LIMITS: Final = Limits()


class OperationKind(StrEnum):
    """What an operation does. An unknown kind from a newer device is held, never refused."""

    ENROLLMENT_SUBMIT = "enrollment.submit"
    ENROLLMENT_AMEND = "enrollment.amend"
    ENROLLMENT_WITHDRAW = "enrollment.withdraw"
    LINK_ADD = "link.add"
    LINK_REMOVE = "link.remove"
    BLOB_CHUNK = "blob.chunk"
    AUDIT_HEAD = "audit.head"
    CLOCK_READING = "clock.reading"


BODY_SHAPES: Final[Mapping[str, str]] = {
    OperationKind.ENROLLMENT_SUBMIT: "enrollment-1",
    OperationKind.ENROLLMENT_AMEND: "enrollment-1",
    OperationKind.ENROLLMENT_WITHDRAW: "enrollment-withdraw-1",
    OperationKind.LINK_ADD: "record-link-1",
    OperationKind.LINK_REMOVE: "link-remove-1",
    OperationKind.BLOB_CHUNK: "blob-chunk-1",
    OperationKind.CLOCK_READING: "clock-reading-1",
}
"""The schema of each kind's body, for both ends; a kind that is not here has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that happened on a device; immutable for ever.

    Its id is (device, incarnation, ``seq``) and is never written twice. ``record`` is the 32 hex
    digits of the enrollment, link or blob it is about. ``kind`` is an :class:`OperationKind` or
    the name of a newer kind that this code does not know. ``captured`` is claimed wall time in
    seconds since 1970 UTC. ``payload`` is opaque: the sealed Aadhaar number, or a chunk's bytes.
    """

    seq: int
    record: str
    kind: str
    base_version: int
    body: Mapping[str, Any] = field(repr=False)
    operator: int
    captured: int
    payload: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchHeader:
    """The part of a batch that is signed but not sealed: a courier may read it.

    ``device``, ``incarnation`` and ``key_id`` are 16 hex digits; ``previous`` and ``audit_head``
    are SHA-256 digests (32 bytes). ``number`` counts from 1 within an incarnation.
    """

    version: int
    device: str
    incarnation: str
    number: int
    previous: bytes
    first_seq: int
    count: int
    audit_head: bytes
    key_id: str
    dictionary: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBatch:
    """A batch as it lies in the outbox and travels: bytes that never change again.

    ``digest`` is the SHA-256 of ``data``.
    """

    incarnation: str
    number: int
    first_seq: int
    count: int
    digest: bytes
    data: bytes = field(repr=False)


class Outcome(StrEnum):
    """What became of one operation at the server."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    HELD = "held"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The server's word on one operation; ``code`` and ``pointer`` say why it was refused."""

    outcome: Outcome
    code: str = ""
    pointer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the server signs for one batch: the only thing that makes a record *signed for*.

    ``verdicts`` are in the order of the batch's operations. ``durable_upto`` is the highest batch
    number of this incarnation that lies in a verified backup of the server (0: none yet).
    ``nonce`` echoes the request's (16 bytes), or is empty on a road without a request.
    """

    epoch: str
    device: str
    incarnation: str
    batch: int
    digest: bytes
    verdicts: tuple[Verdict, ...]
    durable_upto: int
    server_time: int
    nonce: bytes


class DeviceState(StrEnum):
    """How the programme stands to a device."""

    PENDING = "pending"
    APPROVED = "approved"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first word of a session, signed by the device.

    ``last_batch``/``last_digest`` name the newest frozen batch (0 and zeros: none);
    ``receipted_upto`` is the highest number up to which every batch has its receipt; the server
    answers with the receipts that are missing. ``boot`` (8 bytes) names this run of the machine
    and ``monotonic`` the seconds since it began: with the server's own time they say how wrong
    the clock is. ``public_key`` (Ed25519, 32 bytes) and ``seal_key`` (HPKE, 1,216 bytes) are sent
    until the server has approved the device.
    """

    version: int
    device: str
    incarnation: str
    last_batch: int
    last_digest: bytes
    receipted_upto: int
    cursor: int
    programme_serial: int
    time: int
    boot: bytes
    monotonic: int
    nonce: bytes
    public_key: bytes | None = None
    seal_key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloReply:
    """The server's answer to a hello, signed, with the hello's nonce.

    ``held_upto`` is the highest number up to which the server holds every batch of this
    incarnation, ``held_digest`` that batch's digest. ``feed_head`` is the newest feed entry for
    this device; ``feed_digest`` the digest of its feed up to the hello's cursor (32 bytes; zeros
    at 0, and beyond the head). A laptop that finds another digest there than its own knows that
    the server was restored from a backup, and reads its news again.
    """

    version: int
    minimum_version: int
    state: DeviceState
    epoch: str
    device: str
    incarnation: str
    held_upto: int
    held_digest: bytes
    durable_upto: int
    feed_head: int
    feed_digest: bytes
    programme_serial: int
    server_time: int
    nonce: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTime:
    """What the server's clock says, signed: for an operator whose clock is wrong."""

    server_time: int
    nonce: bytes


class FeedKind(StrEnum):
    """What a piece of news is about."""

    ABHA_ISSUED = "abha.issued"
    ENROLLMENT_RETURNED = "enrollment.returned"
    ENROLLMENT_DUPLICATE = "enrollment.duplicate"
    NEEDS_PERSON = "needs.person"
    LINK_LINKED = "link.linked"
    LINK_RETURNED = "link.returned"
    PROGRAMME_UPDATED = "programme.updated"
    DEVICE_REVOKED = "device.revoked"
    CORRECTION = "correction"
    VERDICT_CHANGED = "verdict.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One piece of news for one device; ``seq`` has no gaps. Shape: ``feed-entry-1``.

    ``id`` (8 random bytes in hex) stays when a restored server numbers its news again: it is what
    keeps a laptop from applying the same news twice.
    """

    seq: int
    id: str
    kind: str
    at: int
    record: str | None = None
    body: Mapping[str, Any] = field(repr=False)


class FinishStage(StrEnum):
    """Where finishing an enrollment stands while the person is present."""

    READY = "ready"
    """Nothing was sent yet, or what was sent has run out."""
    WORKING = "working"
    """The server is at it: look again."""
    CODE_SENT = "code-sent"
    """A one-time code went to the mobile that Aadhaar knows."""
    MOBILE = "mobile"
    """The number is issued; the mobile that was given is another one and can be verified."""
    MOBILE_SENT = "mobile-sent"
    """A one-time code went to that mobile."""
    ADDRESS = "address"
    """An ABHA address can be chosen."""
    DONE = "done"
    REFUSED = "refused"
    """``code`` says why; sending again begins anew."""


class FinishAction(StrEnum):
    """What the operator asks for; those that carry a value carry it sealed to the vault."""

    LOOK = "look"
    SEND = "send"
    """Send a code; again, 60 s later at the earliest, sends another."""
    CODE = "code"
    MOBILE_SEND = "mobile-send"
    MOBILE_CODE = "mobile-code"
    MOBILE_SKIP = "mobile-skip"
    ADDRESS = "address"
    ADDRESS_SKIP = "address-skip"


FINISH_VALUES: Final = frozenset({
    FinishAction.CODE,
    FinishAction.MOBILE_CODE,
    FinishAction.ADDRESS,
})  # fmt: skip
"""The actions that carry a value: a one-time code, or the handle of an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishRequest:
    """One step of finishing, signed by the device.

    ``subject`` is a record id (32 hex digits), or its first 15 hex digits, which the provisional
    number stands for. ``sealed`` is the value (a code, a handle), HPKE to the vault. A nonce that
    was used does nothing again: it is answered with how things stand since.
    """

    device: str
    subject: str
    action: FinishAction
    time: int
    nonce: bytes
    sealed: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishAnswer:
    """Where finishing stands, sealed to the device and signed.

    ``record`` is empty where the server knows nobody, or several, by the subject. ``hint`` is the
    masked mobile; ``again_at`` (seconds, server's clock; 0: now) when a code can be sent again;
    ``handles`` the addresses that ABDM suggests, without suffix. ``code`` and ``pointer`` as in a
    verdict. Number and address are told to a laptop that holds the person or brought the right
    code.
    """

    device: str
    record: str
    stage: FinishStage
    code: str
    pointer: str
    hint: str = field(repr=False)
    again_at: int
    handles: tuple[str, ...] = field(repr=False)
    abha_number: str | None = field(repr=False)
    abha_address: str | None = field(repr=False)
    server_time: int
    nonce: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRequest:
    """What a device signs to read its feed: everything after ``after``."""

    device: str
    after: int
    time: int
    nonce: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """A run of news, sealed to the device. Entries are ``after + 1`` … without gaps.

    ``head`` is the newest entry the server has; a page is the last when it reaches it.
    """

    device: str
    after: int
    head: int
    entries: tuple[FeedEntry, ...]
    nonce: bytes
