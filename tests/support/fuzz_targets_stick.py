"""The readers of files that come on a stick: read as far as they are whole, and no further."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from bundle_samples import BUNDLE, RETURN
from fuzz_target import Target
from sync import wire
from sync.bundle import (
    decode_bundle,
    decode_return,
    encode_bundle,
    encode_return,
    kind_of,
)
from sync.errors import BundleInvalid

__all__ = ["STICK"]

_TRAILER_BYTES: Final = 34


def _bundle(data: bytes) -> None:
    """A bundle that calls itself whole is; what was taken from a damaged one makes a whole one."""
    found = decode_bundle(data)
    assert kind_of(data) == "bundle"
    written = encode_bundle(found.hello, found.batches)
    again = decode_bundle(written)
    assert (again.hello, again.batches, again.is_whole) == (found.hello, found.batches, True)
    assert all(item in data for item in (found.hello, *found.batches))


def _return(data: bytes) -> None:
    found = decode_return(data)
    assert kind_of(data) == "return"
    again = decode_return(encode_return(found.reply, found.receipts, found.pages))
    assert (again.reply, again.receipts, again.pages) == (found.reply, found.receipts, found.pages)
    assert again.is_whole
    assert all(item in data for item in (found.reply, *found.receipts, *found.pages))


def _closed(run: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Read with a trailer that fits, as somebody who means harm writes it."""
    return lambda data: run(data + wire.encode(hashlib.sha256(data).digest()))


def _open(samples: Sequence[bytes]) -> list[bytes]:
    return [sample[:-_TRAILER_BYTES] for sample in samples]


STICK: Final = (
    Target(name="bundle", run=_bundle, samples=lambda: [BUNDLE], allowed=(BundleInvalid,)),
    Target(
        name="bundle-of-a-stranger",
        run=_closed(_bundle),
        samples=lambda: _open([BUNDLE]),
        allowed=(BundleInvalid,),
    ),
    Target(name="return", run=_return, samples=lambda: [RETURN], allowed=(BundleInvalid,)),
    Target(
        name="return-of-a-stranger",
        run=_closed(_return),
        samples=lambda: _open([RETURN]),
        allowed=(BundleInvalid,),
    ),
)
