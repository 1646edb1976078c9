"""Valid messages, files and codes of every kind, and the keys they are made with: what fuzzers
change.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from card_samples import HINDI, KEY, PLAIN
from enrollkit.cards.claim169 import encode as encode_card
from enrollkit.vault.kdf import KdfParameters
from enrollkit.vault.keyring_format import Contents, Recovery, Slot, write_contents
from kit_samples import intake_row
from sync import wire
from sync.programme import ProgrammeAnchor, sign_programme
from sync.protocol import (
    DeviceState,
    FeedEntry,
    FeedPage,
    FeedRequest,
    FinishAction,
    FinishAnswer,
    FinishRequest,
    FinishStage,
    Hello,
    HelloReply,
    Operation,
    OperationKind,
    Outcome,
    Receipt,
    ServerTime,
    Verdict,
)
from sync.sealing import OpeningKey, SigningKey, seal_batch
from sync_samples import header, operation, programme

__all__ = [
    "CARD_KEY", "DEVICE", "DEVICE_SEAL", "INGEST", "SERVER", "batches", "cards", "csv_files",
    "feed_pages", "feed_requests", "finish_answers", "finish_requests", "hello_replies", "hellos",
    "json_files", "keyrings", "operation_rows", "operations", "programmes", "receipts",
    "server_times",
]  # fmt: skip

SERVER: Final = SigningKey(bytes([1]) * 32)
DEVICE: Final = SigningKey(bytes([3]) * 32)
INGEST: Final = OpeningKey(bytes([4]) * 96)
DEVICE_SEAL: Final = OpeningKey(bytes([6]) * 96)
CARD_KEY: Final[Ed25519PrivateKey] = KEY

_NONCE: Final = bytes(range(16))
_AT: Final = 1_795_000_000
_RECORD: Final = "0f" * 16


def operations() -> tuple[Operation, ...]:
    """Give one of each sort: a person, a withdrawal, a chunk with a payload, an unknown kind."""
    return (
        operation(1, payload=bytes(28)),
        operation(2, kind=OperationKind.ENROLLMENT_WITHDRAW.value, body={"reason": "asked"}),
        operation(
            3,
            kind=OperationKind.BLOB_CHUNK.value,
            body={"media_type": "image/png", "index": 0, "count": 1, "sha256": "ab" * 32},
            payload=b"\x89PNG",
        ),
        operation(4, kind="camp.closed", body={"note": [1, None, 2.5, True, {"deep": "x"}]}),
    )


def operation_rows() -> list[bytes]:
    """Give the CBOR that is compressed in a batch."""
    made = []
    for run in (operations()[:1], operations()):
        rows = [
            [
                op.kind if op.seq == 4 else op.seq,
                bytes.fromhex(op.record),
                0,
                1,
                op.captured if op.seq == 1 else 60,
                dict(op.body),
                *([op.payload] if op.payload is not None else []),
            ]
            for op in run
        ]
        made.append(wire.encode(rows))
    return made


@cache
def batches() -> tuple[bytes, ...]:
    """Give signed and sealed batches of the device."""
    head = header(DEVICE.public, INGEST, count=4)
    return (
        seal_batch(head, operations(), DEVICE, INGEST.public).data,
        seal_batch(
            header(DEVICE.public, INGEST, number=2, previous=bytes([7]) * 32, first_seq=5),
            [operation(5)],
            DEVICE,
            INGEST.public,
        ).data,
    )


def receipts() -> list[Receipt]:
    """Give a receipt with every sort of verdict, and an empty-handed one."""
    verdicts = (
        Verdict(outcome=Outcome.ACCEPTED),
        Verdict(outcome=Outcome.DUPLICATE),
        Verdict(outcome=Outcome.HELD, code="device:pending"),
        Verdict(outcome=Outcome.REJECTED, code="required", pointer="/birth/year"),
    )
    common: dict[str, Any] = {
        "epoch": "ee" * 8,
        "device": DEVICE.public.id,
        "incarnation": "11" * 8,
        "digest": bytes([9]) * 32,
        "durable_upto": 0,
        "server_time": _AT,
    }
    return [
        Receipt(batch=1, verdicts=verdicts, nonce=_NONCE, **common),
        Receipt(batch=2**40, verdicts=verdicts[:1], nonce=b"", **common),
    ]


def hellos() -> list[Hello]:
    """Give the hello of a new device, and of one that the server knows."""
    common: dict[str, Any] = {
        "version": 1,
        "device": DEVICE.public.id,
        "incarnation": "11" * 8,
        "receipted_upto": 0,
        "cursor": 3,
        "programme_serial": 1,
        "time": _AT,
        "boot": bytes([2]) * 8,
        "monotonic": 4711,
        "nonce": _NONCE,
    }
    return [
        Hello(last_batch=5, last_digest=bytes([9]) * 32, **common),
        Hello(
            last_batch=0,
            last_digest=bytes(32),
            public_key=DEVICE.public.raw,
            seal_key=DEVICE_SEAL.public.raw,
            **common,
        ),
    ]


def hello_replies() -> list[HelloReply]:
    """Give the answers to a pending and to an approved device."""
    common: dict[str, Any] = {
        "version": 1,
        "minimum_version": 1,
        "epoch": "ee" * 8,
        "device": DEVICE.public.id,
        "incarnation": "11" * 8,
        "feed_digest": bytes(32),
        "programme_serial": 2,
        "server_time": _AT,
        "nonce": _NONCE,
    }
    empty = {"held_upto": 0, "held_digest": bytes(32), "durable_upto": 0, "feed_head": 0}
    full = {"held_upto": 9, "held_digest": bytes([9]) * 32, "durable_upto": 4, "feed_head": 7}
    return [
        HelloReply(state=DeviceState.PENDING, **empty, **common),
        HelloReply(state=DeviceState.APPROVED, **full, **common),
    ]


def feed_requests() -> list[FeedRequest]:
    """Give a request for news."""
    return [FeedRequest(device=DEVICE.public.id, after=3, time=_AT, nonce=_NONCE)]


def server_times() -> list[ServerTime]:
    """Give a signed clock's content."""
    return [ServerTime(server_time=_AT, nonce=_NONCE)]


def feed_pages() -> list[FeedPage]:
    """Give a page with news of two kinds, and an empty one."""
    entries = (
        FeedEntry(
            seq=4,
            id="a1" * 8,
            kind="abha.issued",
            at=_AT,
            record=_RECORD,
            body={"abha_number": "91-1111-1111-1111", "abha_address": "asha@abdm"},
        ),
        FeedEntry(seq=5, id="a2" * 8, kind="device.revoked", at=_AT, record=None, body={}),
    )
    return [
        FeedPage(device=DEVICE.public.id, after=3, head=5, entries=entries, nonce=_NONCE),
        FeedPage(device=DEVICE.public.id, after=0, head=0, entries=(), nonce=_NONCE),
    ]


def finish_requests() -> list[FinishRequest]:
    """Give a step that carries a value, and one about a provisional number that carries none."""
    common: dict[str, Any] = {"device": DEVICE.public.id, "time": _AT, "nonce": _NONCE}
    return [
        FinishRequest(subject=_RECORD, action=FinishAction.CODE, sealed=bytes(1142), **common),
        FinishRequest(subject=_RECORD[:15], action=FinishAction.SEND, **common),
    ]


def finish_answers() -> list[FinishAnswer]:
    """Give an answer with all that can stand in one, and one about nobody."""
    common: dict[str, Any] = {"device": DEVICE.public.id, "server_time": _AT, "nonce": _NONCE}
    return [
        FinishAnswer(
            record=_RECORD,
            stage=FinishStage.ADDRESS,
            code="abdm:address-taken",
            pointer="/mobile",
            hint="******4321",
            again_at=_AT + 60,
            handles=("asha.devi", "asha_1987"),
            abha_number="91-1111-1111-1111",
            abha_address="asha@abdm",
            **common,
        ),
        FinishAnswer(
            record="",
            stage=FinishStage.REFUSED,
            code="finish:unknown",
            pointer="",
            hint="",
            again_at=0,
            handles=(),
            abha_number=None,
            abha_address=None,
            **common,
        ),
    ]


@cache
def programmes() -> tuple[bytes, ...]:
    """Give two signed programmes; the second has certificates (not read here, so any bytes)."""
    anchors = (ProgrammeAnchor(certificate=b"0\x82", source="uidai.gov.in"),)
    return (
        sign_programme(programme(SERVER), SERVER),
        sign_programme(programme(SERVER, anchors=anchors, practice=True), SERVER),
    )


def cards() -> list[str]:
    """Give the texts of two cards' codes."""
    return [encode_card(claims, CARD_KEY) for claims in (HINDI, PLAIN)]


def keyrings() -> list[bytes]:
    """Give a ``keyring.json`` with two operators."""
    cost = KdfParameters(memory_kib=64, iterations=1, lanes=1)
    slots = tuple(
        Slot(slot=number, kdf=cost, salt=bytes(16), nonce=bytes(12), wrapped=bytes(48))
        for number in (1, 2)
    )
    recovery = Recovery(key_id="ab" * 8, sealed=bytes(1168))
    return [
        write_contents(Contents(slots=slots, next_slot=3, recovery=recovery, mac=bytes(32))),
    ]


def json_files() -> list[bytes]:
    """Give people as JSON Lines."""
    line = json.dumps(intake_row(), ensure_ascii=False).encode()
    return [line + b"\n" + line + b"\n\n" + line]


def csv_files() -> list[bytes]:
    """Give people as CSV, with commas and as a spreadsheet of another country writes it."""
    head = "name,gender,birth.year,birth.month,address.state,address.line"
    row = 'Asha Devi,F,1987,3,9,"Ward 4, lane ""B"""'
    return [
        f"{head}\n{row}\n{row}\n".encode(),
        f"\ufeff{head}\r\n{row}\r\n".replace(",", ";").encode(),
    ]
