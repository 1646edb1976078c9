"""The device's envelope believes one server, one request and one device, and shows no key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine_server import DEVICE_KEY, FORGER_KEY, OPENING_KEY, SERVER_KEY, news
from sync import wire
from sync.engine.envelope import DeviceEnvelope
from sync.errors import EnvelopeInvalid, ReceiptInvalid, SyncError
from sync.protocol import (
    DeviceState,
    FeedPage,
    FeedRequest,
    Hello,
    HelloReply,
    Outcome,
    Receipt,
    Verdict,
)
from sync.sealing import (
    OpeningKey,
    open_hello,
    seal_feed_page,
    sign,
    sign_hello_reply,
    sign_receipt,
)

ENVELOPE = DeviceEnvelope(signing=DEVICE_KEY, opening=OPENING_KEY, server=SERVER_KEY.public)
NONCE = b"n" * 16
HELLO = Hello(
    version=1, device=DEVICE_KEY.public.id, incarnation="11" * 8, last_batch=0,
    last_digest=bytes(32), receipted_upto=0, cursor=0, programme_serial=1, time=1, boot=bytes(8),
    monotonic=1, nonce=NONCE,
)  # fmt: skip
REPLY = HelloReply(
    version=1, minimum_version=1, state=DeviceState.APPROVED, epoch="ee" * 8,
    device=DEVICE_KEY.public.id, incarnation="11" * 8, held_upto=0, held_digest=bytes(32),
    durable_upto=0, feed_head=0, feed_digest=bytes(32),
    programme_serial=1, server_time=1, nonce=NONCE,
)  # fmt: skip
RECEIPT = Receipt(
    epoch="ee" * 8, device=DEVICE_KEY.public.id, incarnation="11" * 8, batch=1, digest=bytes(32),
    verdicts=(Verdict(outcome=Outcome.ACCEPTED),), durable_upto=0, server_time=1, nonce=NONCE,
)  # fmt: skip
REQUEST = FeedRequest(device=DEVICE_KEY.public.id, after=0, time=1, nonce=NONCE)
PAGE = FeedPage(device=DEVICE_KEY.public.id, after=0, head=2, entries=tuple(news(2)), nonce=NONCE)


def test_the_keys_travel_only_in_an_introduction() -> None:
    plain = open_hello(ENVELOPE.sign_hello(HELLO, introduce=False), DEVICE_KEY.public)
    assert plain == HELLO
    introduced = open_hello(ENVELOPE.sign_hello(HELLO, introduce=True))
    assert introduced.public_key == DEVICE_KEY.public.raw
    assert introduced.seal_key == OPENING_KEY.public.raw


def test_the_servers_words_are_read() -> None:
    assert ENVELOPE.open_hello_reply(sign_hello_reply(REPLY, SERVER_KEY), NONCE) == REPLY
    assert ENVELOPE.open_receipt(sign_receipt(RECEIPT, SERVER_KEY)) == RECEIPT
    page = seal_feed_page(PAGE, SERVER_KEY, OPENING_KEY.public)
    assert ENVELOPE.open_feed_page(page, REQUEST) == PAGE


def test_a_reply_to_another_hello_is_refused() -> None:
    with pytest.raises(ReceiptInvalid):
        ENVELOPE.open_hello_reply(sign_hello_reply(REPLY, SERVER_KEY), b"m" * 16)


def test_a_receipt_is_never_taken_for_a_reply_nor_a_reply_for_a_receipt() -> None:
    with pytest.raises(ReceiptInvalid):
        ENVELOPE.open_hello_reply(sign_receipt(RECEIPT, SERVER_KEY), NONCE)
    with pytest.raises(ReceiptInvalid):
        ENVELOPE.open_receipt(sign_hello_reply(REPLY, SERVER_KEY))


def test_what_another_key_signed_is_refused() -> None:
    with pytest.raises(ReceiptInvalid):
        ENVELOPE.open_receipt(sign_receipt(RECEIPT, FORGER_KEY))
    with pytest.raises(EnvelopeInvalid):
        ENVELOPE.open_feed_page(seal_feed_page(PAGE, FORGER_KEY, OPENING_KEY.public), REQUEST)


def test_signed_nonsense_is_a_receipt_that_does_not_hold() -> None:
    with pytest.raises(ReceiptInvalid):
        ENVELOPE.open_receipt(sign(wire.encode([1, 2]), ["receipt"], SERVER_KEY))
    with pytest.raises(ReceiptInvalid):
        ENVELOPE.open_hello_reply(sign(wire.encode([1]), ["hello-reply"], SERVER_KEY), NONCE)


@pytest.mark.parametrize("change", [{"after": 1}, {"nonce": b"m" * 16}, {"device": "dd" * 8}])
def test_a_page_of_another_request_is_refused(change: dict[str, object]) -> None:
    page = seal_feed_page(PAGE, SERVER_KEY, OPENING_KEY.public)
    with pytest.raises(EnvelopeInvalid):
        ENVELOPE.open_feed_page(page, replace(REQUEST, **change))


def test_a_page_sealed_to_another_laptop_does_not_open() -> None:
    page = seal_feed_page(PAGE, SERVER_KEY, OpeningKey.generate().public)
    with pytest.raises(EnvelopeInvalid):
        ENVELOPE.open_feed_page(page, REQUEST)


def test_no_byte_of_a_receipt_can_be_changed() -> None:
    raw = sign_receipt(RECEIPT, SERVER_KEY)
    for place in range(len(raw)):
        changed = bytes([*raw[:place], raw[place] ^ 0xFF, *raw[place + 1 :]])
        with pytest.raises(SyncError):
            ENVELOPE.open_receipt(changed)


def test_it_prints_no_key() -> None:
    text = repr(ENVELOPE)
    assert text == f"DeviceEnvelope({DEVICE_KEY.public.id}, <withheld>)"
    assert DEVICE_KEY.to_bytes().hex() not in text
