"""The state machine by table: one event into one state, and what comes out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

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
from sync.engine.session import Phase, Session, open_session, step
from sync.errors import (
    DevicePending,
    DeviceRevoked,
    DeviceUnknown,
    EnvelopeInvalid,
    Offline,
    Portal,
    ReceiptInvalid,
    ServerUnavailable,
    SyncError,
    Timeout,
    TooLarge,
)
from sync.protocol import NO_DIGEST, DeviceState, HelloReply

PACING = Pacing(tries_max=3, first_tries_max=2, quick_tries=2)
OURS = b"\x07" * 32


def session(phase: Phase, **changes: Any) -> Session:
    fresh = open_session(pacing=PACING, approval_code="CODE", introduce=False)
    return replace(fresh, phase=phase, **changes)


def reply(**changes: Any) -> HelloReply:
    values: dict[str, Any] = {
        "version": 1,
        "minimum_version": 1,
        "state": DeviceState.APPROVED,
        "epoch": "ee" * 8,
        "device": "dd" * 8,
        "incarnation": "11" * 8,
        "held_upto": 3,
        "held_digest": OURS,
        "durable_upto": 0,
        "feed_head": 0,
        "feed_digest": NO_DIGEST,
        "programme_serial": 1,
        "server_time": 1,
        "nonce": bytes(16),
    }
    return HelloReply(**(values | changes))


def answered(answer: HelloReply | None = None, **changes: Any) -> HelloAnswered:
    values: dict[str, Any] = {
        "reply": answer or reply(),
        "head": 5,
        "receipted_upto": 3,
        "cursor": 0,
        "digest_here": OURS,
        "feed_digest_here": NO_DIGEST,
    }
    return HelloAnswered(**(values | changes))


HEARD = {"heard": True, "head": 5, "confirmed_upto": 3}
PUSHING = {**HEARD, "pushed_from": 3}
FIRST_PUSH = Push(after=3, bytes_max=Pace.first(PACING).push_bytes)

TABLE: list[tuple[str, Session, Event, Phase, tuple[type[Command] | Command, ...]]] = [
    ("begin", session(Phase.IDLE), Started(), Phase.FREEZING, (Freeze(),)),
    (
        "frozen",
        session(Phase.FREEZING),
        Frozen(head=5),
        Phase.GREETING,
        (SayHello(introduce=False),),
    ),
    (
        "frozen, not approved yet",
        session(Phase.FREEZING, introduce=True),
        Frozen(head=5),
        Phase.GREETING,
        (SayHello(introduce=True),),
    ),
    ("approved", session(Phase.GREETING), answered(), Phase.HEARING, (NoteContact(reply=reply()),)),
    (
        "pending",
        session(Phase.GREETING),
        answered(
            reply(state=DeviceState.PENDING, held_upto=0, held_digest=NO_DIGEST),
            digest_here=NO_DIGEST,
        ),
        Phase.OVER,
        (NoteContact, GiveUp),
    ),
    (
        "revoked",
        session(Phase.GREETING),
        answered(reply(state=DeviceState.REVOKED, feed_digest=OURS)),
        Phase.HEARING,
        (NoteContact,),
    ),
    (
        "server too new",
        session(Phase.GREETING),
        answered(reply(minimum_version=2)),
        Phase.OVER,
        (GiveUp,),
    ),
    (
        "server holds what we never made",
        session(Phase.GREETING),
        answered(reply(held_upto=6), digest_here=None),
        Phase.FREEZING,
        (BeginLife(), Freeze()),
    ),
    (
        "another chain",
        session(Phase.GREETING),
        answered(digest_here=b"\x08" * 32),
        Phase.FREEZING,
        (BeginLife(), Freeze()),
    ),
    (
        "another chain in a life that was just begun",
        session(Phase.GREETING, forked=True),
        answered(digest_here=b"\x08" * 32),
        Phase.OVER,
        (GiveUp,),
    ),
    (
        "another chain, where a closed life is brought home",
        session(Phase.GREETING, closed=True),
        answered(digest_here=b"\x08" * 32),
        Phase.HEARING,
        (NoteContact,),
    ),
    (
        "other news than ours",
        session(Phase.GREETING),
        answered(reply(feed_head=4), cursor=2, feed_digest_here=OURS),
        Phase.HEARING,
        (NoteContact, Rewind()),
    ),
    (
        "more receipts are there",
        session(Phase.HEARING, **HEARD, heard_from=2, held_upto=4),
        HelloEnded(),
        Phase.GREETING,
        (SayHello(introduce=False),),
    ),
    (
        "no further receipt of what is held",
        session(Phase.HEARING, **HEARD, heard_from=3, held_upto=4),
        HelloEnded(),
        Phase.PUSHING,
        (FIRST_PUSH,),
    ),
    (
        "asked to stop",
        session(Phase.HEARING, **HEARD),
        HelloEnded(stop=True),
        Phase.OVER,
        (Finish(stopped=True),),
    ),
    (
        "asked to stop while resting",
        session(Phase.RESTING),
        Rested(stop=True),
        Phase.OVER,
        (Finish(stopped=True),),
    ),
    (
        "a closed life is whole",
        session(Phase.HEARING, **(HEARD | {"confirmed_upto": 5}), closed=True, feed_head=9),
        HelloEnded(),
        Phase.OVER,
        (Finish(),),
    ),
    (
        "receipt with the hello",
        session(Phase.HEARING, **HEARD),
        ReceiptArrived(batch=4),
        Phase.HEARING,
        (),
    ),
    ("batches left", session(Phase.HEARING, **HEARD), HelloEnded(), Phase.PUSHING, (FIRST_PUSH,)),
    (
        "no text left",
        session(Phase.HEARING, **(HEARD | {"confirmed_upto": 5}), cursor=2, feed_head=4),
        HelloEnded(),
        Phase.FREEZING_PHOTOS,
        (Freeze(photos=True),),
    ),
    (
        "photos to push",
        session(Phase.FREEZING_PHOTOS, **(HEARD | {"confirmed_upto": 5})),
        Frozen(head=6),
        Phase.PUSHING,
        (replace(FIRST_PUSH, after=5),),
    ),
    (
        "only news left",
        session(Phase.FREEZING_PHOTOS, **(HEARD | {"confirmed_upto": 5}), cursor=2, feed_head=4),
        Frozen(head=5),
        Phase.READING,
        (AskFeed(after=2),),
    ),
    (
        "news that the push itself may have made",
        session(Phase.FREEZING_PHOTOS, **(HEARD | {"confirmed_upto": 5}), news_awaited=True),
        Frozen(head=5),
        Phase.READING,
        (AskFeed(after=0),),
    ),
    (
        "nothing left",
        session(Phase.FREEZING_PHOTOS, **(HEARD | {"confirmed_upto": 5})),
        Frozen(head=5),
        Phase.OVER,
        (Finish(),),
    ),
    (
        "a revoked laptop has delivered everything",
        session(
            Phase.FREEZING_PHOTOS, **(HEARD | {"confirmed_upto": 5}), revoked=True, feed_head=9
        ),
        Frozen(head=5),
        Phase.OVER,
        (GiveUp,),
    ),
    (
        "allowance spent",
        session(Phase.HEARING, **HEARD, limit_bytes=100),
        HelloEnded(spent=100),
        Phase.OVER,
        (Finish(limited=True),),
    ),
    (
        "allowance nearly spent",
        session(Phase.HEARING, **HEARD, limit_bytes=100),
        HelloEnded(spent=60),
        Phase.PUSHING,
        (Push(after=3, bytes_max=40),),
    ),
    (
        "pushed, more left",
        session(Phase.PUSHING, **(PUSHING | {"confirmed_upto": 4})),
        PushEnded(bytes_sent=9, seconds=1),
        Phase.PUSHING,
        (replace(FIRST_PUSH, after=4),),
    ),
    (
        "pushed, no receipt",
        session(Phase.PUSHING, **PUSHING),
        PushEnded(bytes_sent=9, seconds=1),
        Phase.RESTING,
        (Rest,),
    ),
    (
        "more news",
        session(Phase.READING, heard=True, cursor=0, feed_head=4),
        PageArrived(cursor=2, head=4),
        Phase.READING,
        (AskFeed(after=2),),
    ),
    (
        "last news",
        session(Phase.READING, heard=True, cursor=0, feed_head=4),
        PageArrived(cursor=4, head=4),
        Phase.FREEZING_PHOTOS,
        (Freeze(photos=True),),
    ),
    (
        "a page without the news it promises",
        session(Phase.READING, heard=True, cursor=2, feed_head=4),
        PageArrived(cursor=2, head=4),
        Phase.OVER,
        (GiveUp,),
    ),
    ("rested", session(Phase.RESTING), Rested(), Phase.FREEZING, (Freeze(),)),
]


@pytest.mark.parametrize(
    ("before", "event", "phase", "commands"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_each_row_of_the_table(
    before: Session,
    event: Event,
    phase: Phase,
    commands: tuple[type[Command] | Command, ...],
) -> None:
    after, given = step(before, event)
    assert after.phase is phase
    assert len(given) == len(commands)
    for found, expected in zip(given, commands, strict=True):
        if isinstance(expected, type):
            assert isinstance(found, expected)
        else:
            assert found == expected


FAILURES: list[tuple[str, Phase, dict[str, Any], SyncError, type[Command]]] = [
    ("no network", Phase.GREETING, {}, Offline(), Rest),
    ("no network, tries used up", Phase.GREETING, {"failures": 1}, Offline(), GiveUp),
    ("a cut once the server was heard", Phase.PUSHING, {**HEARD, "failures": 1}, Offline(), Rest),
    ("many cuts without progress", Phase.PUSHING, {**HEARD, "failures": 3}, Offline(), Rest),
    ("too many cuts", Phase.PUSHING, {**HEARD, "failures": 4}, Offline(), GiveUp),
    ("silence", Phase.PUSHING, {**HEARD, "failures": 3}, Timeout(), Rest),
    ("forgeries, no progress", Phase.PUSHING, {**HEARD, "failures": 2}, ReceiptInvalid(), GiveUp),
    ("a login page at first", Phase.GREETING, {}, Portal(), GiveUp),
    ("a login page in between", Phase.PUSHING, HEARD, Portal(), Rest),
    ("an unsigned answer", Phase.GREETING, {}, ReceiptInvalid(), Rest),
    ("busy", Phase.PUSHING, HEARD, ServerUnavailable(retry_after_seconds=60), Rest),
    ("busy for hours", Phase.PUSHING, HEARD, ServerUnavailable(retry_after_seconds=9999), GiveUp),
    ("revoked on the way", Phase.PUSHING, HEARD, DeviceRevoked(), GiveUp),
    ("a page that does not open", Phase.READING, HEARD, EnvelopeInvalid(), GiveUp),
    ("unknown here", Phase.PUSHING, HEARD, DeviceUnknown(), SayHello),
    ("unknown though introduced", Phase.GREETING, {"introduce": True}, DeviceUnknown(), GiveUp),
    ("too large a push", Phase.PUSHING, HEARD, TooLarge(), Rest),
    ("too large an answer", Phase.GREETING, {}, TooLarge(), GiveUp),
]


@pytest.mark.parametrize(
    ("phase", "changes", "error", "command"),
    [row[1:] for row in FAILURES],
    ids=[row[0] for row in FAILURES],
)
def test_each_failure_is_worth_a_try_or_not(
    phase: Phase, changes: dict[str, Any], error: SyncError, command: type[Command]
) -> None:
    _after, (given,) = step(session(phase, **changes), Failed(error=error))
    assert isinstance(given, command)


def test_a_push_that_is_too_large_is_halved_until_one_batch_is_left() -> None:
    state = session(Phase.PUSHING, **HEARD)
    sizes = [state.pace.push_bytes]
    while True:
        state, (command,) = step(replace(state, phase=Phase.PUSHING), Failed(error=TooLarge()))
        if isinstance(command, GiveUp):
            break
        sizes.append(state.pace.push_bytes)
    least = PACING.push_bytes_min
    assert sizes == [2 * least, least]


@pytest.mark.parametrize("error", [Offline(), Timeout()])
def test_the_rest_is_short_after_silence_on_a_line_that_carried_before(error: SyncError) -> None:
    _after, (given,) = step(session(Phase.PUSHING, **HEARD), Failed(error=error))
    assert isinstance(given, Rest)
    assert given.quick


@pytest.mark.parametrize(
    ("phase", "changes", "error"),
    [
        (Phase.GREETING, {}, Timeout()),
        (Phase.PUSHING, HEARD, ServerUnavailable()),
        (Phase.PUSHING, HEARD, ReceiptInvalid()),
    ],
)
def test_nobody_is_called_again_quickly_who_never_answered_or_answered_no(
    phase: Phase, changes: dict[str, Any], error: SyncError
) -> None:
    _after, (given,) = step(session(phase, **changes), Failed(error=error))
    assert isinstance(given, Rest)
    assert not given.quick


def test_the_round_trip_of_a_hello_is_kept_for_the_size_of_pushes() -> None:
    answer = replace(answered(reply()), round_trip_seconds=0.7)
    state, _ = step(session(Phase.GREETING), answer)
    assert state.pace.round_trip_seconds == 0.7


def test_the_approval_code_is_the_sessions_even_when_the_road_said_pending() -> None:
    failed = Failed(error=DevicePending(approval_code=""))
    _after, (given,) = step(session(Phase.PUSHING, **HEARD), failed)
    assert isinstance(given, GiveUp)
    assert isinstance(given.error, DevicePending)
    assert given.error.approval_code == "CODE"


def test_a_server_that_holds_less_than_it_signed_for_is_offered_what_it_lost() -> None:
    answer = answered(reply(held_upto=1), receipted_upto=4)
    state, _ = step(session(Phase.GREETING), answer)
    state, (push,) = step(state, HelloEnded())
    assert state.rolled_back
    assert isinstance(push, Push)
    assert push.after == 1


def test_receipts_that_never_came_make_their_batches_be_offered_again() -> None:
    state, _ = step(session(Phase.GREETING), answered(receipted_upto=1))
    _, (push,) = step(state, HelloEnded())
    assert isinstance(push, Push)
    assert push.after == 1


def test_receipts_out_of_order_move_the_mark_only_where_there_is_no_gap() -> None:
    state = session(Phase.PUSHING, **PUSHING, failures=1)
    state, _ = step(state, ReceiptArrived(batch=5))
    assert (state.confirmed_upto, state.failures) == (3, 1)
    state, _ = step(state, ReceiptArrived(batch=4))
    assert (state.confirmed_upto, state.failures) == (4, 0)


@pytest.mark.parametrize("phase", list(Phase))
def test_an_event_that_cannot_be_is_a_fault_of_the_program_not_of_the_road(phase: Phase) -> None:
    impossible: Event = Rested() if phase is not Phase.RESTING else Started()
    with pytest.raises(AssertionError):
        step(session(phase), impossible)


def test_a_session_that_is_over_hears_nothing_more() -> None:
    with pytest.raises(AssertionError):
        step(session(Phase.OVER), Failed(error=Offline()))


def test_a_closed_life_is_offered_again_whole_when_the_server_signed_for_it_and_forgot_it() -> None:
    """The server was put back: the fork that it had kept beside our twin's chain is gone."""
    twin = answered(digest_here=b"\x08" * 32, receipted_upto=5)
    heard, _ = step(session(Phase.GREETING, closed=True), twin)
    _, commands = step(heard, HelloEnded())
    assert commands == (Push(after=0, bytes_max=Pace.first(PACING).push_bytes),)


def test_a_closed_life_is_not_offered_again_when_the_server_proves_that_it_holds_it() -> None:
    """The server speaks of a longer chain: this disk was put back from an older copy."""
    longer = answered(digest_here=None, receipted_upto=5)
    heard, _ = step(session(Phase.GREETING, closed=True), longer)
    proven, _ = step(heard, ReceiptArrived(batch=5))
    over, commands = step(proven, HelloEnded())
    assert (commands, over.rolled_back) == ((Finish(),), False)
    doubted, commands = step(heard, HelloEnded())
    assert (type(commands[0]), doubted.rolled_back) == (Push, True)


def test_what_a_session_offered_again_of_a_closed_life_is_not_offered_a_third_time() -> None:
    twin = answered(digest_here=b"\x08" * 32, receipted_upto=5)
    heard, _ = step(session(Phase.GREETING, closed=True, confirmed_upto=2), twin)
    _, commands = step(heard, HelloEnded())
    assert commands == (Push(after=2, bytes_max=Pace.first(PACING).push_bytes),)
