"""What can be said of an operation before the database is asked: kind, shape, sealed number.

``None`` means that nothing speaks against it so far.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import schemas
from sync import wire
from sync.capture import SEALED_NUMBER_BYTES
from sync.protocol import BODY_SHAPES, LIMITS, Operation, OperationKind, Outcome, Verdict

__all__ = [
    "ACCEPTED",
    "CONFLICT",
    "DUPLICATE",
    "ENROLLING",
    "NOT_YOURS",
    "VERSION_MAX",
    "cleaned",
    "held",
    "judge",
    "rejected",
]

ACCEPTED: Final = Verdict(outcome=Outcome.ACCEPTED)
DUPLICATE: Final = Verdict(outcome=Outcome.DUPLICATE)
CONFLICT: Final = "conflict"
"""Two laptops say different things of who somebody is; both are kept until a person decides."""

NOT_YOURS: Final = "record:not-yours"
"""A laptop writes about a person whom it never showed to hold; the office looks at it."""

VERSION_MAX: Final = 1_000_000_000
"""More corrections of one person than anybody makes; tables can hold the number."""

_POINTER_BYTES_MAX: Final = 120
"""A receipt full of refusals must stay below ``LIMITS.receipt_bytes_max``."""

_RANGES: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_KINDS: Final = frozenset(kind.value for kind in OperationKind)
ENROLLING: Final = frozenset({OperationKind.ENROLLMENT_SUBMIT, OperationKind.ENROLLMENT_AMEND})


def held(code: str, pointer: str = "") -> Verdict:
    """Keep it whole, for a person or for the record it waits for."""
    return Verdict(outcome=Outcome.HELD, code=code, pointer=pointer)


def rejected(code: str, pointer: str) -> Verdict:
    """Refuse it; ``pointer`` names the field of the body that is to blame."""
    short = cleaned(pointer).encode()[:_POINTER_BYTES_MAX].decode(errors="ignore")
    return Verdict(outcome=Outcome.REJECTED, code=code, pointer=short)


def cleaned(text: str) -> str:
    """Give a text as every database can keep it: PostgreSQL takes no NUL."""
    return text.replace("\0", "")


def judge(operation: Operation) -> Verdict | None:
    """Give the verdict that follows from the operation alone, or ``None``."""
    if len(wire.encode(dict(operation.body))) > LIMITS.body_bytes_max:
        return rejected("body:too-large", "")
    if operation.kind not in _KINDS:
        return held("kind:unknown")
    kind = OperationKind(operation.kind)
    fault = _shape_fault(kind, operation.body)
    if fault is not None:
        return rejected(f"schema:{_kebab(fault.code)}"[:60], fault.pointer)
    if kind in ENROLLING:
        return _judge_sealed_number(kind, operation)
    if kind is OperationKind.BLOB_CHUNK:
        return _judge_chunk(operation)
    return None if operation.payload is None else rejected("payload:unexpected", "")


def _shape_fault(kind: OperationKind, body: Any) -> schemas.Fault | None:
    shape = BODY_SHAPES.get(kind)
    if shape is None:
        return None
    try:
        faults = schemas.validator(shape).faults(body)
    except (ValueError, TypeError, OverflowError, RecursionError):
        # A number or a nesting beyond what the validator can hold is no shape of ours.
        return schemas.Fault(pointer="", code="type")
    return faults[0] if faults else _float_fault(shape, body)


def _float_fault(shape: str, body: Any) -> schemas.Fault | None:
    """Find a number that JSON Schema calls whole and neither tables nor ABDM do: 1.0 or 1e9.

    The shape itself says where a fraction may stand: each float is looked at with a half to it,
    which can only be too small or too large there.
    """
    halved = _halved(body)
    if halved == body:
        return None
    for fault in schemas.validator(shape).faults(halved):
        if fault.code not in _RANGES:
            return schemas.Fault(pointer=fault.pointer, code="type")
    return None


def _halved(value: Any) -> Any:
    """Give a value with a fraction in the place of every float."""
    match value:
        case Mapping():
            return {name: _halved(each) for name, each in value.items()}
        case list() | tuple():
            return [_halved(each) for each in value]
        case float():
            return 0.5
    return value


def _judge_sealed_number(kind: OperationKind, operation: Operation) -> Verdict | None:
    """What the body says of the Aadhaar number and what came sealed must be the same story."""
    is_submit = kind is OperationKind.ENROLLMENT_SUBMIT
    if is_submit != (operation.base_version == 0) or operation.base_version > VERSION_MAX:
        return rejected("version:impossible", "")
    says, sealed = "aadhaar_last4" in operation.body, operation.payload
    if sealed is None:
        # A correction may keep the number that an earlier version brought; people.py looks.
        return rejected("aadhaar:missing", "/aadhaar_last4") if says and is_submit else None
    if not says:
        return rejected("aadhaar:unannounced", "/aadhaar_last4")
    if len(sealed) != SEALED_NUMBER_BYTES:
        return rejected("aadhaar:length", "/aadhaar_last4")
    return None


def _judge_chunk(operation: Operation) -> Verdict | None:
    body = operation.body
    if not operation.payload:
        return rejected("payload:missing", "")
    if body["index"] >= body["count"]:
        return rejected("blob:index", "/index")
    if operation.record != body["sha256"][:32]:
        return rejected("blob:record", "/sha256")
    return None


def _kebab(code: str) -> str:
    """Write a schema keyword as codes are written: ``maxLength`` as ``max-length``."""
    return re.sub(r"[A-Z]", lambda letter: "-" + letter[0].lower(), code)
