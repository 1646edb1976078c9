"""The readers of signed and sealed messages, and what stands behind signature and seal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, Final
from unittest import mock

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fuzz_samples import (
    DEVICE,
    DEVICE_SEAL,
    INGEST,
    SERVER,
    feed_pages,
    feed_requests,
    finish_answers,
    finish_requests,
    hello_replies,
    hellos,
    operation_rows,
    programmes,
    receipts,
    server_times,
)
from fuzz_samples import batches as sealed_batches
from fuzz_target import ROAD, Target
from fuzz_targets_wire import squeezed
from sync import capture, wire
from sync.dictionaries import CURRENT, decompress
from sync.programme import open_programme, sign_programme
from sync.protocol import LIMITS, NO_DIGEST, FeedPage, FinishAnswer
from sync.sealing import (
    VerifyKey,
    open_batch,
    open_feed_page,
    open_feed_request,
    open_finish_answer,
    open_finish_request,
    open_hello,
    open_hello_reply,
    open_receipt,
    open_server_time,
    read_batch_header,
    read_signer,
    seal_feed_page,
    seal_finish_answer,
    sign,
    sign_hello,
    sign_hello_reply,
    sign_receipt,
    sign_server_time,
)
from sync.sealing.signed import context_of

__all__ = ["SEALED"]

_INGEST: Final = {INGEST.public.id: INGEST}
_RECORD: Final = "0f" * 16
_NUMBER_KEY: Final = bytes([5]) * 32
_DEVICE_PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(DEVICE.to_bytes())


def _batch_header(data: bytes) -> None:
    head = read_batch_header(data)
    assert head.device == read_signer(data)


def _batch(data: bytes) -> None:
    """Whatever opens under the device's key is one of the batches it signed."""
    head, operations = open_batch(data, DEVICE.public, _INGEST)
    assert data in sealed_batches()
    assert len(operations) == head.count


def _batch_of_rows(data: bytes) -> None:
    """Read a batch whose sender means harm and has a valid key."""
    meaning = _batch_meaning(count=_length(data))
    context = context_of(meaning, DEVICE.public.kid)
    batch = sign(INGEST.public.seal(squeezed(data), context), meaning, DEVICE)
    _head, operations = open_batch(batch, DEVICE.public, _INGEST)
    assert all(operation.seq > 0 for operation in operations)


def _batch_of_noise(data: bytes) -> None:
    open_batch(sign(data, _batch_meaning(count=1), DEVICE), DEVICE.public, _INGEST)


def _noises() -> list[bytes]:
    context = context_of(_batch_meaning(count=1), DEVICE.public.kid)
    return [INGEST.public.seal(squeezed(rows), context) for rows in operation_rows()[:1]]


def _batch_meaning(*, count: int) -> list[Any]:
    key_id = bytes.fromhex(INGEST.public.id)
    return ["batch", 1, bytes(8), 1, NO_DIGEST, 1, count, NO_DIGEST, key_id, CURRENT]


def _length(data: bytes) -> int:
    """Guess how many rows there are from the head of an array: a wrong guess is an input too."""
    return min(max(1, data[0] & 31), LIMITS.operations_per_batch_max) if data else 1


def _protected(data: bytes) -> None:
    """Sign any protected header with a valid key: whoever makes a key can do that."""
    payload = wire.encode_hello(hellos()[1])
    signed = cbor2.dumps(["Signature1", data, b"", payload], canonical=True)
    message = [data, {}, payload, _DEVICE_PRIVATE.sign(signed)]
    hello = open_hello(b"\xd2" + cbor2.dumps(message, canonical=True))
    assert hello.device == DEVICE.public.id


def _protecteds() -> list[bytes]:
    made = [sign_hello(hellos()[1], DEVICE), *sealed_batches()]
    return [wire.decode_sign1(message)[0] for message in made]


def _hello(data: bytes) -> None:
    """Read a hello that its sender signed with a key of its own, as anybody can."""
    hello = open_hello(sign(data, ["hello"], DEVICE))
    assert hello.device == DEVICE.public.id


def _known_hello(data: bytes) -> None:
    hello = open_hello(sign(data, ["hello"], DEVICE), DEVICE.public)
    assert hello.device == DEVICE.public.id


def _feed_request(data: bytes) -> None:
    request = open_feed_request(sign(data, ["feed-request"], DEVICE), DEVICE.public)
    assert request.device == DEVICE.public.id


def _finish_request(data: bytes) -> None:
    request = open_finish_request(sign(data, ["finish-request"], DEVICE), DEVICE.public)
    assert request.device == DEVICE.public.id


def _finish_answer(data: bytes) -> None:
    meaning = ["finish-answer", DEVICE.public.kid]
    sealed = DEVICE_SEAL.public.seal(data, context_of(meaning, SERVER.public.kid))
    answer = open_finish_answer(sign(sealed, meaning, SERVER), SERVER.public, DEVICE_SEAL)
    assert answer.device == DEVICE.public.id


def _open_finish_answer(data: bytes, key: VerifyKey) -> FinishAnswer:
    return open_finish_answer(data, key, DEVICE_SEAL)


def _receipt(data: bytes) -> None:
    open_receipt(sign(data, ["receipt"], SERVER), SERVER.public)


def _hello_reply(data: bytes) -> None:
    open_hello_reply(sign(data, ["hello-reply"], SERVER), SERVER.public)


def _server_time(data: bytes) -> None:
    open_server_time(sign(data, ["time"], SERVER), SERVER.public)


def _server_word(data: bytes) -> None:
    """Whatever a laptop takes for its server's word was signed by the server."""
    opened = 0
    readers = (open_receipt, open_hello_reply, open_server_time, _open_page, _open_finish_answer)
    for read in readers:
        with suppress(*ROAD):
            read(data, SERVER.public)
            opened += 1
    assert opened <= 1
    assert bool(opened) == (data in _server_words())


def _open_page(data: bytes, key: VerifyKey) -> FeedPage:
    return open_feed_page(data, key, DEVICE_SEAL)


@cache
def _server_words() -> tuple[bytes, ...]:
    return (
        *(sign_receipt(receipt, SERVER) for receipt in receipts()),
        *(sign_hello_reply(reply, SERVER) for reply in hello_replies()),
        *(sign_server_time(time, SERVER) for time in server_times()),
        *(seal_feed_page(page, SERVER, DEVICE_SEAL.public) for page in feed_pages()),
        *(seal_finish_answer(each, SERVER, DEVICE_SEAL.public) for each in finish_answers()),
    )


def _feed_page(data: bytes) -> None:
    meaning = ["feed-page", DEVICE.public.kid, CURRENT]
    sealed = DEVICE_SEAL.public.seal(squeezed(data), context_of(meaning, SERVER.public.kid))
    page = open_feed_page(sign(sealed, meaning, SERVER), SERVER.public, DEVICE_SEAL)
    assert page.device == DEVICE.public.id


def _programme(data: bytes) -> None:
    """A programme opens under the pinned key, or under the key that it carries itself."""
    assert open_programme(data, SERVER.public).signing == SERVER.public


def _programme_object(data: bytes) -> None:
    """Read a programme that somebody signed with the key in it."""
    found = open_programme(sign(squeezed(data), ["programme", CURRENT], SERVER), None)
    assert found.signing == SERVER.public
    with mock.patch("sync.programme.compress", squeezed):
        signed = sign_programme(found, SERVER)
        assert sign_programme(open_programme(signed, SERVER.public), SERVER) == signed


def _programme_objects() -> list[bytes]:
    return [
        decompress(wire.decode_sign1(signed)[2], CURRENT, bytes_max=LIMITS.programme_bytes_max)
        for signed in programmes()
    ]


def _session_key(data: bytes) -> None:
    assert len(capture.open_session_key(data, INGEST)) == capture.SESSION_KEY_BYTES


def _sealed_number(data: bytes) -> None:
    capture.open_number(_NUMBER_KEY, data, record_id=_RECORD, version=1)
    assert data in _sealed_numbers()


def _sealed_numbers() -> list[bytes]:
    return [capture.seal_number(_NUMBER_KEY, "999941057058", record_id=_RECORD, version=1)]


def _behind(
    name: str, run: Callable[[bytes], None], values: Callable[[], Sequence[bytes]]
) -> Target:
    return Target(name=name, run=run, samples=values, allowed=ROAD, form="cbor")


SEALED: Final = (
    Target(
        name="signed-batch", run=_batch, samples=lambda: list(sealed_batches()), allowed=ROAD
    ),
    Target(
        name="signed-batch-header", run=_batch_header, samples=lambda: list(sealed_batches()),
        allowed=ROAD,
    ),
    Target(
        name="server-word", run=_server_word, samples=lambda: list(_server_words()), allowed=ROAD,
    ),
    Target(
        name="programme", run=_programme, samples=lambda: list(programmes()), allowed=ROAD
    ),
    Target(
        name="sealed-noise",
        run=_batch_of_noise,
        samples=_noises,
        allowed=ROAD,
    ),
    Target(
        name="session-key",
        run=_session_key,
        samples=lambda: [capture.seal_session_key(bytes(32), INGEST.public)],
        allowed=ROAD,
    ),
    Target(name="sealed-number", run=_sealed_number, samples=_sealed_numbers, allowed=ROAD),
    _behind("protected-header", _protected, _protecteds),
    _behind("batch-of-rows", _batch_of_rows, operation_rows),
    _behind("hello-of-a-stranger", _hello, lambda: [wire.encode_hello(hellos()[1])]),
    _behind(
        "hello-of-a-device", _known_hello, lambda: [wire.encode_hello(each) for each in hellos()]
    ),
    _behind(
        "signed-feed-request",
        _feed_request,
        lambda: [wire.encode_feed_request(each) for each in feed_requests()],
    ),
    _behind(
        "signed-finish-request",
        _finish_request,
        lambda: [wire.encode_finish_request(each) for each in finish_requests()],
    ),
    _behind(
        "sealed-finish-answer",
        _finish_answer,
        lambda: [wire.encode_finish_answer(each) for each in finish_answers()],
    ),
    _behind("signed-receipt", _receipt, lambda: [wire.encode_receipt(each) for each in receipts()]),
    _behind(
        "signed-hello-reply",
        _hello_reply,
        lambda: [wire.encode_hello_reply(each) for each in hello_replies()],
    ),
    _behind(
        "signed-time", _server_time, lambda: [wire.encode_server_time(t) for t in server_times()]
    ),
    _behind(
        "sealed-feed-page",
        _feed_page,
        lambda: [
            decompress(wire.encode_feed_page(page), CURRENT, bytes_max=LIMITS.feed_page_bytes_max)
            for page in feed_pages()
        ],
    ),
    _behind("programme-object", _programme_object, _programme_objects),
)  # fmt: skip
