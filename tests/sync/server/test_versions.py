"""Laptops that are months behind or ahead of the server are served, each in its own version."""

from __future__ import annotations

import dataclasses

import pytest

from server_laptops import NOW, Laptop, Office
from sync import wire
from sync.engine import session as machine
from sync.engine.messages import GiveUp, HelloAnswered
from sync.engine.pacing import Pacing
from sync.errors import EnvelopeInvalid, ProtocolMismatch
from sync.protocol import DeviceState, Hello, HelloReply, Outcome
from sync.sealing import sign
from sync.server import contact
from sync.wire import answers

HELLO_FIELDS = 14


def hello(laptop: Laptop, **changes: object) -> Hello:
    values: dict[str, object] = {
        "version": 1, "device": laptop.id, "incarnation": laptop.incarnation, "last_batch": 0,
        "last_digest": bytes(32), "receipted_upto": 0, "cursor": 0, "programme_serial": 1,
        "time": NOW, "boot": bytes(8), "monotonic": 1, "nonce": bytes(16),
    }  # fmt: skip
    return Hello(**(values | changes))  # type: ignore[arg-type]


def test_a_server_eight_months_ahead_still_answers_in_the_laptops_version(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = office.laptop()
    monkeypatch.setattr(contact, "PROTOCOL_VERSION", 3)
    reply = office.contact.greet(laptop.hello()).reply
    assert reply.version == 1
    receipt = office.take(laptop, laptop.batch([laptop.person()]))
    assert receipt.verdicts[0].outcome is Outcome.ACCEPTED


def test_a_hello_of_a_later_version_may_say_more_than_this_server_knows(office: Office) -> None:
    laptop = office.laptop()
    known = wire.decode(wire.encode_hello(hello(laptop, version=2)))
    assert len(known) == HELLO_FIELDS
    message = sign(wire.encode([*known, "a field of version 2"]), ["hello"], laptop.key)
    assert office.contact.greet(message).reply.version == 1


def test_a_hello_of_this_version_says_no_more_than_it_may(office: Office) -> None:
    laptop = office.laptop()
    known = wire.decode(wire.encode_hello(hello(laptop)))
    message = sign(wire.encode([*known, "too much"]), ["hello"], laptop.key)
    with pytest.raises(EnvelopeInvalid):
        office.contact.greet(message)


def test_a_laptop_reads_the_part_it_knows_of_a_later_reply(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reply = HelloReply(
        version=1, minimum_version=1, state=DeviceState.APPROVED, epoch="01" * 8,
        device="02" * 8, incarnation="03" * 8, held_upto=0, held_digest=bytes(32), durable_upto=0,
        feed_head=0, feed_digest=bytes(32), programme_serial=1, server_time=NOW, nonce=bytes(16),
    )  # fmt: skip
    later = wire.encode([2, *wire.decode(wire.encode_hello_reply(reply))[1:], {"new": True}])
    read = wire.decode_hello_reply(later)
    assert dataclasses.replace(read, version=1) == reply
    monkeypatch.setattr(answers, "PROTOCOL_VERSION", 2)
    with pytest.raises(EnvelopeInvalid):
        wire.decode_hello_reply(later)


def test_a_server_that_no_longer_serves_this_version_says_so_and_nothing_is_lost() -> None:
    state = machine.open_session(pacing=Pacing(), approval_code="", introduce=False)
    reply = HelloReply(
        version=1, minimum_version=2, state=DeviceState.APPROVED, epoch="01" * 8,
        device="02" * 8, incarnation="03" * 8, held_upto=0, held_digest=bytes(32), durable_upto=0,
        feed_head=0, feed_digest=bytes(32), programme_serial=1, server_time=NOW, nonce=bytes(16),
    )  # fmt: skip
    answered = HelloAnswered(
        reply=reply, head=1, receipted_upto=0, cursor=0, digest_here=bytes(32),
        feed_digest_here=bytes(32),
    )  # fmt: skip
    state = dataclasses.replace(state, phase=machine.Phase.GREETING)
    _, (last,) = machine.step(state, answered)
    assert isinstance(last, GiveUp)
    assert isinstance(last.error, ProtocolMismatch)


def test_an_operation_that_only_a_newer_server_knows_is_kept_whole(office: Office) -> None:
    laptop = office.laptop()
    newer = laptop.operation("vaccination.add", {"vaccine": "unknown here"})
    receipt = office.take(laptop, laptop.batch([newer, laptop.person()]))
    assert [verdict.outcome for verdict in receipt.verdicts] == [Outcome.HELD, Outcome.ACCEPTED]
    with office.store.read() as connection:
        kept = connection.exec_driver_sql("SELECT body FROM held_operations").scalar_one()
    assert wire.decode(kept) == {"vaccine": "unknown here"}
