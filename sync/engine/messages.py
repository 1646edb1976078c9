"""What goes into the session's state machine and what comes out of it: events and commands.

The runner turns commands into deeds and deeds into events; neither side knows the other's inside.
"""

from __future__ import annotations

from dataclasses import dataclass

from sync.errors import SyncError
from sync.protocol import HelloReply

__all__ = [
    "AskFeed",
    "Command",
    "Event",
    "Failed",
    "Finish",
    "Freeze",
    "Frozen",
    "GiveUp",
    "HelloAnswered",
    "HelloEnded",
    "NoteContact",
    "PageArrived",
    "Push",
    "PushEnded",
    "ReceiptArrived",
    "Rest",
    "Rested",
    "SayHello",
    "Started",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The session may begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Everything that waited lies in sealed batches now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloAnswered:
    """A verified reply, beside what this laptop knows of its own chain.

    ``digest_here`` is our digest of the batch ``reply.held_upto``; ``None`` when we never made it.
    """

    reply: HelloReply
    head: int
    receipted_upto: int
    cursor: int
    digest_here: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloEnded:
    """All receipts that came with the hello are applied; ``spent`` bytes so far, both ways."""

    spent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptArrived:
    """A receipt was verified and applied."""

    batch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PushEnded:
    """A push request was answered to its end."""

    bytes_sent: int
    seconds: float
    spent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageArrived:
    """A page of news was verified and applied; ``head`` is the server's newest entry."""

    cursor: int
    head: int
    spent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The command under way ended in an error; what was applied before it stays."""

    error: SyncError
    spent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rested:
    """The rest is over."""


Event = (
    Started | Frozen | HelloAnswered | HelloEnded | ReceiptArrived | PushEnded | PageArrived
    | Failed | Rested
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """Seal what waits into batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SayHello:
    """Greet the server; ``introduce`` sends the device's public keys along."""

    introduce: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteContact:
    """Keep what the reply taught. Done at once; the command under way goes on."""

    reply: HelloReply


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Send the batches that follow ``after``, in one request of about ``bytes_max``."""

    after: int
    bytes_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFeed:
    """Ask for the news after a cursor."""

    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Wait before the next try; ``attempt`` counts failures in a row."""

    attempt: int
    error: SyncError


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Nothing is left to do; ``limited`` when only the allowance of bytes ran out."""

    limited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Trying on would not help."""

    error: SyncError


Command = Freeze | SayHello | NoteContact | Push | AskFeed | Rest | Finish | GiveUp
