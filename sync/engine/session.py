"""One session with the server as a pure state machine: events in, commands out, no bytes moved.

Pushing comes wholly before reading news. Whatever fails, the next word is a hello again: what the
server then says under its signature is the only memory that counts. The table is at the foot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sync.engine.messages import (
    AskFeed,
    BeginLife,
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
    Rewind,
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
    Offline,
    Portal,
    ProtocolMismatch,
    ReceiptInvalid,
    ServerUnavailable,
    SyncError,
    Timeout,
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
    FREEZING_PHOTOS = "freezing-photos"
    READING = "reading"
    RESTING = "resting"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """All that a session remembers; nothing of it outlives the session.

    A session speaks for one life. That of a ``closed`` life only brings home what is missing: it
    freezes nothing, reads no news, and is not alarmed that the server knows another chain.
    """

    phase: Phase
    pacing: Pacing
    pace: Pace
    approval_code: str
    limit_bytes: int | None
    introduce: bool
    closed: bool = False
    heard: bool = False
    """Whether the server answered a hello in this session."""
    failures: int = 0
    """Failures in a row, without a receipt or a page between them."""
    spent: int = 0
    head: int = 0
    confirmed_upto: int = 0
    """Up to here the server holds every batch AND this laptop has every receipt."""
    held_upto: int = 0
    """Up to here the server said, in its newest hello, that it holds every batch."""
    heard_from: int = 0
    """Where ``confirmed_upto`` stood when that hello was answered."""
    pushed_from: int = 0
    cursor: int = 0
    feed_head: int = 0
    news_awaited: bool = False
    """Whether this session's push may itself have made news that the hello did not know of."""
    revoked: bool = False
    stopping: bool = False
    """Whether somebody asked to stop; what is under way is brought to its end."""
    rolled_back: bool = False
    """Whether the server holds less than it once signed for, or other news."""
    forked: bool = False
    """Whether the server knew another chain of this laptop, so that a new life was begun."""
    doubted: bool = False
    """Whether it is open if the server still holds a closed life that it signed for: it speaks of
    a longer chain or of a twin's, and a receipt for the newest batch would be the proof."""


_Step = tuple[Session, tuple[Command, ...]]


def open_session(
    *,
    pacing: Pacing,
    approval_code: str,
    introduce: bool,
    limit_bytes: int | None = None,
    closed: bool = False,
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
        closed=closed,
    )


def step(state: Session, event: Event) -> _Step:
    """Take one event; give the next state and what is to be done now."""
    if isinstance(event, Failed) and state.phase is not Phase.OVER:
        return _fail(replace(state, spent=max(state.spent, event.spent)), event.error)
    return _advance(state, event)


def _advance(state: Session, event: Event) -> _Step:
    match state.phase, event:
        case Phase.IDLE, Started():
            return _freeze(state)
        case Phase.FREEZING, Frozen():
            return _greet(state)
        case Phase.GREETING, HelloAnswered():
            return _judge(state, event)
        case ((Phase.HEARING | Phase.PUSHING), ReceiptArrived()):
            awaited = state.news_awaited or (event.held and state.phase is Phase.PUSHING)
            return _confirm(replace(state, news_awaited=awaited), event.batch), ()
        case Phase.HEARING, HelloEnded():
            return _after_hello(replace(state, spent=event.spent, stopping=event.stop))
        case Phase.PUSHING, PushEnded():
            return _after_push(state, event)
        case Phase.FREEZING_PHOTOS, Frozen():
            return _after_photos(state, event.head)
        case Phase.READING, PageArrived():
            return _after_page(state, event)
        case Phase.RESTING, Rested():
            return _after_rest(state, stop=event.stop)
        case _:
            raise AssertionError(f"{type(event).__name__} while {state.phase}")


def _freeze(state: Session) -> _Step:
    if state.closed:
        return _greet(state)
    return replace(state, phase=Phase.FREEZING), (Freeze(),)


def _after_rest(state: Session, *, stop: bool) -> _Step:
    if stop:
        return replace(state, phase=Phase.OVER), (Finish(stopped=True),)
    # People enrolled during the rest come along: hence freezing, not greeting.
    return _freeze(state)


def _greet(state: Session) -> _Step:
    return replace(state, phase=Phase.GREETING), (SayHello(introduce=state.introduce),)


def _judge(state: Session, event: HelloAnswered) -> _Step:
    """Weigh the reply: version, then chain, then standing, then news."""
    reply = event.reply
    if reply.minimum_version > PROTOCOL_VERSION or reply.version < MINIMUM_VERSION:
        return _give_up(state, ProtocolMismatch(f"server {reply.version}"))
    # Another batch in that place, or one that this laptop never made.
    is_ours = event.digest_here == reply.held_digest
    if not is_ours and state.forked:
        return _give_up(state, ChainForked(f"digest of batch {reply.held_upto}"))
    if not is_ours and not state.closed:
        fresh = replace(state, phase=Phase.FREEZING, forked=True, heard=True)
        return fresh, (BeginLife(), Freeze())
    note = NoteContact(reply=reply)
    if reply.state is DeviceState.PENDING:
        return _give_up(state, DevicePending(approval_code=state.approval_code), note)
    held_upto = reply.held_upto if is_ours else _held_elsewhere(state, event)
    confirmed = min(event.receipted_upto, held_upto)
    doubted = state.closed and not is_ours and held_upto < event.receipted_upto
    heard = replace(
        state,
        phase=Phase.HEARING,
        pace=state.pace.answered(event.round_trip_seconds),
        heard=True,
        introduce=False,
        head=event.head,
        # A receipt that never came counts as a batch that never went: offering twice is harmless.
        confirmed_upto=confirmed,
        held_upto=held_upto,
        heard_from=confirmed,
        cursor=event.cursor,
        feed_head=reply.feed_head,
        revoked=reply.state is DeviceState.REVOKED,
        rolled_back=state.rolled_back or (held_upto < event.receipted_upto and not doubted),
        doubted=doubted,
    )
    if state.closed or heard.revoked or event.feed_digest_here == reply.feed_digest:
        return heard, (note,)
    return replace(heard, cursor=0, rolled_back=True), (note, Rewind())


def _held_elsewhere(state: Session, event: HelloAnswered) -> int:
    """Give up to which batch a closed life need not be offered, where the server speaks of a twin.

    If it signed for all of them and now gives no receipt for the newest, it was restored from a
    backup: then everything is offered but what this session has offered again already.
    """
    if event.receipted_upto < event.head:
        return event.receipted_upto
    return state.confirmed_upto


def _after_hello(state: Session) -> _Step:
    """Ask for further receipts of what is held before any of it is sent again."""
    if state.doubted:
        return _go_on(replace(state, doubted=False, rolled_back=True))
    if state.heard_from < state.confirmed_upto < min(state.held_upto, state.head):
        return _greet(state)
    return _go_on(state)


def _confirm(state: Session, batch: int) -> Session:
    if state.doubted and batch == state.head:
        return replace(state, confirmed_upto=batch, doubted=False, failures=0)
    if batch != state.confirmed_upto + 1:
        return state
    return replace(state, confirmed_upto=batch, failures=0)


def _go_on(state: Session) -> _Step:
    """Push what is left, then photos, then read what is new, then end."""
    if state.stopping:
        return replace(state, phase=Phase.OVER), (Finish(stopped=True),)
    if _is_spent(state) and not _is_done(state):
        return replace(state, phase=Phase.OVER), (Finish(limited=True),)
    if state.confirmed_upto < state.head:
        limit = state.limit_bytes
        left = state.pace.push_bytes if limit is None else limit - state.spent
        size = min(state.pace.push_bytes, left)
        pushing = replace(state, phase=Phase.PUSHING, pushed_from=state.confirmed_upto)
        return pushing, (Push(after=state.confirmed_upto, bytes_max=size),)
    if state.closed:
        return replace(state, phase=Phase.OVER), (Finish(),)
    return replace(state, phase=Phase.FREEZING_PHOTOS), (Freeze(photos=True),)


def _is_spent(state: Session) -> bool:
    return state.limit_bytes is not None and state.spent >= state.limit_bytes


def _is_done(state: Session) -> bool:
    return state.confirmed_upto >= state.head and (state.closed or state.cursor >= state.feed_head)


def _after_photos(state: Session, head: int) -> _Step:
    """Photos that were frozen are pushed; people saved meanwhile came along before them."""
    if head > state.head:
        return _go_on(replace(state, head=head))
    if state.revoked:
        # It has delivered everything, into quarantine; it learns nothing new.
        return _give_up(state, DeviceRevoked())
    if state.cursor < state.feed_head or state.news_awaited:
        return replace(state, phase=Phase.READING), (AskFeed(after=state.cursor),)
    return replace(state, phase=Phase.OVER), (Finish(),)


def _after_push(state: Session, event: PushEnded) -> _Step:
    pace = state.pace.after(state.pacing, bytes_sent=event.bytes_sent, seconds=event.seconds)
    state = replace(state, pace=pace, spent=event.spent, stopping=event.stop)
    if state.confirmed_upto == state.pushed_from and not state.stopping:
        return _fail(state, ReceiptInvalid("no receipt for what was sent"))
    return _go_on(state)


def _after_page(state: Session, event: PageArrived) -> _Step:
    if event.cursor == state.cursor < event.head:
        return _give_up(state, EnvelopeInvalid("a page without the news it promises"))
    read = replace(state, cursor=event.cursor, feed_head=event.head, failures=0, spent=event.spent)
    read = replace(read, stopping=event.stop, news_awaited=False)
    if read.cursor < read.feed_head and not read.stopping and not _is_spent(read):
        return read, (AskFeed(after=read.cursor),)
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
        case Portal():
            # A login page goes away when somebody logs in, not by waiting.
            return state.heard
        case ServerUnavailable(retry_after_seconds=int(seconds)):
            return seconds <= state.pacing.rest_seconds_max
        case _:
            return error.retryable


def _rest_or_give_up(state: Session, error: SyncError, *, worth_it: bool) -> _Step:
    quick = state.heard and isinstance(error, Offline | Timeout)
    tries_max = _tries_max(state) + (state.pacing.quick_tries if quick else 0)
    if not worth_it or state.failures >= tries_max:
        return _give_up(state, error)
    rest = Rest(attempt=state.failures, error=error, quick=quick)
    return replace(state, phase=Phase.RESTING), (rest,)


def _tries_max(state: Session) -> int:
    return state.pacing.tries_max if state.heard else state.pacing.first_tries_max


def _give_up(state: Session, error: SyncError, *first: Command) -> _Step:
    return replace(state, phase=Phase.OVER), (*first, GiveUp(error=error))


# phase           | event                                   | next      | commands
# ----------------+-----------------------------------------+-----------+-------------------------
# IDLE            | Started                                 | FREEZING  | Freeze
#                 |   of a closed life                      | GREETING  | SayHello
# FREEZING        | Frozen                                  | GREETING  | SayHello
# GREETING        | HelloAnswered: version too old          | OVER      | GiveUp
#                 |   server holds another chain of ours    | FREEZING  | BeginLife, Freeze
#                 |   pending                               | OVER      | NoteContact, GiveUp
#                 |   approved, revoked                     | HEARING   | NoteContact
#                 |   approved, with other news than ours   | HEARING   | NoteContact, Rewind
# HEARING         | ReceiptArrived                          | HEARING   |
#                 | HelloEnded: more receipts are there     | GREETING  | SayHello
#                 | HelloEnded: batches left                | PUSHING   | Push
#                 |   nothing left to push                  | F_PHOTOS  | Freeze (photos)
#                 |   of a closed life, allowance spent     | OVER      | Finish
# PUSHING         | ReceiptArrived                          | PUSHING   |
#                 | PushEnded                               | as HelloEnded
#                 |   not one receipt                       | as Failed | Rest or GiveUp
# FREEZING_PHOTOS | Frozen: there is more to push           | PUSHING   | Push
#                 |   revoked                               | OVER      | GiveUp
#                 |   news to read, or something was held   | READING   | AskFeed
#                 |   nothing left, or asked to stop        | OVER      | Finish
# READING         | PageArrived                             | as HelloEnded
#                 |   empty before the head                 | OVER      | GiveUp
# RESTING         | Rested                                  | FREEZING  | Freeze
# any             | Failed: unknown device, not introduced  | GREETING  | SayHello (with keys)
#                 |   too large a push                      | RESTING   | Rest (then half as much)
#                 |   worth a try, tries left               | RESTING   | Rest
#                 |   otherwise                             | OVER      | GiveUp
