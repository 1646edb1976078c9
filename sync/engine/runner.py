"""Does what the session's state machine asks for, over ports; the one place where both meet.

The open life speaks first; then closed lives bring home what they still miss. What is said in
each is :mod:`sync.engine.conversation`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import assert_never

from sync.engine.account import Account, Progress, Summary
from sync.engine.conversation import Conversation, Ports
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
    Move,
    NoteContact,
    Push,
    Rest,
    Rested,
    Rewind,
    SayHello,
    Started,
)
from sync.engine.pacing import Pace, Pacing, rest_seconds
from sync.engine.session import Session, open_session, step
from sync.engine.telling import Teller, Words
from sync.errors import ClockSkew, DeviceRevoked, ServerUnavailable, SyncError

__all__ = ["Ports", "deliver"]

_GLANCE_SECONDS = 1.0
"""How often a rest looks whether somebody asked to stop."""


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
        self._pace = Pace.first(pacing)
        self._teller = Teller(
            self._account,
            self._traffic,
            left=self._left,
            monotonic=ports.clock.monotonic,
            on_progress=on_progress,
            words=words,
        )
        self._talk = self._conversation(ports.outbox.incarnation(), closed=False)

    def run(self, *, approval_code: str, limit_bytes: int | None) -> Summary:
        """Run the open life's session, then bring home what closed lives still miss."""
        started = self._ports.clock.monotonic()
        ended = [self._run_life(approval_code, limit_bytes, closed=False)]
        for life in self._ports.outbox.closed_lives():
            if not _went_through(ended[-1]):
                break
            self._talk = self._conversation(life, closed=True)
            ended.append(self._run_life(approval_code, limit_bytes, closed=True))
        last = ended[-1].end
        errors = [life.end.error for life in ended if isinstance(life.end, GiveUp)]
        summary = self._account.close(
            traffic=self._traffic(),
            seconds=self._ports.clock.monotonic() - started,
            waiting=self._ports.outbox.waiting(),
            rolled_back=any(life.session.rolled_back for life in ended),
            forked=any(life.session.forked for life in ended),
            limited=isinstance(last, Finish) and last.limited,
            stopped=isinstance(last, Finish) and last.stopped,
            pace=self._pace,
            error=errors[-1] if errors else None,
        )
        self._teller.done(summary)
        return summary

    def _run_life(self, approval_code: str, limit_bytes: int | None, *, closed: bool) -> _Ended:
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
                if session.pace.goodput is not None or self._pace.goodput is None:
                    self._pace = session.pace  # a closed life may push nothing, and learn nothing
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
                life = self._ports.outbox.begin_life()
                self._talk = self._conversation(life, closed=False)
                self._teller.new_life()
            case Rewind():
                self._ports.inbox.rewind()
            case _:
                assert_never(deed)

    def _conversation(self, life: str, *, closed: bool) -> Conversation:
        return Conversation(
            ports=self._ports,
            account=self._account,
            teller=self._teller,
            life=life,
            closed=closed,
            spent=self._spent,
            is_stopping=self._is_stopping,
        )

    def _events(self, move: Move) -> Generator[Event, None, None]:
        try:
            yield from self._carry_out(move)
        except ClockSkew as error:
            yield Failed(error=self._talk.clock_error(error), spent=self._spent())
        except SyncError as error:
            yield Failed(error=error, spent=self._spent())

    def _carry_out(self, move: Move) -> Iterator[Event]:
        match move:
            case Freeze(photos=photos):
                self._ports.outbox.freeze(photos=photos)
                self._account.expect(self._ports.outbox.waiting())
                yield Frozen(head=self._ports.outbox.chain_head(self._talk.life)[0])
            case SayHello(introduce=introduce):
                yield from self._talk.say_hello(introduce=introduce)
            case Push(after=after, bytes_max=bytes_max):
                yield from self._talk.push(after, bytes_max)
            case AskFeed(after=after):
                yield self._talk.ask_feed(after)
            case Rest():
                self._rest(move)
                yield Rested(stop=self._is_stopping())
            case Finish() | GiveUp():
                raise AssertionError(f"{type(move).__name__} is no move")
            case _:
                assert_never(move)

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
    """Whether a life was brought home; that of a revoked laptop is, into quarantine."""
    match ended.end:
        case Finish() as end:
            return not end.limited and not end.stopped
        case GiveUp(error=DeviceRevoked()):
            return ended.session.revoked
        case _:
            return False
