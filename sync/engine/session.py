"""One session with the server as a pure state machine: events in, commands out, no bytes moved.

Pushing comes wholly before reading news. Whatever fails, the next word is a hello again: what the
server then says under its signature is the only memory that counts. The table is at the foot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sync.engine.messages import (
    AskFeed,
    Command,
    Event,
    Failed,
    Finish,
    Freeze,
    Frozen,
    GiveUp,
    HelloAnswered,
    HelloEnded,
    NoteContact,
    PageArrived,
    Push,
    PushEnded,
    ReceiptArrived,
    Rest,
    Rested,
    SayHello,
    Started,
)
from sync.engine.pacing import Pace, Pacing
from sync.errors import (
    ChainForked,
    DevicePending,
    DeviceRevoked,
    DeviceUnknown,
    EnvelopeInvalid,
    Portal,
    ProtocolMismatch,
    ReceiptInvalid,
    ServerUnavailable,
    SyncError,
    TooLarge,
)
from sync.protocol import MINIMUM_VERSION, PROTOCOL_VERSION, DeviceState

__all__ = ["Phase", "Session", "open_session", "step"]


class Phase(StrEnum):
    """What the session waits for."""

    IDLE = "idle"
    FREEZING = "freezing"
    GREETING = "greeting"
    HEARING = "hearing"
    PUSHING = "pushing"
    READING = "reading"
    RESTING = "resting"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """All that a session remembers; nothing of it outlives the session."""

    phase: Phase
    pacing: Pacing
    pace: Pace
    approval_code: str
    limit_bytes: int | None
    introduce: bool
    heard: bool = False
    """Whether the server answered a hello in this session."""
    failures: int = 0
    """Failures in a row, without a receipt or a page between them."""
    spent: int = 0
    head: int = 0
    confirmed_upto: int = 0
    """Up to here the server holds every batch AND this laptop has every receipt."""
    pushed_from: int = 0
    cursor: int = 0
    feed_head: int = 0
    rolled_back: bool = False
    """Whether the server holds less than it once signed for."""


_Step = tuple[Session, tuple[Command, ...]]


def open_session(
    *,
    pacing: Pacing,
    approval_code: str,
    introduce: bool,
    limit_bytes: int | None = None,
) -> Session:
    """Give a session that waits for :class:`Started`.

    ``limit_bytes`` bounds what it may spend, both ways; the last batch may go a little over.
    """
    return Session(
        phase=Phase.IDLE,
        pacing=pacing,
        pace=Pace.first(pacing),
        approval_code=approval_code,
        limit_bytes=limit_bytes,
        introduce=introduce,
    )


def step(state: Session, event: Event) -> _Step:
    """Take one event; give the next state and what is to be done now."""
    match state.phase, event:
        case Phase.IDLE, Started():
            return replace(state, phase=Phase.FREEZING), (Freeze(),)
        case Phase.FREEZING, Frozen():
            return _greet(state)
        case Phase.GREETING, HelloAnswered():
            return _judge(state, event)
        case ((Phase.HEARING | Phase.PUSHING), ReceiptArrived()):
            return _confirm(state, event.batch), ()
        case Phase.HEARING, HelloEnded():
            return _go_on(replace(state, spent=event.spent))
        case Phase.PUSHING, PushEnded():
            return _after_push(state, event)
        case Phase.READING, PageArrived():
            return _after_page(state, event)
        case Phase.RESTING, Rested():
            # People enrolled during the rest come along: hence freezing, not greeting.
            return replace(state, phase=Phase.FREEZING), (Freeze(),)
        case phase, Failed() if phase is not Phase.OVER:
            return _fail(replace(state, spent=max(state.spent, event.spent)), event.error)
        case _:
            raise AssertionError(f"{type(event).__name__} while {state.phase}")


def _greet(state: Session) -> _Step:
    return replace(state, phase=Phase.GREETING), (SayHello(introduce=state.introduce),)


def _judge(state: Session, event: HelloAnswered) -> _Step:
    """Weigh the reply: version, then chain, then standing. Only our own chain is noted."""
    reply = event.reply
    if reply.minimum_version > PROTOCOL_VERSION or reply.version < MINIMUM_VERSION:
        return _give_up(state, ProtocolMismatch(f"server {reply.version}"))
    if event.digest_here != reply.held_digest:
        # Another batch in that place, or one that this laptop never made.
        return _give_up(state, ChainForked(f"digest of batch {reply.held_upto}"))
    note = NoteContact(reply=reply)
    if reply.state is DeviceState.REVOKED:
        return _give_up(state, DeviceRevoked(), note)
    if reply.state is DeviceState.PENDING:
        return _give_up(state, DevicePending(approval_code=state.approval_code), note)
    heard = replace(
        state,
        phase=Phase.HEARING,
        heard=True,
        introduce=False,
        head=event.head,
        # A receipt that never came counts as a batch that never went: offering twice is harmless.
        confirmed_upto=min(event.receipted_upto, reply.held_upto),
        cursor=event.cursor,
        feed_head=reply.feed_head,
        rolled_back=state.rolled_back or reply.held_upto < event.receipted_upto,
    )
    return heard, (note,)


def _confirm(state: Session, batch: int) -> Session:
    if batch != state.confirmed_upto + 1:
        return state
    return replace(state, confirmed_upto=batch, failures=0)


def _go_on(state: Session) -> _Step:
    """Push what is left, then read what is new, then end."""
    left = None if state.limit_bytes is None else state.limit_bytes - state.spent
    is_pushed, is_read = state.confirmed_upto >= state.head, state.cursor >= state.feed_head
    if is_pushed and is_read:
        return replace(state, phase=Phase.OVER), (Finish(),)
    if left is not None and left <= 0:
        return replace(state, phase=Phase.OVER), (Finish(limited=True),)
    if is_pushed:
        return replace(state, phase=Phase.READING), (AskFeed(after=state.cursor),)
    size = state.pace.push_bytes if left is None else min(state.pace.push_bytes, left)
    pushing = replace(state, phase=Phase.PUSHING, pushed_from=state.confirmed_upto)
    return pushing, (Push(after=state.confirmed_upto, bytes_max=size),)


def _after_push(state: Session, event: PushEnded) -> _Step:
    pace = state.pace.after(state.pacing, bytes_sent=event.bytes_sent, seconds=event.seconds)
    state = replace(state, pace=pace, spent=event.spent)
    if state.confirmed_upto == state.pushed_from:
        return _fail(state, ReceiptInvalid("no receipt for what was sent"))
    return _go_on(state)


def _after_page(state: Session, event: PageArrived) -> _Step:
    if event.cursor == state.cursor < event.head:
        return _give_up(state, EnvelopeInvalid("a page without the news it promises"))
    read = replace(state, cursor=event.cursor, feed_head=event.head, failures=0, spent=event.spent)
    return _go_on(read)


def _fail(state: Session, error: SyncError) -> _Step:
    failed = replace(state, failures=state.failures + 1)
    if (
        isinstance(error, DeviceUnknown)
        and not state.introduce
        and failed.failures < _tries_max(state)
    ):
        # A server that forgot this laptop is told its keys again.
        return _greet(replace(failed, introduce=True))
    if isinstance(error, DevicePending):
        return _give_up(state, DevicePending(error.detail, approval_code=state.approval_code))
    if isinstance(error, TooLarge) and state.phase is Phase.PUSHING:
        failed = replace(failed, pace=state.pace.halved(state.pacing))
        return _rest_or_give_up(failed, error, worth_it=failed.pace != state.pace)
    return _rest_or_give_up(failed, error, worth_it=_is_worth_a_try(state, error))


def _is_worth_a_try(state: Session, error: SyncError) -> bool:
    match error:
        case ChainForked():
            # Somebody's unsigned word on a push; the signed hello decides.
            return state.phase is Phase.PUSHING
        case Portal():
            # A login page goes away when somebody logs in, not by waiting.
            return state.heard
        case ServerUnavailable(retry_after_seconds=int(seconds)):
            return seconds <= state.pacing.rest_seconds_max
        case _:
            return error.retryable


def _rest_or_give_up(state: Session, error: SyncError, *, worth_it: bool) -> _Step:
    if not worth_it or state.failures >= _tries_max(state):
        return _give_up(state, error)
    rest = Rest(attempt=state.failures, error=error)
    return replace(state, phase=Phase.RESTING), (rest,)


def _tries_max(state: Session) -> int:
    return state.pacing.tries_max if state.heard else state.pacing.first_tries_max


def _give_up(state: Session, error: SyncError, *first: Command) -> _Step:
    return replace(state, phase=Phase.OVER), (*first, GiveUp(error=error))


# phase     | event                                   | next      | commands
# ----------+-----------------------------------------+-----------+-------------------------
# IDLE      | Started                                 | FREEZING  | Freeze
# FREEZING  | Frozen                                  | GREETING  | SayHello
# GREETING  | HelloAnswered: version too old          | OVER      | GiveUp
#           |   server holds what we never made       | OVER      | GiveUp (ChainForked)
#           |   other digest at its mark              | OVER      | GiveUp (ChainForked)
#           |   pending, revoked                      | OVER      | NoteContact, GiveUp
#           |   approved                              | HEARING   | NoteContact
# HEARING   | ReceiptArrived                          | HEARING   |
#           | HelloEnded: batches left                | PUSHING   | Push
#           |   only news left                        | READING   | AskFeed
#           |   nothing left, allowance spent         | OVER      | Finish
# PUSHING   | ReceiptArrived                          | PUSHING   |
#           | PushEnded: batches left                 | PUSHING   | Push
#           |   only news left                        | READING   | AskFeed
#           |   nothing left, allowance spent         | OVER      | Finish
#           |   not one receipt                       | as Failed | Rest or GiveUp
# READING   | PageArrived: more to come               | READING   | AskFeed
#           |   head reached, allowance spent         | OVER      | Finish
#           |   empty before the head                 | OVER      | GiveUp
# RESTING   | Rested                                  | FREEZING  | Freeze
# any       | Failed: unknown device, not introduced  | GREETING  | SayHello (with keys)
#           |   too large a push                      | RESTING   | Rest (then half as much)
#           |   worth a try, tries left               | RESTING   | Rest
#           |   otherwise                             | OVER      | GiveUp
