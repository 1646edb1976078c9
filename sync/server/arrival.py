"""An operation that has arrived, and what is decided about it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection

from sync import wire
from sync.protocol import Operation, Verdict

__all__ = ["Apply", "Arrival", "Decision", "content_digest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One operation, where it came from and when (seconds, server's clock).

    ``life`` is the chain its batch is kept in. ``in_order``: everything that the laptop wrote
    before it in that life is here.
    """

    device: str
    life: str
    batch: int
    at: int
    in_order: bool
    operation: Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict; a held operation may wait for a record and is tried again when that arrives.

    ``settles``: somebody who knew both sides of a conflict about the record has decided it.
    """

    verdict: Verdict
    waits_for: str | None = None
    settles: bool = False


Apply: TypeAlias = Callable[[Connection, Arrival], Decision]


def content_digest(operation: Operation) -> bytes:
    """Give SHA-256 of everything that the operation says, without its number."""
    return hashlib.sha256(
        wire.encode(
            [
                operation.kind,
                operation.record,
                operation.base_version,
                operation.operator,
                operation.captured,
                dict(operation.body),
                operation.payload,
            ]
        )
    ).digest()
