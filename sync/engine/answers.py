"""What an HTTP answer that is not a plain success means: one table, free of any HTTP library.

A status says who may have answered, never what became of a record: captive portals answer 200,
and nothing here changes any state on the laptop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

from sync import wire
from sync.errors import (
    ChainForked,
    DevicePending,
    DeviceRevoked,
    DeviceUnknown,
    EnvelopeInvalid,
    Portal,
    ProtocolMismatch,
    Refused,
    ServerUnavailable,
    SyncError,
    Timeout,
    TooLarge,
)

__all__ = ["CBOR_TYPE", "SEQUENCE_TYPE", "AnswerHead", "is_answer", "refusal"]

SEQUENCE_TYPE: Final = "application/cbor-seq"
"""RFC 8742, section 6.3."""
CBOR_TYPE: Final = "application/cbor"
"""RFC 8949, section 9.5: a page of news, or an error map."""

_CODE_CHARACTERS_MAX: Final = 40
_RETRY_AFTER_DIGITS_MAX: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerHead:
    """The few parts of an answer's head that mean anything. Absent headers are empty."""

    status: int
    content_type: str = ""
    content_encoding: str = ""
    retry_after: str = ""
    date: str = ""


def is_answer(head: AnswerHead, media_type: str) -> bool:
    """Whether a body that may hold signed messages follows."""
    plain = head.content_encoding.strip().lower() in {"", "identity"}
    return head.status == 200 and _media_type(head) == media_type and plain  # noqa: PLR2004 - RFC 9110, 15.3.1


def refusal(head: AnswerHead, body: bytes) -> SyncError:
    """Give the error that any other answer stands for.

    ``body`` is its beginning; it is read only if it claims to be our server's error map.
    """
    ours = _error_map(head, body)
    if ours is not None:
        return _from_code(ours, head)
    match head.status:
        case 413:
            return TooLarge("413")
        case 408 | 504:
            return Timeout(str(head.status))
        case 511 | 407:
            return Portal(str(head.status))
        case status if status in {425, 429} or 500 <= status <= 599:  # noqa: PLR2004 - RFC 9110, 15
            return ServerUnavailable(str(status), retry_after_seconds=_retry_after(head))
        case status:
            # 200 with HTML, a redirect to a login, a 404 of another server: somebody else's page.
            return Portal(f"{status} {_media_type(head)[:_CODE_CHARACTERS_MAX]}")


def _error_map(head: AnswerHead, body: bytes) -> Mapping[str, Any] | None:
    if head.status < 400 or _media_type(head) != CBOR_TYPE:  # noqa: PLR2004 - RFC 9110, 15.5
        return None
    try:
        value = wire.decode(body)
    except EnvelopeInvalid:
        return None  # not ours after all: the status must speak
    return value if isinstance(value, dict) and isinstance(value.get("code"), str) else None


def _from_code(value: Mapping[str, Any], head: AnswerHead) -> SyncError:
    code: str = value["code"]
    if code == "busy":
        return ServerUnavailable(code, retry_after_seconds=_retry_after(head))
    # A server may know codes that are younger than this program: then the status must do.
    make = _CODES.get(code, Refused if head.status < 500 else ServerUnavailable)  # noqa: PLR2004 - RFC 9110, 15.6
    return make(code[:_CODE_CHARACTERS_MAX])


_CODES: Final[Mapping[str, Callable[[str], SyncError]]] = {
    "device-unknown": DeviceUnknown,
    # The session knows the code that the operator must read out; the road does not.
    "device-pending": lambda detail: DevicePending(detail, approval_code=""),
    "device-revoked": DeviceRevoked,
    "chain-forked": ChainForked,
    "too-large": TooLarge,
    "protocol-mismatch": ProtocolMismatch,
    "bad-request": Refused,
    "too-slow": Timeout,
}


def _retry_after(head: AnswerHead) -> int | None:
    """Read seconds or a date (RFC 9110, 10.2.3); a date counts from the answer's own ``Date``.

    The laptop's clock may say 2019 and has no part in it.
    """
    text = head.retry_after.strip()
    if text.isascii() and text.isdigit():
        return int(text[:_RETRY_AFTER_DIGITS_MAX])
    try:
        seconds = (parsedate_to_datetime(text) - parsedate_to_datetime(head.date)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None  # absent or unreadable: the usual back-off is enough
    return max(0, round(seconds))


def _media_type(head: AnswerHead) -> str:
    return head.content_type.partition(";")[0].strip().lower()
