"""What goes into the session's state machine and what comes out of it: events and commands.

The runner turns commands into deeds and deeds into events; neither side knows the other's inside.
"""

from __future__ import annotations

from dataclasses import dataclass

from sync.errors import SyncError
from sync.protocol import HelloReply

__all__ = [
    "AskFeed",
    "BeginLife",
    "Command",
    "Deed",
    "Event",
    "Failed",
    "Finish",
    "Freeze",
    "Frozen",
    "GiveUp",
    "HelloAnswered",
    "HelloEnded",
    "Move",
    "NoteContact",
    "PageArrived",
    "Push",
    "PushEnded",
    "ReceiptArrived",
    "Rest",
    "Rested",
    "Rewind",
    "SayHello",
    "Started",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The session may begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """What could be frozen lies in sealed batches now; ``head`` is the life's newest batch."""

    head: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloAnswered:
    """A verified reply, beside what this laptop knows of its own chain and news.

    ``digest_here`` is our digest of the batch ``reply.held_upto``; ``None`` when we never made it.
    ``feed_digest_here`` is our digest of the feed up to our cursor. ``round_trip_seconds``: how
    long the answer took once the question was out, if the road knows.
    """

    reply: HelloReply
    head: int
    receipted_upto: int
    cursor: int
    digest_here: bytes | None
    feed_digest_here: bytes
    round_trip_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloEnded:
    """All receipts that came with the hello are applied.

    ``spent`` bytes so far, both ways; ``stop``: somebody asked to stop. So in all events.
    """

    spent: int = 0
    stop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptArrived:
    """A receipt was verified and applied; ``held``: some of it is, and news may say why."""

    batch: int
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PushEnded:
    """A push request was answered to its end."""

    bytes_sent: int
    seconds: float
    spent: int = 0
    stop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageArrived:
    """A page of news was verified and applied; ``head`` is the server's newest entry."""

    cursor: int
    head: int
    spent: int = 0
    stop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The command under way ended in an error; what was applied before it stays."""

    error: SyncError
    spent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rested:
    """The rest is over."""

    stop: bool = False


Event = (
    Started | Frozen | HelloAnswered | HelloEnded | ReceiptArrived | PushEnded | PageArrived
    | Failed | Rested
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginLife:
    """Close the open life and begin another. Done at once, before the next move."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """Seal what waits into batches; with ``photos``, pieces of photos if no text waits."""

    photos: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SayHello:
    """Greet the server; ``introduce`` sends the device's public keys along."""

    introduce: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteContact:
    """Keep what the reply taught. Done at once; the command under way goes on."""

    reply: HelloReply


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewind:
    """Read the news from the beginning. Done at once; the command under way goes on."""


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
    """Wait before the next try; ``attempt`` counts failures in a row.

    ``quick``: the line carried in this session and fell silent, so the next good moment is near.
    """

    attempt: int
    error: SyncError
    quick: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The session ends well.

    ``limited`` when only the allowance of bytes ran out, ``stopped`` when somebody asked for it.
    """

    limited: bool = False
    stopped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Trying on would not help."""

    error: SyncError


Deed = NoteContact | BeginLife | Rewind
"""Done at once; whatever is under way goes on."""

Move = Freeze | SayHello | Push | AskFeed | Rest | Finish | GiveUp
"""What the runner does next, one at a time."""

Command = Deed | Move
