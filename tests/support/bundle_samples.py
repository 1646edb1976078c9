"""A small bundle and the server's answer to it, as bytes."""

from __future__ import annotations

from sync.bundle import encode_bundle, encode_return
from sync.protocol import DeviceState, HelloReply, Outcome, Receipt, Verdict
from sync.sealing import (
    OpeningKey,
    SigningKey,
    seal_batch,
    sign,
    sign_hello_reply,
    sign_receipt,
)
from sync_samples import header, operation

__all__ = [
    "BATCHES",
    "BUNDLE",
    "DEVICE",
    "HELLO",
    "INGEST",
    "PAGE",
    "RECEIPTS",
    "REPLY",
    "RETURN",
    "SERVER",
]

DEVICE, SERVER, INGEST = SigningKey.generate(), SigningKey.generate(), OpeningKey.generate()
HELLO = sign(b"a hello is read by its receiver alone", ["hello"], DEVICE)
BATCHES = tuple(
    seal_batch(
        header(DEVICE.public, INGEST, number=number, first_seq=number),
        [operation(number)],
        DEVICE,
        INGEST.public,
    ).data
    for number in (1, 2)
)
REPLY = sign_hello_reply(
    HelloReply(
        version=1,
        minimum_version=1,
        state=DeviceState.APPROVED,
        epoch="22" * 8,
        device=DEVICE.public.id,
        incarnation="11" * 8,
        held_upto=2,
        held_digest=bytes(32),
        durable_upto=0,
        feed_head=1,
        feed_digest=bytes(32),
        programme_serial=1,
        server_time=1_795_000_000,
        nonce=bytes(16),
    ),
    SERVER,
)
RECEIPTS = tuple(
    sign_receipt(
        Receipt(
            epoch="22" * 8,
            device=DEVICE.public.id,
            incarnation="11" * 8,
            batch=number,
            digest=bytes(32),
            verdicts=(Verdict(outcome=Outcome.ACCEPTED),),
            durable_upto=0,
            server_time=1_795_000_000,
            nonce=bytes(16),
        ),
        SERVER,
    )
    for number in (1, 2)
)
PAGE = sign(b"sealed to the laptop", ["feed-page", DEVICE.public.kid, 1], SERVER)
BUNDLE = encode_bundle(HELLO, BATCHES)
RETURN = encode_return(REPLY, RECEIPTS, [PAGE])
