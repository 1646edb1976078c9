"""The faults of the road and of the two disks: an id for each, taken from the lessons.

``FAULTS`` is the table of docs/SIMULATION.md. What a road does with each id is in road.py; what a
disk does, in fuses.py.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["FAULTS", "Fault", "draw_faults"]

FAULTS: Final[Mapping[str, str]] = MappingProxyType({
    # Nothing arrives, or too late.
    "no-network": "the request never leaves",
    "request-cut": "the request breaks off at byte k; what was whole before is taken",
    "reply-lost": "the request arrives, the answer does not (the classic duplicate)",
    "reply-cut": "the answer breaks off at byte k",
    "reply-ends-early": "the answer ends cleanly before its last item",
    "reply-silent": "the answer stops in the middle, for ever (half-open connection)",
    "reply-delayed": "the answer comes to the next request instead, with the old nonce",
    # Something else arrives.
    "request-flipped": "a bit of the request is flipped on the way",
    "reply-flipped": "a bit of one item of the answer is flipped",
    "reply-truncated": "one item of the answer is cut and framed as if it were whole",
    "reply-doubled": "each item of the answer comes twice",
    "reply-reordered": "the items of the answer come in another order",
    "request-replayed": "a proxy sends the request once more, now",
    "request-replayed-later": "a proxy sends the request once more, at the end of the session",
    "takes-interleaved": "the same request is served twice at once",
    # Somebody else answers.
    "portal": "200 with the HTML of a login page",
    "redirect": "302 to a login page",
    "not-found": "404 of another server",
    "too-large": "413 from a proxy",
    "too-many": "429 with Retry-After",
    "unavailable": "503 with Retry-After",
    "bad-gateway": "502",
    "gateway-timeout": "504, though the server took the request",
    "server-error": "500 of the server itself",
    "tls-clock": "the certificate does not hold at this laptop's time",
    "tls-foreign": "somebody opens secure connections on the way",
    # Somebody lies.
    "receipt-forged": "receipts signed with a courier's key",
    "receipt-old": "receipts recorded earlier in the place of fresh ones",
    "receipt-other-device": "receipts of another laptop",
    "receipt-other-batch": "the receipt of another batch of this laptop",
    "news-old": "a page of news recorded earlier",
    "news-other-device": "a page of news of another laptop",
    # The server fails.
    "server-dies-before-commit": "the server's process ends in its k-th transaction",
    "server-dies-after-commit": "the same, after the commit and before the answer",
    # The laptop fails.
    "power-cut-before-commit": "the laptop's power fails in its k-th transaction",
    "power-cut-after-commit": "the same, after the commit",
    "torn-log": "the same, and half a page of rubbish lies at the end of the write-ahead log",
    "disk-full": "the laptop's k-th commit finds no room",
    "database-busy": "the laptop's k-th commit meets another program's lock",
    # Things happen while the session runs.
    "saved-meanwhile": "people are enrolled and corrected while their batch is on the road",
    "second-session": "another window of the laptop sends too",
    "server-restored-meanwhile": "the server goes back to a snapshot between two requests",
    "clock-jumps-meanwhile": "the wall clock jumps between two requests",
    "news-meanwhile": "the office has news between hello and feed",
})  # fmt: skip


_OFTEN: Final = (
    "reply-lost", "takes-interleaved", "takes-interleaved", "receipt-old", "receipt-other-batch",
    "power-cut-before-commit", "power-cut-after-commit", "saved-meanwhile",
)  # fmt: skip
"""Drawn more often than the others: they need company to do harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of one session: the rule, at which request (from 0), and how far into it."""

    rule: str
    at: int
    share: float
    """Between 0 and 1: of the bytes or items; where the rule counts, more of it is later."""

    def __str__(self) -> str:
        return f"{self.rule}@{self.at}:{self.share:.2f}"

    def count(self, most: int) -> int:
        """Give a number from 1 to ``most``."""
        return 1 + min(most - 1, int(self.share * most))


def draw_faults(dice: random.Random) -> tuple[Fault, ...]:
    """Draw the faults of one session: often none, seldom more than two."""
    if dice.random() < 0.05:
        # Somebody keeps an answer back and brings an older one in its place.
        kept = Fault(rule="reply-lost", at=1, share=dice.random())
        return kept, Fault(rule="receipt-old", at=2, share=dice.random())
    many = dice.choice([0, 0, 1, 1, 1, 2, 2, 3])
    rules = [*sorted(FAULTS), *_OFTEN]
    return tuple(
        Fault(
            rule=dice.choice(rules), at=dice.choice([0, 1, 1, 1, 2, 2, 3, 4]), share=dice.random()
        )
        for _ in range(many)
    )
