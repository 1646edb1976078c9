"""The checks that stand before the store, each alone: the store's own must not be needed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine_fakes import FakeOutbox
from engine_server import DEVICE_KEY, INCARNATION, OPENING_KEY, SERVER_KEY, FakeServer
from sync.engine.envelope import DeviceEnvelope
from sync.engine.verifying import (
    check_held,
    check_offered,
    check_run,
    is_ours,
    open_receipt,
    open_reply,
)
from sync.errors import ReceiptInvalid, Refused
from sync.protocol import DeviceState, Hello, HelloReply, Receipt
from sync.sealing import sign_hello_reply, sign_receipt

NONCE = b"n" * 16
ENVELOPE = DeviceEnvelope(signing=DEVICE_KEY, opening=OPENING_KEY, server=SERVER_KEY.public)
HELLO = Hello(
    version=1, device=DEVICE_KEY.public.id, incarnation=INCARNATION, last_batch=0,
    last_digest=bytes(32), receipted_upto=0, cursor=0, programme_serial=1, boot=bytes(8),
    monotonic=1, time=1, nonce=NONCE,
)  # fmt: skip
REPLY = HelloReply(
    version=1, minimum_version=1, state=DeviceState.APPROVED, epoch="ee" * 8,
    device=DEVICE_KEY.public.id, incarnation=INCARNATION, held_upto=1, held_digest=bytes(32),
    durable_upto=0, feed_head=0,
    feed_digest=bytes(32), programme_serial=1, server_time=1, nonce=NONCE,
)  # fmt: skip


@pytest.fixture
def outbox() -> FakeOutbox:
    made = FakeOutbox([])
    made.unfrozen = 4
    made.freeze()
    return made


@pytest.fixture
def receipt(outbox: FakeOutbox) -> Receipt:
    server = FakeServer(events=[], held=[batch.digest for batch in outbox.batches])
    return server._receipt(1, NONCE)


def opened(receipt: Receipt) -> Receipt:
    raw = sign_receipt(receipt, SERVER_KEY)
    return open_receipt(raw, incarnation=INCARNATION, nonce=NONCE, envelope=ENVELOPE)


def test_a_receipt_of_this_request_for_our_batch_holds(
    receipt: Receipt, outbox: FakeOutbox
) -> None:
    assert opened(receipt) == receipt
    assert is_ours(receipt, outbox)


@pytest.mark.parametrize(
    "change",
    [
        {"device": "dd" * 8},
        {"incarnation": "22" * 8},
        {"nonce": b"m" * 16},
        {"nonce": b""},
    ],
)
def test_a_signed_receipt_of_anything_else_does_not(
    change: dict[str, object], receipt: Receipt
) -> None:
    with pytest.raises(ReceiptInvalid):
        opened(replace(receipt, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"incarnation": "22" * 8},
        {"digest": bytes(32)},
        {"batch": 2},
        {"batch": 3},
        {"batch": 2**62},
    ],
)
def test_a_receipt_for_a_twins_batch_is_not_ours(
    change: dict[str, object], receipt: Receipt, outbox: FakeOutbox
) -> None:
    assert not is_ours(replace(receipt, **change), outbox)
    with pytest.raises(ReceiptInvalid):
        check_offered(replace(receipt, **({"digest": bytes(32)} | change)), {1: outbox.batches[0]})


def test_a_receipt_needs_its_batch_in_the_request_and_a_verdict_for_each_operation(
    receipt: Receipt, outbox: FakeOutbox
) -> None:
    first, second = outbox.batches
    check_offered(receipt, {1: first})
    with pytest.raises(ReceiptInvalid):
        check_offered(receipt, {2: second})
    with pytest.raises(ReceiptInvalid):
        check_offered(replace(receipt, verdicts=receipt.verdicts[:1]), {1: first})


def test_a_receipt_with_a_hello_is_for_what_the_reply_says_is_held(receipt: Receipt) -> None:
    check_held(receipt, REPLY)
    with pytest.raises(ReceiptInvalid):
        check_held(receipt, replace(REPLY, held_upto=0))


@pytest.mark.parametrize("change", [{"device": "dd" * 8}, {"incarnation": "22" * 8}])
def test_a_reply_is_for_this_device_in_this_life(change: dict[str, object]) -> None:
    assert open_reply(sign_hello_reply(REPLY, SERVER_KEY), HELLO, ENVELOPE) == REPLY
    with pytest.raises(ReceiptInvalid):
        open_reply(sign_hello_reply(replace(REPLY, **change), SERVER_KEY), HELLO, ENVELOPE)
    with pytest.raises(ReceiptInvalid):
        open_reply(None, HELLO, ENVELOPE)


def test_a_run_of_batches_has_no_gap_at_its_start_or_inside(outbox: FakeOutbox) -> None:
    first, second = outbox.batches
    check_run([first, second], 0)
    for gap in ([], [second], [first, replace(second, number=3)]):
        with pytest.raises(Refused):
            check_run(gap, 0)
