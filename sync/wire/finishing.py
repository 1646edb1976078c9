"""Steps of finishing an enrollment, and their answers, as bytes."""

from __future__ import annotations

import re
from typing import Any, Final

from sync.errors import EnvelopeInvalid
from sync.protocol import (
    FINISH_VALUES,
    LIMITS,
    FinishAction,
    FinishAnswer,
    FinishRequest,
    FinishStage,
)
from sync.wire.cbor import decode, encode
from sync.wire.checks import array_of, byte_string, hexadecimal, integer, shaped, text

__all__ = [
    "decode_finish_answer",
    "decode_finish_request",
    "encode_finish_answer",
    "encode_finish_request",
    "finish_action_number",
]

# Actions and stages travel as small integers. Numbers are for ever.
_ACTIONS: Final = (
    FinishAction.LOOK,
    FinishAction.SEND,
    FinishAction.CODE,
    FinishAction.MOBILE_SEND,
    FinishAction.MOBILE_CODE,
    FinishAction.MOBILE_SKIP,
    FinishAction.ADDRESS,
    FinishAction.ADDRESS_SKIP,
)
_STAGES: Final = (
    FinishStage.READY,
    FinishStage.WORKING,
    FinishStage.CODE_SENT,
    FinishStage.MOBILE,
    FinishStage.MOBILE_SENT,
    FinishStage.ADDRESS,
    FinishStage.DONE,
    FinishStage.REFUSED,
)
_SUBJECT: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{15}")
_SEAL_BYTES: Final = 1136
"""What HPKE adds: an encapsulation (1,120) and a tag (16)."""

_CODE_MAX: Final = 60
_POINTER_MAX: Final = 200
_HINT_MAX: Final = 40
_NAME_MAX: Final = 60


def encode_finish_request(request: FinishRequest) -> bytes:
    """Write one step of finishing."""
    return encode([
        bytes.fromhex(request.device),
        request.subject,
        finish_action_number(request.action),
        request.time,
        request.nonce,
        request.sealed,
    ])  # fmt: skip


def decode_finish_request(data: bytes) -> FinishRequest:
    """Read one step of finishing; those that need a value have one, the others none."""
    array = decode(data)

    def read() -> FinishRequest:
        device, subject, number, time, nonce, sealed = array
        action = _ACTIONS[integer(number, most=len(_ACTIONS) - 1)]
        if _SUBJECT.fullmatch(text(subject)) is None:
            raise EnvelopeInvalid("subject")
        return FinishRequest(
            device=hexadecimal(device, 8),
            subject=subject,
            action=action,
            time=integer(time),
            nonce=byte_string(nonce, 16),
            sealed=_sealed(sealed, action),
        )

    return shaped(read)


def encode_finish_answer(answer: FinishAnswer) -> bytes:
    """Write where finishing stands."""
    return encode([
        bytes.fromhex(answer.device),
        bytes.fromhex(answer.record),
        _STAGES.index(answer.stage),
        answer.code,
        answer.pointer,
        answer.hint,
        answer.again_at,
        list(answer.handles),
        answer.abha_number,
        answer.abha_address,
        answer.server_time,
        answer.nonce,
    ])  # fmt: skip


def decode_finish_answer(data: bytes) -> FinishAnswer:
    """Read where finishing stands."""
    array = decode(data)

    def read() -> FinishAnswer:
        (
            device,
            record,
            stage,
            code,
            pointer,
            hint,
            again,
            handles,
            number,
            address,
            time,
            nonce,
        ) = array
        if len(array_of(handles)) > LIMITS.finish_handles_max:
            raise EnvelopeInvalid("handles")
        return FinishAnswer(
            device=hexadecimal(device, 8),
            record=byte_string(record, 0 if record == b"" else 16).hex(),
            stage=_STAGES[integer(stage, most=len(_STAGES) - 1)],
            code=_short(code, _CODE_MAX),
            pointer=_short(pointer, _POINTER_MAX),
            hint=_short(hint, _HINT_MAX),
            again_at=integer(again),
            handles=tuple(_short(handle, _NAME_MAX) for handle in handles),
            abha_number=None if number is None else _short(number, _NAME_MAX),
            abha_address=None if address is None else _short(address, _NAME_MAX),
            server_time=integer(time),
            nonce=byte_string(nonce, 16),
        )

    return shaped(read)


def finish_action_number(action: FinishAction) -> int:
    """Give the number under which an action travels."""
    return _ACTIONS.index(action)


def _sealed(value: Any, action: FinishAction) -> bytes | None:
    if action not in FINISH_VALUES:
        if value is not None:
            raise EnvelopeInvalid("value")
        return None
    sealed = byte_string(value, 0, _SEAL_BYTES + LIMITS.finish_value_bytes_max)
    if len(sealed) <= _SEAL_BYTES:
        raise EnvelopeInvalid("value")
    return sealed


def _short(value: Any, most: int) -> str:
    if len(text(value)) > most:
        raise EnvelopeInvalid("text")
    return str(value)
