"""What the engine needs from the laptop around it, as Protocols that the kit satisfies.

The engine imports nothing of the kit: the kit's store fulfils these by shape and its composition
root hands it in. That is why there is no circle.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sync.protocol import (
    FeedEntry,
    FeedPage,
    FeedRequest,
    Hello,
    HelloReply,
    Receipt,
    SealedBatch,
)

__all__ = [
    "Clock",
    "Envelope",
    "Guard",
    "Inbox",
    "Outbox",
    "Randomness",
    "Sleeper",
    "Tally",
    "Transport",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many operations a receipt settled for the first time, by outcome.

    Only ``enrollment.*`` and ``link.*`` operations count: these figures are shown to people.
    """

    accepted: int = 0
    duplicate: int = 0
    held: int = 0
    rejected: int = 0

    @property
    def total(self) -> int:
        """Give how many operations have their verdict now and had none before."""
        return self.accepted + self.duplicate + self.held + self.rejected


class Outbox(Protocol):
    """The queue of sealed batches on the laptop. Every method commits before it returns."""

    def incarnation(self) -> str:
        """Which life of this device is writing (16 hex digits)."""

    def closed_lives(self) -> Sequence[str]:
        """Give the earlier lives, oldest first, whose batches the server may not keep for good."""

    def begin_life(self) -> str:
        """Close the life that is open and begin another; give its incarnation.

        What was frozen stays as it is and is offered as a batch of its own life.
        """

    def freeze(self, *, photos: bool) -> int:
        """Seal waiting operations into batches of the open life, persist them, say how many.

        Text first: pieces of photos are frozen only with ``photos``, when no text waits, and only
        so many that text which comes meanwhile need not wait long.
        """

    def chain_head(self, incarnation: str) -> tuple[int, bytes]:
        """Give number and digest of a life's newest batch; ``(0, 32 zero bytes)`` for none."""

    def receipted_upto(self, incarnation: str) -> int:
        """Give the number up to which every batch of a life has a verified receipt."""

    def digest_at(self, incarnation: str, number: int) -> bytes | None:
        """Give the digest of one batch; 32 zero bytes for 0, ``None`` when it was never made."""

    def waiting(self) -> int:
        """Give how many ``enrollment.*`` and ``link.*`` operations have no verified receipt yet.

        Operations that are not frozen into a batch yet count too.
        """

    def is_approved(self) -> bool:
        """Whether the last verified hello reply said that this device is approved."""

    def batches_after(
        self, incarnation: str, number: int, *, bytes_max: int
    ) -> Sequence[SealedBatch]:
        """Give a life's batches that follow ``number``, in order, at least one if there is any."""

    def bytes_waiting(self) -> int:
        """Give about how many bytes would have to travel for everything without a receipt."""

    def note_offered(self, batch: SealedBatch) -> int:
        """Note, before its first byte leaves, that a batch is offered: its records are *sent*.

        Give how many ``enrollment.*`` and ``link.*`` operations lie in it. Again changes nothing.
        """

    def apply_receipt(self, receipt: Receipt, raw: bytes) -> Tally:
        """Store a verified receipt and its verdicts in one transaction; again changes nothing.

        The digest must be that of the stored batch, and there must be one verdict for each of its
        operations; ``ReceiptInvalid`` otherwise. The tally counts operations that had no verdict
        before: all zeros the second time.
        """

    def note_contact(self, reply: HelloReply) -> None:
        """Keep what a verified hello taught: epoch, durable mark, server time, approval.

        Called for pending and revoked devices too, never for a reply about another chain.
        """


class Inbox(Protocol):
    """Where news is applied."""

    def cursor(self) -> int:
        """Give the newest entry applied."""

    def feed_digest(self) -> bytes:
        """Give the digest of the feed up to the cursor (:func:`sync.chains.next_feed_digest`)."""

    def rewind(self) -> None:
        """Read the news from the beginning again: the server numbers them anew."""

    def programme_serial(self) -> int:
        """Give the serial of the programme bundle in use."""

    def apply_page(self, entries: Sequence[FeedEntry], cursor: int) -> None:
        """Apply the entries and move the cursor, in one transaction; no gap is accepted.

        An entry whose id was applied before, under whatever number, is passed over.
        """


class Transport(Protocol):
    """A road to the server. Raises only :class:`sync.errors.SyncError`.

    Replies are returned as raw signed bytes: who verifies is not the road. Closing a generator
    hangs up. An error that ``batches`` raises passes through unchanged.
    """

    def hello(self, message: bytes) -> Generator[bytes, None, None]:
        """Send a signed hello; give the signed reply, then the missing receipts."""

    def push(self, nonce: bytes, batches: Iterable[SealedBatch]) -> Generator[bytes, None, None]:
        """Stream batches; give the signed receipts as they arrive."""

    def feed(self, request: bytes, after: int) -> bytes:
        """Ask for the news after a cursor with a signed request; give one sealed page."""

    def server_time(self, nonce: bytes) -> bytes:
        """Ask what the server's clock says, signed; for an operator whose clock is wrong.

        The one question that is asked though the certificate does not hold: it carries nothing but
        the nonce, and its answer is believed for its signature alone.
        """

    def traffic(self) -> tuple[int, int, int]:
        """Give bytes sent, bytes received and requests made so far (bodies and heads)."""

    def round_trip(self) -> float | None:
        """Give the seconds from the newest request's last byte to its answer's first, if known."""


class Clock(Protocol):
    """Time as the engine sees it."""

    def now(self) -> int:
        """Give claimed wall time in seconds since 1970 UTC."""

    def monotonic(self) -> float:
        """Give seconds that never run backwards while the machine runs."""

    def boot(self) -> bytes:
        """Name this run of the machine (8 bytes): ``monotonic`` starts anew with the next."""


class Sleeper(Protocol):
    """How the engine waits."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Randomness(Protocol):
    """Where nonces and jitter come from."""

    def token(self, size: int) -> bytes:
        """Give ``size`` unpredictable bytes."""


class Guard(Protocol):
    """Keeps a second session of this laptop away."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Hold the one session; ``SyncBusy`` when another process holds it."""


class Envelope(Protocol):
    """Signs for the device and checks for the programme; holds the keys, shows none."""

    def device(self) -> str:
        """Give the device's id (16 hex digits)."""

    def sign_hello(self, hello: Hello, *, introduce: bool) -> bytes:
        """Write and sign a hello; ``introduce`` puts the device's public keys into it."""

    def open_hello_reply(self, raw: bytes, nonce: bytes) -> HelloReply:
        """Check signature and nonce; ``ReceiptInvalid`` when either fails."""

    def open_receipt(self, raw: bytes) -> Receipt:
        """Check the signature; ``ReceiptInvalid`` when it fails."""

    def open_server_time(self, raw: bytes, nonce: bytes) -> int:
        """Check signature and nonce of the server's time; ``ReceiptInvalid`` when either fails."""

    def sign_feed_request(self, request: FeedRequest) -> bytes:
        """Write and sign a feed request."""

    def open_feed_page(self, raw: bytes, request: FeedRequest) -> FeedPage:
        """Check signature, unseal, compare with the request; ``EnvelopeInvalid`` if not."""
