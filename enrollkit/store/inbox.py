"""Where news is applied: a page and its cursor in one transaction, each entry once."""

from __future__ import annotations

import json
from collections.abc import Sequence

from enrollkit.store.audit import append_audit
from enrollkit.store.batches import doubt_durable
from enrollkit.store.database import Database, Tx
from enrollkit.store.events import NOBODY
from enrollkit.store.meta import Fact, find_fact, find_number, keep_fact, keep_number
from enrollkit.store.news import ProgrammeCheck, apply_news
from enrollkit.store.programmes import newest_serial
from sync.chains import next_feed_digest
from sync.errors import EnvelopeInvalid
from sync.ports import Clock
from sync.protocol import NO_DIGEST, FeedEntry

__all__ = ["StoredInbox"]


class StoredInbox:
    """The inbox in the database; satisfies :class:`sync.ports.Inbox`.

    ``programme`` reads and verifies the bytes of a programme file; it raises
    :class:`sync.errors.SyncError` for one that this laptop must not believe.
    """

    def __init__(self, database: Database, *, programme: ProgrammeCheck, clock: Clock) -> None:
        self._database = database
        self._programme = programme
        self._clock = clock

    def cursor(self) -> int:
        """Give the newest entry applied."""
        return self._database.read(_cursor)

    def feed_digest(self) -> bytes:
        """Give the digest of the feed up to the cursor."""
        return self._database.read(_digest)

    def rewind(self) -> None:
        """Read the news from the beginning again: the server numbers them anew."""
        now = self._clock.now()
        self._database.write(lambda tx: _rewind(tx, at=now))

    def programme_serial(self) -> int:
        """Give the serial of the programme bundle in use."""
        return self._database.read(newest_serial)

    def apply_page(self, entries: Sequence[FeedEntry], cursor: int) -> None:
        """Apply the entries and move the cursor, in one transaction.

        Entries that were applied before are passed over. ``EnvelopeInvalid``, and nothing
        changed, when one is missing before them, between them, or before ``cursor``, or when
        another entry than that one has its number here.
        """
        now = self._clock.now()
        self._database.write(lambda tx: self._apply(tx, entries, cursor, now))

    def _apply(self, tx: Tx, entries: Sequence[FeedEntry], cursor: int, now: int) -> None:
        reached = _cursor(tx)
        for entry in entries:
            if entry.seq <= reached:
                _demand_same(tx, entry)
                continue
            if entry.seq != reached + 1:
                raise EnvelopeInvalid(f"news {reached + 1} is missing")
            if not _is_known(tx, entry.id):
                result = apply_news(tx, entry, programme=self._programme, at=now)
                _keep(tx, entry, result, now)
            reached = entry.seq
            _mark(tx, entry)
        if cursor > reached:
            raise EnvelopeInvalid(f"news {reached + 1} is missing")
        keep_number(tx, Fact.CURSOR, reached)


def _cursor(tx: Tx) -> int:
    return find_number(tx, Fact.CURSOR) or 0


def _digest(tx: Tx) -> bytes:
    return find_fact(tx, Fact.FEED_DIGEST) or NO_DIGEST


def _mark(tx: Tx, entry: FeedEntry) -> None:
    """Keep the digest of the feed up to this entry."""
    digest = next_feed_digest(_digest(tx), entry.id)
    keep_fact(tx, Fact.FEED_DIGEST, digest)
    tx.execute(
        "INSERT INTO feed_marks (seq, id, digest) VALUES (?, ?, ?)", (entry.seq, entry.id, digest)
    )


def _demand_same(tx: Tx, entry: FeedEntry) -> None:
    """Check that a number means here what the page says: else the server numbered anew between."""
    row = tx.execute("SELECT id FROM feed_marks WHERE seq = ?", (entry.seq,)).fetchone()
    if row is None or row[0] != entry.id:
        raise EnvelopeInvalid(f"news {entry.seq} is another here")


def _rewind(tx: Tx, *, at: int) -> None:
    keep_number(tx, Fact.CURSOR, 0)
    keep_fact(tx, Fact.FEED_DIGEST, NO_DIGEST)
    tx.execute("DELETE FROM feed_marks")
    doubt_durable(tx)
    append_audit(tx, at=at, operator=NOBODY, action="server.news-again")


def _is_known(tx: Tx, entry_id: str) -> bool:
    return tx.execute("SELECT 1 FROM feed WHERE id = ?", (entry_id,)).fetchone() is not None


def _keep(tx: Tx, entry: FeedEntry, result: str, now: int) -> None:
    tx.execute(
        "INSERT INTO feed (id, seq, kind, record, body, at, applied_at, result) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entry.id, entry.seq, entry.kind, entry.record,
            json.dumps(dict(entry.body), ensure_ascii=False, default=repr), entry.at, now, result,
        ),
    )  # fmt: skip
