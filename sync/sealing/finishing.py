"""Finishing with the person present: steps signed by the laptop, answers for it alone.

What the operator types, a one-time code or a chosen handle, is sealed to the programme's *vault*
key, so that neither a proxy nor the server's own front door reads it: the worker alone does.
"""

from __future__ import annotations

from typing import Final

from sync import wire
from sync.errors import EnvelopeInvalid, ReceiptInvalid, TooLarge
from sync.protocol import LIMITS, FinishAction, FinishAnswer, FinishRequest
from sync.sealing.keys import OpeningKey, SealKey, SigningKey, VerifyKey
from sync.sealing.signed import context_of, open_signed, sign

__all__ = [
    "open_finish_answer",
    "open_finish_request",
    "open_finish_value",
    "seal_finish_answer",
    "seal_finish_value",
    "sign_finish_request",
]

_REQUEST: Final = "finish-request"
_VALUE: Final = "finish-value"
_ANSWER: Final = "finish-answer"
_PREFIX: Final = 15
"""The hex digits that a record id and its provisional number share."""


def sign_finish_request(request: FinishRequest, key: SigningKey) -> bytes:
    """Sign one step of finishing."""
    return sign(wire.encode_finish_request(request), [_REQUEST], key)


def open_finish_request(data: bytes, key: VerifyKey) -> FinishRequest:
    """Read a step that this device signed."""
    if len(data) > LIMITS.finish_bytes_max:
        raise TooLarge("finish request")
    request = wire.decode_finish_request(open_signed(data, _REQUEST, key)[1])
    if request.device != key.id:
        raise EnvelopeInvalid("device and key differ")
    return request


def seal_finish_value(
    value: str, vault: SealKey, *, device: str, subject: str, action: FinishAction, nonce: bytes
) -> bytes:
    """Seal what was typed (ASCII) for one step of one person; ``ValueError`` if it is too long."""
    plain = value.encode("ascii")
    if not 0 < len(plain) <= LIMITS.finish_value_bytes_max:
        raise ValueError("a value has 1 to 64 characters")
    return vault.seal(plain, _bound(device, subject, action, nonce))


def open_finish_value(
    sealed: bytes,
    vault: OpeningKey,
    *,
    device: str,
    subject: str,
    action: FinishAction,
    nonce: bytes,
) -> str:
    """Open what was typed; ``EnvelopeInvalid`` when it was sealed for another step.

    ``subject`` may be the whole record id where the step named its beginning.
    """
    plain = vault.open(sealed, _bound(device, subject, action, nonce))
    try:
        return plain.decode("ascii")
    except UnicodeDecodeError as error:
        raise EnvelopeInvalid("value") from error


def seal_finish_answer(answer: FinishAnswer, key: SigningKey, device: SealKey) -> bytes:
    """Seal an answer to one device and sign it."""
    meaning = [_ANSWER, bytes.fromhex(answer.device)]
    sealed = device.seal(wire.encode_finish_answer(answer), context_of(meaning, key.public.kid))
    return sign(sealed, meaning, key)


def open_finish_answer(data: bytes, key: VerifyKey, opening: OpeningKey) -> FinishAnswer:
    """Read an answer that the programme's server sealed to this device; ``ReceiptInvalid`` if not.

    Whether it answers *this* step, its nonce says.
    """
    if len(data) > LIMITS.finish_bytes_max:
        raise TooLarge("finish answer")
    try:
        meaning, sealed = open_signed(data, _ANSWER, key)
        plain = opening.open(sealed, context_of([_ANSWER, *meaning], key.kid))
        answer = wire.decode_finish_answer(plain)
    except EnvelopeInvalid as error:
        raise ReceiptInvalid(error.detail) from error
    if meaning != [bytes.fromhex(answer.device)]:
        raise ReceiptInvalid("device of a finish answer")
    return answer


def _bound(device: str, subject: str, action: FinishAction, nonce: bytes) -> bytes:
    number = wire.finish_action_number(action)
    return context_of([_VALUE, subject[:_PREFIX], number, nonce], bytes.fromhex(device))
