"""Does what the session's state machine asks for, over ports; the one place where both meet.

Every word of the server is verified before it is applied, every application is committed before
the machine hears of it, and nothing is believed because of an HTTP status.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import assert_never

from sync.engine.account import Account, Progress, Summary
from sync.engine.messages import (
    AskFeed,
    BeginLife,
    Command,
    Deed,
    Event,
    Failed,
    Finish,
    Freeze,
    Frozen,
    GiveUp,
    HelloAnswered,
    HelloEnded,
    Move,
    NoteContact,
    PageArrived,
    Push,
    PushEnded,
    ReceiptArrived,
    Rest,
    Rested,
    Rewind,
    SayHello,
    Started,
)
from sync.engine.pacing import Pace, Pacing, rest_seconds
from sync.engine.session import Session, open_session, step
from sync.engine.telling import Teller, Words
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
from sync.errors import ClockSkew, ReceiptInvalid, ServerUnavailable, SyncError
from sync.ports import Clock, Envelope, Guard, Inbox, Outbox, Randomness, Sleeper, Transport
from sync.protocol import PROTOCOL_VERSION, FeedRequest, Hello, Receipt, SealedBatch

__all__ = ["Ports", "deliver"]

_NONCE_BYTES = 16
_GLANCE_SECONDS = 1.0
"""How often a rest looks whether somebody asked to stop."""


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


def deliver(
    ports: Ports,
    *,
    approval_code: str,
    pacing: Pacing | None = None,
    limit_bytes: int | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    words: Words = str,
) -> Summary:
    """Run one whole session and say how it ended; a ``SyncError`` is in the summary, not raised.

    ``approval_code`` is what a device that waits for approval must read to the office.
    ``is_stopping`` is asked between batches: when it says so, the session ends there. Raises
    ``SyncBusy`` when another session runs, and whatever the laptop's own store raises.
    """
    with ports.guard.exclusive():
        runner = _Runner(ports, pacing or Pacing(), on_progress, words, is_stopping)
        return runner.run(approval_code=approval_code, limit_bytes=limit_bytes)


class _Runner:
    def __init__(
        self,
        ports: Ports,
        pacing: Pacing,
        on_progress: Callable[[Progress], None],
        words: Words,
        is_stopping: Callable[[], bool],
    ) -> None:
        self._ports = ports
        self._pacing = pacing
        self._is_stopping = is_stopping
        self._account = Account()
        self._before = ports.transport.traffic()
        self._life = ports.outbox.incarnation()
        self._closed = False
        self._pace = Pace.first(pacing)
        self._teller = Teller(
            self._account,
            self._traffic,
            left=self._left,
            monotonic=ports.clock.monotonic,
            on_progress=on_progress,
            words=words,
        )

    def run(self, *, approval_code: str, limit_bytes: int | None) -> Summary:
        """Run the open life's session, then bring home what closed lives still miss."""
        started = self._ports.clock.monotonic()
        ended = [self._run_life(approval_code, limit_bytes, closed=False)]
        for life in self._ports.outbox.closed_lives():
            if not _went_through(ended[-1]):
                break
            self._life = life
            ended.append(self._run_life(approval_code, limit_bytes, closed=True))
        last = ended[-1].end
        summary = self._account.close(
            traffic=self._traffic(),
            seconds=self._ports.clock.monotonic() - started,
            waiting=self._ports.outbox.waiting(),
            rolled_back=any(life.session.rolled_back for life in ended),
            forked=any(life.session.forked for life in ended),
            limited=isinstance(last, Finish) and last.limited,
            stopped=isinstance(last, Finish) and last.stopped,
            pace=self._pace,
            error=last.error if isinstance(last, GiveUp) else None,
        )
        self._teller.done(summary)
        return summary

    def _run_life(self, approval_code: str, limit_bytes: int | None, *, closed: bool) -> _Ended:
        self._closed = closed
        session = open_session(
            pacing=self._pacing,
            approval_code=approval_code,
            introduce=not self._ports.outbox.is_approved(),
            limit_bytes=limit_bytes,
            closed=closed,
        )
        session, commands = step(session, Started())
        move = self._next_move(commands)
        while not isinstance(move, Finish | GiveUp | None):
            session, move = self._make(session, move)
        assert move is not None  # noqa: S101 - the machine always names the next move
        return _Ended(session=session, end=move)

    def _make(self, session: Session, move: Move) -> tuple[Session, Move]:
        """Carry out one command until the machine asks for another."""
        with closing(self._events(move)) as events:
            for event in events:
                session, commands = step(session, event)
                self._pace = session.pace
                following = self._next_move(commands)
                if following is not None:
                    return session, following
        raise AssertionError(f"nothing follows {type(move).__name__}")

    def _next_move(self, commands: Sequence[Command]) -> Move | None:
        """Do at once what interrupts nothing; give the command that comes next, if any."""
        moves: list[Move] = []
        for command in commands:
            if isinstance(command, Deed):
                self._do(command)
            else:
                moves.append(command)
        return moves[0] if moves else None

    def _do(self, deed: Deed) -> None:
        match deed:
            case NoteContact(reply=reply):
                self._ports.outbox.note_contact(reply)
            case BeginLife():
                self._life = self._ports.outbox.begin_life()
                self._teller.new_life()
            case Rewind():
                self._ports.inbox.rewind()
            case _:
                assert_never(deed)

    def _events(self, move: Move) -> Generator[Event, None, None]:
        try:
            yield from self._carry_out(move)
        except ClockSkew as error:
            yield Failed(error=self._clock_error(error), spent=self._spent())
        except SyncError as error:
            yield Failed(error=error, spent=self._spent())

    def _carry_out(self, move: Move) -> Iterator[Event]:
        match move:
            case Freeze(photos=photos):
                self._ports.outbox.freeze(photos=photos)
                self._account.expect(self._ports.outbox.waiting())
                yield Frozen(head=self._ports.outbox.chain_head(self._life)[0])
            case SayHello(introduce=introduce):
                yield from self._say_hello(introduce=introduce)
            case Push(after=after, bytes_max=bytes_max):
                yield from self._push(after, bytes_max)
            case AskFeed(after=after):
                yield self._ask_feed(after)
            case Rest():
                self._rest(move)
                yield Rested(stop=self._is_stopping())
            case Finish() | GiveUp():
                raise AssertionError(f"{type(move).__name__} is no move")
            case _:
                assert_never(move)

    def _say_hello(self, *, introduce: bool) -> Iterator[Event]:
        self._teller.connecting()
        ports, nonce = self._ports, self._ports.randomness.token(_NONCE_BYTES)
        hello = self._hello(nonce)
        message = ports.envelope.sign_hello(hello, introduce=introduce)
        with closing(ports.transport.hello(message)) as answers:
            reply = open_reply(next(answers, None), hello, ports.envelope)
            self._teller.heard()
            if reply.held_upto < hello.receipted_upto:
                self._teller.rolled_back()
            within = reply.held_upto <= hello.last_batch
            yield HelloAnswered(
                reply=reply,
                head=hello.last_batch,
                receipted_upto=hello.receipted_upto,
                cursor=hello.cursor,
                digest_here=(
                    ports.outbox.digest_at(self._life, reply.held_upto) if within else None
                ),
                feed_digest_here=ports.inbox.feed_digest(),
                round_trip_seconds=ports.transport.round_trip(),
            )
            for raw in answers:
                receipt = self._verified(raw, hello.incarnation, nonce)
                check_held(receipt, reply)
                if is_ours(receipt, ports.outbox):
                    yield self._settle(receipt, raw)
                elif not self._closed:
                    raise ReceiptInvalid("receipt for another batch")
        yield HelloEnded(spent=self._spent(), stop=self._is_stopping())

    def _hello(self, nonce: bytes) -> Hello:
        ports = self._ports
        number, digest = ports.outbox.chain_head(self._life)
        return Hello(
            version=PROTOCOL_VERSION,
            device=ports.envelope.device(),
            incarnation=self._life,
            last_batch=number,
            last_digest=digest,
            receipted_upto=ports.outbox.receipted_upto(self._life),
            cursor=ports.inbox.cursor(),
            programme_serial=ports.inbox.programme_serial(),
            time=ports.clock.now(),
            boot=ports.clock.boot(),
            monotonic=int(ports.clock.monotonic()),
            nonce=nonce,
        )

    def _push(self, after: int, bytes_max: int) -> Iterator[Event]:
        ports, nonce = self._ports, self._ports.randomness.token(_NONCE_BYTES)
        batches = ports.outbox.batches_after(self._life, after, bytes_max=bytes_max)
        check_run(batches, after)
        offered = {batch.number: batch for batch in batches}
        self._teller.people()
        started = ports.clock.monotonic()
        with closing(ports.transport.push(nonce, self._offering(batches))) as answers:
            for raw in answers:
                receipt = self._verified(raw, self._life, nonce)
                check_offered(receipt, offered)
                yield self._settle(receipt, raw)
        yield PushEnded(
            bytes_sent=sum(len(batch.data) for batch in batches),
            seconds=ports.clock.monotonic() - started,
            spent=self._spent(),
            stop=self._is_stopping(),
        )

    def _offering(self, batches: Sequence[SealedBatch]) -> Iterator[SealedBatch]:
        """Give the batches to the road one by one; each is on disk as offered before it leaves."""
        for batch in batches:
            count = self._ports.outbox.note_offered(batch)
            self._account.offered(batch.incarnation, batch.number, count)
            yield batch
            self._teller.people()
            if self._is_stopping():
                return

    def _verified(self, raw: bytes, incarnation: str, nonce: bytes) -> Receipt:
        envelope = self._ports.envelope
        return open_receipt(raw, incarnation=incarnation, nonce=nonce, envelope=envelope)

    def _settle(self, receipt: Receipt, raw: bytes) -> ReceiptArrived:
        self._account.settled(self._ports.outbox.apply_receipt(receipt, raw))
        self._teller.heard()
        self._teller.people()
        return ReceiptArrived(batch=receipt.batch)

    def _ask_feed(self, after: int) -> PageArrived:
        self._teller.news()
        ports = self._ports
        request = FeedRequest(
            device=ports.envelope.device(),
            after=after,
            time=ports.clock.now(),
            nonce=self._ports.randomness.token(_NONCE_BYTES),
        )
        raw = ports.transport.feed(ports.envelope.sign_feed_request(request), after)
        page = open_page(raw, request, ports.envelope)
        cursor = after + len(page.entries)
        if page.entries:
            ports.inbox.apply_page(page.entries, cursor)
            self._account.read(len(page.entries))
        return PageArrived(
            cursor=cursor,
            head=max(page.head, cursor),
            spent=self._spent(),
            stop=self._is_stopping(),
        )

    def _rest(self, move: Rest) -> None:
        error = move.error
        asked = error.retry_after_seconds if isinstance(error, ServerUnavailable) else None
        seconds = rest_seconds(
            self._pacing,
            attempt=move.attempt,
            dice=self._ports.randomness.token(8),
            retry_after_seconds=asked,
            quick=move.quick,
        )
        self._teller.waiting(error, seconds)
        left = seconds
        while left > 0 and not self._is_stopping():
            self._ports.sleeper.sleep(min(left, _GLANCE_SECONDS))
            left -= _GLANCE_SECONDS

    def _clock_error(self, error: ClockSkew) -> SyncError:
        """Ask the server for its signed time, so that the operator can be told what is wrong."""
        ports, nonce = self._ports, self._ports.randomness.token(_NONCE_BYTES)
        try:
            raw = ports.transport.server_time(nonce)
            there = ports.envelope.open_server_time(raw, nonce)
        except SyncError:
            return error  # nothing is known but that the certificate does not fit our clock
        return judge_clock(here=ports.clock.now(), there=there)

    def _left(self) -> tuple[int, int | None]:
        """Give about how many bytes must still travel, and how many seconds that takes."""
        size = self._ports.outbox.bytes_waiting()
        seconds = self._pace.seconds_for(size)
        return size, None if seconds is None else round(seconds)

    def _spent(self) -> int:
        up, down, _requests = self._traffic()
        return up + down

    def _traffic(self) -> tuple[int, int, int]:
        """Give what this session cost; a road may have served others before."""
        (up, down, requests), before = self._ports.transport.traffic(), self._before
        return up - before[0], down - before[1], requests - before[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """How one life's session ended."""

    session: Session
    end: Finish | GiveUp


def _went_through(ended: _Ended) -> bool:
    end = ended.end
    return isinstance(end, Finish) and not end.limited and not end.stopped
