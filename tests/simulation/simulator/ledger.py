"""What the world remembers of every operation that was ever committed, and where it still is.

The program knows nothing of this book. It is written from the laptops' own tables after each
event, so that it also holds what a power cut kept from being told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from simulator.laptop import Laptop
from simulator.office import Office
from sync.bundle import decode_bundle
from sync.errors import SyncError
from sync.protocol import Operation
from sync.server.arrival import content_digest

__all__ = ["Entry", "Ledger", "Lost", "batches_in"]

_SQL = (
    "SELECT o.seq, o.record, o.kind, o.base_version, o.body, o.payload, o.operator, o.captured, "
    "o.incarnation, o.batch, "
    "CASE WHEN length(b.data) > 0 THEN b.digest END FROM operations o LEFT JOIN batches b "
    "ON b.incarnation = o.incarnation AND b.number = o.batch"
)


def batches_in(files: Iterable[bytes]) -> Iterator[bytes]:
    """Give the batches of bundles, as far as they are whole; other files have none."""
    for data in files:
        with suppress(SyncError):
            yield from decode_bundle(data).batches


class Lost(AssertionError):
    """An oracle's verdict: what the program promised is not so."""


@dataclass(slots=True, kw_only=True)
class Entry:
    """One operation: what it said, and who saved it first."""

    kind: str
    record: str
    laptop: str
    seq: int
    destroyed: bool = False
    """Whether its last copy went with a disk or stick: then nobody can ask for it."""

    def __str__(self) -> str:
        return f"{self.kind} {self.laptop}/{self.seq}"


@dataclass(slots=True)
class Ledger:
    """All operations by the digest of their content."""

    entries: dict[bytes, Entry] = field(default_factory=dict)
    batches: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    """Operations of each batch ever frozen, by the batch's digest."""
    sizes: dict[bytes, int] = field(default_factory=dict)
    """Bytes of each batch ever frozen, by its digest."""
    _seen: dict[tuple[Any, ...], bytes] = field(default_factory=dict)

    def read_laptop(self, laptop: Laptop) -> set[bytes]:
        """Write down what is new on a laptop; give what can still be sent from there."""
        here: set[bytes] = set()
        members: dict[bytes, list[bytes]] = {}
        for row in laptop.rows(_SQL):
            digest = self._digest(row[:8])
            if digest not in self.entries:
                self.entries[digest] = Entry(
                    kind=row[2], record=row[1], laptop=laptop.name, seq=row[0]
                )
            if row[8] is None or row[10] is not None:
                here.add(digest)
            if row[10] is not None:
                members.setdefault(bytes(row[10]), []).append(digest)
        for batch, size in laptop.rows("SELECT digest, length(data) FROM batches"):
            self.sizes[bytes(batch)] = max(size, self.sizes.get(bytes(batch), 0))
        for batch, digests in members.items():
            self.batches[batch] = tuple(digests)
        return here

    def read_office(self, office: Office) -> set[bytes]:
        """Give what the server holds."""
        return {bytes(digest) for (digest,) in office.rows("SELECT digest FROM operations")}

    def in_batches(self, batches: Iterable[bytes]) -> set[bytes]:
        """Give the operations of some sealed batches, by their bytes."""
        found: set[bytes] = set()
        for data in batches:
            found.update(self.batches.get(hashlib.sha256(data).digest(), ()))
        return found

    def check(self, places: Mapping[str, set[bytes]], before: Mapping[str, set[bytes]],
              disasters: AbstractSet[str]) -> None:  # fmt: skip
        """O1: everything is somewhere, or went with a place that was destroyed just now."""
        everywhere: set[bytes] = set().union(*places.values())
        for digest, entry in self.entries.items():
            if digest in everywhere:
                entry.destroyed = False
            elif not entry.destroyed:
                was_in = {name for name, held in before.items() if digest in held}
                if not was_in <= disasters:
                    raise Lost(f"O1 {entry} was in {sorted(was_in)} and is nowhere")
                entry.destroyed = True

    def check_arrived(self, office: AbstractSet[bytes]) -> None:
        """O1 at the end: what still existed anywhere has come to the server."""
        for digest, entry in self.entries.items():
            if digest not in office and not entry.destroyed:
                raise Lost(f"O1 {entry} never came to the server")

    def _digest(self, row: tuple[Any, ...]) -> bytes:
        seq, record, kind, base_version, body, payload, operator, captured = row
        key = (seq, record, kind, base_version, captured, hash(body))
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = content_digest(
                Operation(
                    seq=seq,
                    record=record,
                    kind=kind,
                    base_version=base_version,
                    body=json.loads(body),
                    operator=operator,
                    captured=captured,
                    payload=payload,
                )
            )
        return found
