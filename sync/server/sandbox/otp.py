"""One-time codes of practice: random, shown on the practice page, never sent to any telephone."""

from __future__ import annotations

import hmac
import secrets
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sync.server.sandbox.accounts import Account
from sync.server.sandbox.replies import Refused, coded
from sync.server.sandbox.rules import Rule

__all__ = ["Codes", "Transaction"]

_VALID_SECONDS: Final = 600
"""A code's life (NHA, M1)."""
_RESEND_SECONDS: Final = 60
_SENDS_MAX: Final = 3
_TRIES_MAX: Final = 3
_LIFE_SECONDS: Final = 1800
_SHOWN_SECONDS: Final = 600


@dataclass(slots=True, kw_only=True, repr=False)
class Transaction:
    """What begins with a code. ``mobile`` is what is being proven; ``account`` once there is one.

    ``purpose``: ``aadhaar`` until somebody is enrolled by it, then ``mobile``.
    """

    id: str
    begun_at: float
    digest: str
    rule: Rule | None = None
    account: Account | None = None
    purpose: str = ""
    mobile: str | None = None
    code: str = ""
    to: str = ""
    sent_at: float = 0.0
    sends: int = 0
    tries: int = 0


class Codes:
    """All transactions in memory. Safe for several threads; ``tell`` is told of each new code."""

    def __init__(self, clock: Callable[[], float], tell: Callable[[str], None]) -> None:
        self._clock, self._tell = clock, tell
        self._lock = threading.Lock()
        self._open: dict[str, Transaction] = {}

    def begin(self, digest: str, rule: Rule | None) -> Transaction:
        """Begin for somebody's Aadhaar number; no code is sent yet."""
        with self._lock:
            now = self._clock()
            self._open = {
                key: one
                for key, one in self._open.items()
                if now - max(one.begun_at, one.sent_at) < _LIFE_SECONDS
            }
            begun = Transaction(id=str(uuid.uuid4()), begun_at=now, digest=digest, rule=rule)
            self._open[begun.id] = begun
            return begun

    def find(self, txn_id: object) -> Transaction:
        """Find one that is still open, or refuse."""
        with self._lock:
            found = self._open.get(txn_id) if isinstance(txn_id, str) else None
            if found is None or self._clock() - max(found.begun_at, found.sent_at) > _LIFE_SECONDS:
                raise late()
            return found

    def send(self, transaction: Transaction, *, purpose: str, to: str, mobile: str | None) -> None:
        """Make a new code, a minute after the last one at the earliest, three times at most."""
        with self._lock:
            is_again = transaction.purpose == purpose
            waited = self._clock() - transaction.sent_at
            if is_again and (waited < _RESEND_SECONDS or transaction.sends >= _SENDS_MAX):
                raise too_many()
            transaction.purpose, transaction.to, transaction.mobile = purpose, to, mobile
            transaction.code = f"{secrets.randbelow(10**6):06d}"
            transaction.sent_at = self._clock()
            transaction.sends = transaction.sends + 1 if is_again else 1
            transaction.tries = 0
            self._tell(f"PRACTICE code {transaction.code} for the {to}")

    def is_right(self, transaction: Transaction, *, purpose: str, code: str) -> bool:
        """Whether it is the code that was sent; it opens once. Refuse when it is too late.

        The fourth wrong one is refused unseen.
        """
        with self._lock:
            if transaction.purpose != purpose or not transaction.code:
                raise late()
            if self._clock() - transaction.sent_at > _VALID_SECONDS:
                raise late()
            if transaction.tries >= _TRIES_MAX:
                raise too_many()
            transaction.tries += 1
            return hmac.compare_digest(code.encode(), transaction.code.encode())

    def spend(self, transaction: Transaction) -> None:
        """Let a code open nothing more."""
        with self._lock:
            transaction.code = ""

    def shown(self) -> list[dict[str, Any]]:
        """Give the codes of the last ten minutes, the newest first."""
        with self._lock:
            now = self._clock()
            found = [
                {"code": one.code, "to": one.to, "at": one.sent_at, "txn_id": one.id}
                for one in self._open.values()
                if one.code and now - one.sent_at <= _SHOWN_SECONDS
            ]
        return sorted(found, key=lambda one: -float(str(one["at"])))


def late() -> Refused:
    """Refuse a code or a transaction whose time is over, or that never was."""
    return coded(400, "ABDM-1017", "Invalid Transaction Id")


def too_many() -> Refused:
    """Refuse one code or one try too many."""
    words = "Multiple OTPs requested or attempts exceeded for this transaction"
    return coded(422, "ABDM-1100", words)
