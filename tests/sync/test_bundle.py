from __future__ import annotations

import os

import pytest

from bundle_samples import (
    BATCHES,
    BUNDLE,
    DEVICE,
    HELLO,
    INGEST,
    PAGE,
    RECEIPTS,
    REPLY,
    RETURN,
    SERVER,
)
from sync import wire
from sync.bundle import (
    bundle_name,
    decode_bundle,
    decode_return,
    encode_bundle,
    encode_return,
    kind_of,
    return_name,
)
from sync.errors import BundleInvalid, EnvelopeInvalid, SyncError, TooLarge
from sync.protocol import LIMITS
from sync.sealing import open_batch, open_receipt, sign


def opens(batch: bytes) -> bool:
    try:
        open_batch(batch, DEVICE.public, {INGEST.public.id: INGEST})
    except SyncError:
        return False
    return True


def test_a_bundle_comes_back_as_it_was_written() -> None:
    bundle = decode_bundle(BUNDLE)
    assert (bundle.hello, bundle.batches, bundle.is_whole) == (HELLO, BATCHES, True)
    assert kind_of(BUNDLE) == "bundle"


def test_a_return_comes_back_sorted_by_what_each_message_is() -> None:
    answer = decode_return(RETURN)
    assert (answer.reply, answer.receipts, answer.pages) == (REPLY, RECEIPTS, (PAGE,))
    assert answer.is_whole
    assert kind_of(RETURN) == "return"


def test_a_bundle_without_batches_is_whole() -> None:
    assert decode_bundle(encode_bundle(HELLO, ())).is_whole
    assert decode_return(encode_return(REPLY, (), ())).is_whole


def test_a_file_cut_at_any_byte_gives_its_whole_items_and_says_that_it_was_cut() -> None:
    for data, items, decode in (
        (BUNDLE, (HELLO, *BATCHES), _all_of_bundle),
        (RETURN, (REPLY, *RECEIPTS, PAGE), _all_of_return),
    ):
        ends = _item_ends(data, items)
        for cut in range(len(data)):
            if cut < ends[0]:
                with pytest.raises(BundleInvalid):
                    decode(data[:cut])
                continue
            found, is_whole = decode(data[:cut])
            assert found == items[: sum(end <= cut for end in ends)], cut
            assert not is_whole


def _item_ends(data: bytes, items: tuple[bytes, ...]) -> list[int]:
    ends = [data.index(item) + len(item) for item in items]
    assert ends == sorted(ends)
    return ends


def _all_of_bundle(data: bytes) -> tuple[tuple[bytes, ...], bool]:
    bundle = decode_bundle(data)
    return (bundle.hello, *bundle.batches), bundle.is_whole


def _all_of_return(data: bytes) -> tuple[tuple[bytes, ...], bool]:
    answer = decode_return(data)
    return (answer.reply, *answer.receipts, *answer.pages), answer.is_whole


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80])
def test_a_bundle_with_any_byte_changed_never_gives_a_wrong_batch_and_never_looks_whole(
    mask: int,
) -> None:
    for place in range(len(BUNDLE)):
        try:
            bundle = decode_bundle(_flipped(BUNDLE, place, mask))
        except BundleInvalid:
            continue
        assert not bundle.is_whole, place
        for batch in bundle.batches:
            assert batch in BATCHES or not opens(batch), place


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80])
def test_a_return_with_any_byte_changed_never_gives_a_wrong_receipt_and_never_looks_whole(
    mask: int,
) -> None:
    for place in range(len(RETURN)):
        try:
            answer = decode_return(_flipped(RETURN, place, mask))
        except BundleInvalid:
            continue
        assert not answer.is_whole, place
        for receipt in set(answer.receipts) - set(RECEIPTS):
            with pytest.raises(SyncError):
                open_receipt(receipt, SERVER.public)


def _flipped(data: bytes, place: int, mask: int) -> bytes:
    return data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 4096,
        b"PK\x03\x04",
        wire.encode(b"enrollkit-bundle-2") + BUNDLE[19:],
        wire.encode(b"enrollkit-bundle-1"),
        wire.encode(b"enrollkit-bundle-1") + b"\x5b" + b"\xff" * 8,
        wire.encode(b"enrollkit-bundle-1") + b"\x5a\x7f\xff\xff\xff" + b"x" * 100,
        wire.encode(b"enrollkit-bundle-1") + wire.encode(bytes(LIMITS.hello_bytes_max + 1)),
        wire.encode(b"enrollkit-bundle-1") + b"\x5f\x41a\xff",
        RETURN,
    ],
    ids=[
        "empty",
        "zeros",
        "zip",
        "newer",
        "nothing more",
        "endless",
        "huge",
        "long hello",
        "indefinite",
        "return",
    ],
)
def test_a_file_that_is_no_bundle_is_refused_in_clear_words(data: bytes) -> None:
    with pytest.raises(BundleInvalid) as refused:
        decode_bundle(data)
    assert "Nothing is lost" in refused.value.text


def test_a_bundle_is_no_return() -> None:
    with pytest.raises(BundleInvalid):
        decode_return(BUNDLE)


def test_what_follows_the_trailer_is_not_used_and_makes_the_file_less_than_whole() -> None:
    for behind in (b"\x00" * 512, BUNDLE, b"\x40"):
        bundle = decode_bundle(BUNDLE + behind)
        assert bundle.batches[:2] == BATCHES
        assert not bundle.is_whole


def test_a_million_empty_items_are_not_read_into_memory() -> None:
    flood = wire.encode(b"enrollkit-bundle-1") + wire.encode(HELLO) + b"\x40" * 1_000_000
    bundle = decode_bundle(flood)
    assert len(bundle.batches) < 100_001
    assert not bundle.is_whole


def test_an_item_of_a_newer_kind_is_passed_over_in_a_return() -> None:
    newer = sign(b"new", ["praise"], SERVER)
    answer = decode_return(encode_return(REPLY, [newer, *RECEIPTS], [PAGE]))
    assert (answer.receipts, answer.pages, answer.is_whole) == (RECEIPTS, (PAGE,), True)


def test_a_bundle_that_could_not_be_read_again_is_not_written() -> None:
    with pytest.raises(TooLarge):
        encode_bundle(HELLO, [bytes(2**20)] * 64)


def test_names_of_files_fit_the_oldest_stick() -> None:
    names = [bundle_name("ab" * 8, "cd" * 8, 1, 10**9), return_name("ab" * 8, os.urandom(16))]
    for name in names:
        stem, _, suffix = name.partition(".")
        assert len(name) < 64
        assert stem.replace("-", "").isalnum()
        assert name == name.lower()
        assert len(suffix) == 3


def test_a_damaged_batch_is_found_out_by_its_signature() -> None:
    assert all(opens(batch) for batch in BATCHES)
    with pytest.raises(EnvelopeInvalid):
        open_batch(_flipped(BATCHES[0], 900, 1), DEVICE.public, {INGEST.public.id: INGEST})
