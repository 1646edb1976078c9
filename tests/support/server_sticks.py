"""What a laptop writes to a stick, and what it reads in the answer to it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from server_laptops import NOW, Laptop
from sync import wire
from sync.bundle import Return, encode_bundle
from sync.protocol import Hello, SealedBatch
from sync.sealing import sign_hello

__all__ = ["bundle_of", "courier_body", "opened_digests", "stick_hello"]


def stick_hello(
    laptop: Laptop,
    *,
    nonce: bytes | None = None,
    cursor: int = 0,
    receipted_upto: int = 0,
    with_keys: bool = True,
) -> bytes:
    """Give a signed hello as it lies on a stick."""
    hello = Hello(
        version=1,
        device=laptop.id,
        incarnation=laptop.incarnation,
        last_batch=laptop.number,
        last_digest=laptop.previous,
        receipted_upto=receipted_upto,
        cursor=cursor,
        programme_serial=1,
        time=NOW,
        boot=bytes(8),
        monotonic=100,
        nonce=os.urandom(16) if nonce is None else nonce,
        public_key=laptop.key.public.raw if with_keys else None,
        seal_key=laptop.opening.public.raw if with_keys else None,
    )
    return sign_hello(hello, laptop.key)


def bundle_of(laptop: Laptop, batches: Sequence[SealedBatch], nonce: bytes | None = None) -> bytes:
    """Give the bytes of a stick's file."""
    return encode_bundle(stick_hello(laptop, nonce=nonce), [batch.data for batch in batches])


def courier_body(
    laptop: Laptop, batches: Sequence[SealedBatch], nonce: bytes | None = None
) -> bytes:
    """Give the body of a courier's request."""
    messages = [stick_hello(laptop, nonce=nonce), *(batch.data for batch in batches)]
    return b"".join(wire.encode_sequence(messages))


def opened_digests(laptop: Laptop, answer: Return) -> list[bytes]:
    """Verify the receipts of an answer as the laptop does; give the digests they sign for."""
    laptop.open_reply(answer.reply)
    return [laptop.open_receipt(receipt).digest for receipt in answer.receipts]
