"""What must hold of the server's words before any of them is applied on the laptop.

A signature alone is not enough: an old receipt, one for another laptop or one for another batch is
signed too. Each function gives the verified word or raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from sync.errors import (
    CertificateExpired,
    ClockWrong,
    EnvelopeInvalid,
    ReceiptInvalid,
    Refused,
    SyncError,
)
from sync.ports import Envelope, Outbox
from sync.protocol import FeedPage, FeedRequest, Hello, HelloReply, Receipt, SealedBatch

__all__ = [
    "check_held",
    "check_offered",
    "check_run",
    "is_ours",
    "judge_clock",
    "open_page",
    "open_receipt",
    "open_reply",
]

_CLOCK_SECONDS_MAX: Final = 24 * 3600
"""A clock that is a day off can make a good certificate look bad; an hour off hardly can."""
_INDIA: Final = timezone(timedelta(hours=5, minutes=30))


def open_reply(raw: bytes | None, hello: Hello, envelope: Envelope) -> HelloReply:
    """Give the reply to this very hello; ``ReceiptInvalid`` for anything else."""
    if raw is None:
        raise ReceiptInvalid("no answer to the hello")
    reply = envelope.open_hello_reply(raw, hello.nonce)
    if (reply.device, reply.incarnation) != (hello.device, hello.incarnation):
        raise ReceiptInvalid("an answer to another device")
    return reply


def open_receipt(raw: bytes, *, incarnation: str, nonce: bytes, envelope: Envelope) -> Receipt:
    """Give a receipt of this request for this life; ``ReceiptInvalid`` for anything else.

    Whether it is for our bytes is still to be checked: :func:`is_ours`, :func:`check_offered`.
    """
    receipt = envelope.open_receipt(raw)
    if (receipt.device, receipt.incarnation) != (envelope.device(), incarnation):
        raise ReceiptInvalid("receipt for another device")
    if receipt.nonce != nonce:
        raise ReceiptInvalid("receipt of another request")
    return receipt


def is_ours(receipt: Receipt, outbox: Outbox) -> bool:
    """Whether a receipt is for the bytes that this laptop made.

    The server may hold another batch in the same place, which a copy of this laptop's disk sent.
    """
    head, _digest = outbox.chain_head(receipt.incarnation)
    known = receipt.batch <= head
    return known and outbox.digest_at(receipt.incarnation, receipt.batch) == receipt.digest


def check_held(receipt: Receipt, reply: HelloReply) -> None:
    """Check that a receipt that came with a hello is for a batch that the server said it holds."""
    if receipt.batch > reply.held_upto:
        raise ReceiptInvalid("receipt for a batch that is not held")


def check_offered(receipt: Receipt, offered: Mapping[int, SealedBatch]) -> None:
    """Check that the request carried the batch, and that every operation has its verdict."""
    batch = offered.get(receipt.batch)
    if batch is None or len(receipt.verdicts) != batch.count or receipt.digest != batch.digest:
        raise ReceiptInvalid("receipt for what was not sent")


def check_run(batches: Sequence[SealedBatch], after: int) -> None:
    """Check that the laptop still has the very next batch and no gap behind it.

    Only durable batches are ever let go. A server that lost even those needs a human being:
    ``Refused``.
    """
    numbers = [batch.number for batch in batches]
    if not numbers or numbers != list(range(after + 1, after + 1 + len(numbers))):
        raise Refused(f"batch {after + 1} is wanted and no longer here")


def open_page(raw: bytes, request: FeedRequest, envelope: Envelope) -> FeedPage:
    """Give the page that this request asked for, without gaps; ``EnvelopeInvalid`` otherwise."""
    page = envelope.open_feed_page(raw, request)
    expected = range(request.after + 1, request.after + 1 + len(page.entries))
    if [entry.seq for entry in page.entries] != list(expected):
        raise EnvelopeInvalid("a gap in the news")
    return page


def judge_clock(*, here: int, there: int) -> SyncError:
    """Say why a certificate does not fit the time: this clock is wrong, or the certificate is old.

    ``here`` and ``there`` are this laptop's time and the server's signed one.
    """
    if abs(here - there) > _CLOCK_SECONDS_MAX:
        return ClockWrong(here=_day(here), there=_day(there))
    return CertificateExpired()


def _day(seconds: int) -> str:
    """Give an instant in India's time, where all camps are."""
    try:
        moment = datetime.fromtimestamp(seconds, tz=UTC).astimezone(_INDIA)
    except (OverflowError, ValueError, OSError):
        return "?"
    return f"{moment:%d.%m.%Y %H:%M}"
