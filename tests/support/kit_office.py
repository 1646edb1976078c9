"""The office as a laptop hears of it: verdicts and news for a kit in a temp folder, no network."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from enrollkit.app.kit import Kit
from enrollkit.app.outgoing import outbox_of
from enrollkit.store.inbox import StoredInbox
from enrollkit.store.operations import operations_of
from sync.programme import open_programme
from sync.protocol import FeedEntry, Operation, Outcome, Receipt, Verdict

__all__ = ["ACCEPTED", "Office", "held", "rejected"]

ACCEPTED = Verdict(outcome=Outcome.ACCEPTED)


def held(code: str, pointer: str = "") -> Verdict:
    return Verdict(outcome=Outcome.HELD, code=code, pointer=pointer)


def rejected(code: str, pointer: str = "") -> Verdict:
    return Verdict(outcome=Outcome.REJECTED, code=code, pointer=pointer)


@dataclass
class Office:
    """Signs for what one kit sends and tells it news."""

    kit: Kit
    news_told: Any = field(default_factory=lambda: itertools.count(1))

    def offer(self) -> None:
        """Freeze what waits and call it sent; no answer comes."""
        outbox = outbox_of(self.kit._open())
        outbox.freeze()
        for batch in self._open_batches():
            outbox.note_offered(batch)

    def sign(self, verdict_of: Callable[[Operation], Verdict] = lambda _one: ACCEPTED) -> None:
        """Answer everything that was offered; photos and keys are always accepted."""
        desk = self.kit._open()
        outbox = outbox_of(desk)
        for batch in self._open_batches():
            operations = self._operations(batch.first_seq, batch.count)
            verdicts = [
                verdict_of(one) if one.kind.startswith(("enrollment.", "link.")) else ACCEPTED
                for one in operations
            ]
            receipt = Receipt(
                epoch="e0" * 8, device=desk.keys.id, incarnation=batch.incarnation,
                batch=batch.number, digest=batch.digest, verdicts=tuple(verdicts),
                durable_upto=0, server_time=desk.system.now(), nonce=b"",
            )  # fmt: skip
            outbox.apply_receipt(receipt, b"signed")

    def answer(self, verdict: Verdict = ACCEPTED) -> None:
        """Have everything sent and answered with one verdict."""
        self.offer()
        self.sign(lambda _one: verdict)

    def tell(self, kind: str, record: str, /, **body: Any) -> str:
        """Tell one piece of news; give what became of it."""
        desk = self.kit._open()
        inbox = StoredInbox(
            desk.database,
            programme=lambda raw: open_programme(raw, desk.programme.signing),
            clock=desk.system,
        )
        seq = next(self.news_told)
        entry = FeedEntry(
            seq=seq, id=f"{seq:016x}", kind=kind, at=desk.system.now(), record=record, body=body
        )
        inbox.apply_page([entry], seq)
        return str(self._ask("SELECT result FROM feed ORDER BY n DESC LIMIT 1")[0][0])

    def operations(self, record: str) -> list[Operation]:
        """Give what this laptop told of a record."""
        return self.kit._open().database.read(lambda tx: operations_of(tx, record))

    def incarnation(self) -> str:
        return outbox_of(self.kit._open()).incarnation()

    def _open_batches(self) -> list[Any]:
        outbox = outbox_of(self.kit._open())
        life = outbox.incarnation()
        found = outbox.batches_after(life, outbox.receipted_upto(life), bytes_max=10**7)
        return list(found)

    def _operations(self, first: int, count: int) -> list[Operation]:
        rows = self._ask(
            "SELECT record, seq FROM operations WHERE seq >= ? AND seq < ? ORDER BY seq",
            first,
            first + count,
        )
        return [
            next(one for one in self.operations(record) if one.seq == seq) for record, seq in rows
        ]

    def _ask(self, sql: str, *values: Any) -> list[Any]:
        database = self.kit._open().database
        rows: list[Any] = database.read(lambda tx: tx.execute(sql, values).fetchall())
        return rows
