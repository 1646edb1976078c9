"""What was asked of the practice ABDM and what became of it: the proof in a test's hand.

People appear as a keyed digest of their Aadhaar number, whose key dies with the process.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TextIO

__all__ = ["Call", "Journal", "Outcome"]

_CALLS_MAX: Final = 200_000


class Outcome:
    """What a request for a number did, as the journal calls it."""

    CREATED: Final = "created"
    FOUND: Final = "found"


@dataclass(slots=True, kw_only=True)
class Call:
    """One request. ``fate``: the fault that struck it, or ``served``; ``person``: a digest.

    ``outcome`` is set where an account was made or found; ``sent``: a whole reply left.
    """

    n: int
    at: float
    route: str
    request_id: str
    fate: str = "served"
    status: int | None = None
    code: str = ""
    person: str = ""
    outcome: str = ""
    sent: bool = False


class Journal:
    """All calls and what they did; also as JSON Lines in a file. Safe for several threads."""

    def __init__(self, clock: Callable[[], float], path: Path | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._key = secrets.token_bytes(32)
        self._calls: deque[Call] = deque(maxlen=_CALLS_MAX)
        self._count = 0
        self._creations: Counter[str] = Counter()
        self._asks: Counter[str] = Counter()
        self._grants: Counter[str] = Counter()
        self._asks_after_grant: Counter[str] = Counter()
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path else None

    def digest(self, aadhaar: str) -> str:
        """Give the name that somebody has in the journal."""
        return hmac.new(self._key, aadhaar.encode(), hashlib.sha256).hexdigest()[:24]

    def begin(self, route: str, request_id: str) -> Call:
        """Note that a request came."""
        with self._lock:
            self._count += 1
            call = Call(n=self._count, at=self._clock(), route=route, request_id=request_id[:64])
            self._calls.append(call)
            return call

    def note_ask(self, call: Call, person: str) -> None:
        """Note that somebody's number is asked for, before it is known what comes of it."""
        with self._lock:
            call.person = person
            self._asks[person] += 1
            self._asks_after_grant[person] += self._grants[person] > 0

    def note_outcome(self, call: Call, outcome: str) -> None:
        """Note that an account was made, or found."""
        with self._lock:
            call.outcome = outcome
            self._creations[call.person] += outcome == Outcome.CREATED

    def note_sent(self, call: Call) -> None:
        """Note that the whole reply leaves now: before it does, so that nobody can be faster."""
        with self._lock:
            call.sent = True
            self._grants[call.person] += bool(call.outcome)

    def end(self, call: Call) -> None:
        """Note that a request is over, and write its line."""
        with self._lock:
            if self._file is not None:
                self._file.write(json.dumps(asdict(call)) + "\n")
                self._file.flush()

    def calls(self, after: int = 0) -> list[dict[str, Any]]:
        """Give the calls behind a number, in the order in which they came."""
        with self._lock:
            return [asdict(call) for call in self._calls if call.n > after]

    def people(self) -> dict[str, dict[str, int]]:
        """Say of each person how often they were asked for and what came of it.

        ``creations``: accounts made for them, which must never be more than one. ``grants``: whole
        replies with their number that left. ``asks_after_grant``: how often they were asked for
        although such a reply had left already.
        """
        with self._lock:
            return {
                person: {
                    "asks": asks,
                    "creations": self._creations[person],
                    "grants": self._grants[person],
                    "asks_after_grant": self._asks_after_grant[person],
                }
                for person, asks in self._asks.items()
            }

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
