"""Sample operations, batches and a programme for the tests of sync."""

from __future__ import annotations

from typing import Any

from sync.programme import Programme, ProgrammeDevice, Wording
from sync.protocol import BatchHeader, DeviceState, Operation, OperationKind
from sync.sealing import OpeningKey, SigningKey, VerifyKey


def enrollment_body(name: str = "Asha Devi", **changes: Any) -> dict[str, Any]:
    """Give a body of shape enrollment-1."""
    return {
        "name": name,
        "gender": "F",
        "birth": {"year": 1987, "month": 3, "day": 14},
        "mobile": "9000000001",
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
        **changes,
    }


def operation(seq: int, **changes: Any) -> Operation:
    """Give an enrollment.submit."""
    values: dict[str, Any] = {
        "seq": seq,
        "record": f"{seq:032x}",
        "kind": OperationKind.ENROLLMENT_SUBMIT.value,
        "base_version": 0,
        "body": enrollment_body(f"Person {'ABCDEFGHIJ'[seq % 10]}"),
        "operator": 1,
        "captured": 1_795_000_000 + seq * 60,
        "payload": None,
    }
    return Operation(**(values | changes))


def header(device: VerifyKey, ingest: OpeningKey, **changes: Any) -> BatchHeader:
    """Give the header of a first batch of one operation."""
    values: dict[str, Any] = {
        "version": 1,
        "device": device.id,
        "incarnation": "11" * 8,
        "number": 1,
        "previous": bytes(32),
        "first_seq": 1,
        "count": 1,
        "audit_head": bytes(32),
        "key_id": ingest.public.id,
        "dictionary": 1,
    }
    return BatchHeader(**(values | changes))


def programme(signing: SigningKey, **changes: Any) -> Programme:
    """Give a programme with one approved device."""
    values: dict[str, Any] = {
        "name": "Practice State",
        "url": "http://127.0.0.1:8000",
        "serial": 1,
        "issued": 1_795_000_000,
        "signing": signing.public,
        "ingest": OpeningKey.generate().public,
        "vault": OpeningKey.generate().public,
        "recovery": OpeningKey.generate().public,
        "consents": (
            Wording(
                code="abha-enrollment", version="1.4", language="en", text="Words", official=False
            ),
        ),
        "devices": (ProgrammeDevice(key=SigningKey.generate().public, state=DeviceState.APPROVED),),
    }
    return Programme(**(values | changes))
