"""Makes the worked example of docs/PROTOCOL.md; run it by hand after a change of the protocol.

Sealing is random, so the sealed batch is kept in a file; everything around it follows from the
fixed keys and is compared byte for byte by tests/sync/engine/test_vector.py.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import cbor2

from schemas.numbers import approval_code, provisional_number
from sync import capture, wire
from sync.protocol import (
    BatchHeader,
    FinishAction,
    FinishAnswer,
    FinishRequest,
    FinishStage,
    Hello,
    Operation,
    Outcome,
    Receipt,
    Verdict,
)
from sync.sealing import (
    OpeningKey,
    SigningKey,
    seal_batch,
    sign_finish_request,
    sign_hello,
    sign_receipt,
)

ROOT = Path(__file__).parents[2]
FILE = ROOT / "tests" / "sync" / "engine" / "protocol-1.json"
PAGE = ROOT / "docs" / "PROTOCOL.md"

SERVER = SigningKey(bytes([1]) * 32)
DEVICE = SigningKey(bytes([3]) * 32)
INGEST = OpeningKey(bytes([4]) * 96)
CAPTURE_KEY = bytes([5]) * 32
RECORD = "000102030405060708090a0b0c0d0e0f"
AADHAAR = "999941057058"
NONCE = bytes(range(16))
OPERATION = Operation(
    seq=1,
    record=RECORD,
    kind="enrollment.withdraw",
    base_version=1,
    body={"reason": "asked"},
    operator=1,
    captured=1_795_000_000,
)
HEADER = BatchHeader(
    version=1,
    device=DEVICE.public.id,
    incarnation="11" * 8,
    number=1,
    previous=bytes(32),
    first_seq=1,
    count=1,
    audit_head=bytes(32),
    key_id=INGEST.public.id,
    dictionary=1,
)
ROWS = [[3, bytes.fromhex(RECORD), 1, 1, 1_795_000_000, {"reason": "asked"}]]


def hello() -> Hello:
    """Give the hello of the example."""
    return Hello(
        version=1,
        device=DEVICE.public.id,
        incarnation="11" * 8,
        last_batch=0,
        last_digest=bytes(32),
        receipted_upto=0,
        cursor=0,
        programme_serial=1,
        time=1_795_000_100,
        boot=bytes(range(8)),
        monotonic=4711,
        nonce=NONCE,
    )


def receipt(digest: bytes) -> Receipt:
    """Give the receipt of the example."""
    return Receipt(
        epoch="ee" * 8,
        device=DEVICE.public.id,
        incarnation="11" * 8,
        batch=1,
        digest=digest,
        verdicts=(Verdict(outcome=Outcome.ACCEPTED),),
        durable_upto=0,
        server_time=1_795_000_101,
        nonce=NONCE,
    )


def finish_request() -> FinishRequest:
    """Give a step of the example, about the number on the card."""
    return FinishRequest(
        device=DEVICE.public.id,
        subject=RECORD[:15],
        action=FinishAction.SEND,
        time=1_795_000_200,
        nonce=NONCE,
    )


def finish_answer() -> FinishAnswer:
    """Give its answer, as it is before it is sealed to the device."""
    return FinishAnswer(
        device=DEVICE.public.id,
        record=RECORD,
        stage=FinishStage.CODE_SENT,
        code="",
        pointer="",
        hint="******0903",
        again_at=1_795_000_262,
        handles=(),
        abha_number=None,
        abha_address=None,
        server_time=1_795_000_202,
        nonce=NONCE,
    )


def make() -> dict[str, str]:
    """Make the example anew, with a fresh seal."""
    sealed = seal_batch(HEADER, [OPERATION], DEVICE, INGEST.public)
    return describe(sealed.data)


def describe(batch: bytes) -> dict[str, str]:
    """Take a batch of the example apart and add what follows from the fixed keys."""
    protected, _unprotected, payload, signature = wire.decode_sign1(batch)
    info = b"enrollkit/hpke/v1" + wire.encode([
        DEVICE.public.kid, ["batch", *wire.encode_header(HEADER)],
    ])  # fmt: skip
    plain: Any = {
        "device_public": DEVICE.public.raw,
        "ingest_key_id": bytes.fromhex(INGEST.public.id),
        "operations": wire.encode(ROWS),
        "compressed": INGEST.open(payload, info),
        "info": info,
        "protected": protected,
        "payload": payload,
        "signature": signature,
        "batch": batch,
        "digest": hashlib.sha256(batch).digest(),
        "receipt": sign_receipt(receipt(hashlib.sha256(batch).digest()), SERVER),
        "hello": sign_hello(hello(), DEVICE),
        "finish_request": sign_finish_request(finish_request(), DEVICE),
        "finish_value_info": b"enrollkit/hpke/v1"
        + wire.encode([DEVICE.public.kid, ["finish-value", RECORD[:15], 2, NONCE]]),
        "finish_answer": wire.encode_finish_answer(finish_answer()),
        "sealed_number": capture.seal_number(CAPTURE_KEY, AADHAAR, record_id=RECORD, version=1),
    }
    return {
        "device_id": DEVICE.public.id,
        "approval_code": approval_code(DEVICE.public.digest()),
        "provisional_number": provisional_number(RECORD),
    } | {name: value.hex() for name, value in plain.items()}


def as_page(vector: dict[str, str]) -> str:
    """Write the example as the page shows it."""
    lines: list[str] = []
    for name, text in vector.items():
        if len(text) <= 64:
            lines.append(f"{name:<19}{text}")
            continue
        lines += [f"{name}  ({len(text) // 2} bytes)"]
        lines += [f"    {text[place : place + 96]}" for place in range(0, len(text), 96)]
    return "\n".join(lines)


def sig_structure(protected: bytes, payload: bytes) -> bytes:
    """Give what is signed (RFC 9052, 4.4), written by another road than the product's."""
    return cbor2.dumps(["Signature1", protected, b"", payload])


if __name__ == "__main__":
    made = make()
    FILE.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    block = f"<!-- vector -->\n```text\n{as_page(made)}\n```\n<!-- end of vector -->"
    PAGE.write_text(
        re.sub(r"<!-- vector -->.*<!-- end of vector -->", lambda _: block, page, flags=re.DOTALL),
        encoding="utf-8",
    )
