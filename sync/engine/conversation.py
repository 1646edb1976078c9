"""What one life of the laptop says to the server, and what it makes of the answers.

Every word of the server is verified before it is applied, every application is committed before
the machine hears of it, and nothing is believed because of an HTTP status.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from sync.engine.account import Account
from sync.engine.messages import (
    Event,
    HelloAnswered,
    HelloEnded,
    PageArrived,
    PushEnded,
    ReceiptArrived,
)
from sync.engine.telling import Teller
from sync.engine.verifying import (
    check_held,
    check_offered,
    check_run,
    is_ours,
    judge_clock,
    open_page,
    open_receipt,
    open_reply,
)
from sync.errors import ClockSkew, ReceiptInvalid, SyncError
from sync.ports import Clock, Envelope, Guard, Inbox, Outbox, Randomness, Sleeper, Transport
from sync.protocol import PROTOCOL_VERSION, FeedRequest, Hello, Outcome, Receipt, SealedBatch

__all__ = ["Conversation", "Ports"]

_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything around the engine."""

    outbox: Outbox
    inbox: Inbox
    transport: Transport
    envelope: Envelope
    clock: Clock
    sleeper: Sleeper
    guard: Guard
    randomness: Randomness


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One life's side of the talk. Each method gives the events of one move as they happen.

    ``spent`` tells how many bytes the session has cost so far; ``is_stopping`` whether somebody
    asked to stop.
    """

    ports: Ports
    account: Account
    teller: Teller
    life: str
    closed: bool
    spent: Callable[[], int]
    is_stopping: Callable[[], bool]

    def say_hello(self, *, introduce: bool) -> Iterator[Event]:
        """Greet; the reply first, then each receipt that was missing."""
        self.teller.connecting()
        ports, nonce = self.ports, self.ports.randomness.token(_NONCE_BYTES)
        hello = self._hello(nonce)
        message = ports.envelope.sign_hello(hello, introduce=introduce)
        with closing(ports.transport.hello(message)) as answers:
            reply = open_reply(next(answers, None), hello, ports.envelope)
            self.teller.heard()
            if reply.held_upto < hello.receipted_upto:
                self.teller.rolled_back()
            within = reply.held_upto <= hello.last_batch
            yield HelloAnswered(
                reply=reply,
                head=hello.last_batch,
                receipted_upto=ports.outbox.receipted_upto(self.life),
                cursor=hello.cursor,
                digest_here=(
                    ports.outbox.digest_at(self.life, reply.held_upto) if within else None
                ),
                feed_digest_here=ports.inbox.feed_digest(),
                round_trip_seconds=ports.transport.round_trip(),
            )
            for raw in answers:
                receipt = self._verified(raw, hello.incarnation, nonce)
                check_held(receipt, reply)
                if is_ours(receipt, ports.outbox):
                    yield self._settle(receipt, raw)
                elif not self.closed:
                    raise ReceiptInvalid("receipt for another batch")
        yield HelloEnded(spent=self.spent(), stop=self.is_stopping())

    def push(self, after: int, bytes_max: int) -> Iterator[Event]:
        """Send the batches after a number in one request; a receipt each."""
        ports, nonce = self.ports, self.ports.randomness.token(_NONCE_BYTES)
        batches = ports.outbox.batches_after(self.life, after, bytes_max=bytes_max)
        check_run(batches, after)
        offered = {batch.number: batch for batch in batches}
        self.teller.people()
        started = ports.clock.monotonic()
        with closing(ports.transport.push(nonce, self._offering(batches))) as answers:
            for raw in answers:
                receipt = self._verified(raw, self.life, nonce)
                check_offered(receipt, offered)
                yield self._settle(receipt, raw)
        yield PushEnded(
            bytes_sent=sum(len(batch.data) for batch in batches),
            seconds=ports.clock.monotonic() - started,
            spent=self.spent(),
            stop=self.is_stopping(),
        )

    def ask_feed(self, after: int) -> PageArrived:
        """Fetch one page of news and apply it."""
        self.teller.news()
        ports = self.ports
        request = FeedRequest(
            device=ports.envelope.device(),
            after=after,
            time=ports.clock.now(),
            nonce=self.ports.randomness.token(_NONCE_BYTES),
        )
        raw = ports.transport.feed(ports.envelope.sign_feed_request(request), after)
        page = open_page(raw, request, ports.envelope)
        cursor = after + len(page.entries)
        if page.entries:
            ports.inbox.apply_page(page.entries, cursor)
            self.account.read(len(page.entries))
        return PageArrived(
            cursor=cursor,
            head=max(page.head, cursor),
            spent=self.spent(),
            stop=self.is_stopping(),
        )

    def clock_error(self, error: ClockSkew) -> SyncError:
        """Ask the server for its signed time, so that the operator can be told what is wrong."""
        ports, nonce = self.ports, self.ports.randomness.token(_NONCE_BYTES)
        try:
            raw = ports.transport.server_time(nonce)
            there = ports.envelope.open_server_time(raw, nonce)
        except SyncError:
            return error  # nothing is known but that the certificate does not fit our clock
        return judge_clock(here=ports.clock.now(), there=there)

    def _hello(self, nonce: bytes) -> Hello:
        ports = self.ports
        number, digest = ports.outbox.chain_head(self.life)
        receipted_upto = ports.outbox.receipted_upto(self.life)
        if self.closed:
            # The newest receipt is asked for again: where a twin's chain is spoken of, it alone
            # proves that this one is still held.
            receipted_upto = min(receipted_upto, max(number - 1, 0))
        return Hello(
            version=PROTOCOL_VERSION,
            device=ports.envelope.device(),
            incarnation=self.life,
            last_batch=number,
            last_digest=digest,
            receipted_upto=receipted_upto,
            cursor=ports.inbox.cursor(),
            programme_serial=ports.inbox.programme_serial(),
            time=ports.clock.now(),
            boot=ports.clock.boot(),
            monotonic=int(ports.clock.monotonic()),
            nonce=nonce,
        )

    def _offering(self, batches: Sequence[SealedBatch]) -> Iterator[SealedBatch]:
        """Give the batches to the road one by one; each is on disk as offered before it leaves."""
        for batch in batches:
            count = self.ports.outbox.note_offered(batch)
            self.account.offered(batch.incarnation, batch.number, count)
            yield batch
            self.teller.people()
            if self.is_stopping():
                return

    def _verified(self, raw: bytes, incarnation: str, nonce: bytes) -> Receipt:
        envelope = self.ports.envelope
        return open_receipt(raw, incarnation=incarnation, nonce=nonce, envelope=envelope)

    def _settle(self, receipt: Receipt, raw: bytes) -> ReceiptArrived:
        self.account.settled(self.ports.outbox.apply_receipt(receipt, raw))
        self.teller.heard()
        self.teller.people()
        held = any(verdict.outcome is Outcome.HELD for verdict in receipt.verdicts)
        return ReceiptArrived(batch=receipt.batch, held=held)
