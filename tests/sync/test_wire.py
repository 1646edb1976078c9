"""Bytes on the road: what is written is read, and nothing else is."""

from __future__ import annotations

import random

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import wire
from sync.dictionaries import compress, decompress
from sync.errors import EnvelopeInvalid, ProtocolMismatch, SyncError, TooLarge
from sync.protocol import Outcome, Receipt, Verdict
from sync.sealing import OpeningKey, SigningKey
from sync_samples import header, operation

DEVICE = SigningKey.generate()
INGEST = OpeningKey.generate()


def test_operations_come_back_as_they_were() -> None:
    run = [
        operation(7, captured=2_000_000_000),
        operation(8, captured=5, payload=b"sealed"),
        operation(9, kind="record.of-a-newer-version", base_version=3),
    ]
    head = header(DEVICE.public, INGEST, first_seq=7, count=3)
    assert wire.decode_operations(wire.encode_operations(run), head) == tuple(run)


def test_an_operation_whose_clock_says_1970_keeps_its_place_and_time() -> None:
    run = [operation(1, captured=0), operation(2, captured=0), operation(3, captured=9)]
    head = header(DEVICE.public, INGEST, count=3)
    decoded = wire.decode_operations(wire.encode_operations(run), head)
    assert [op.captured for op in decoded] == [0, 0, 9]


def test_a_count_that_lies_is_refused() -> None:
    data = wire.encode_operations([operation(1)])
    with pytest.raises(EnvelopeInvalid):
        wire.decode_operations(data, header(DEVICE.public, INGEST, count=2))


def test_a_bomb_is_refused_before_it_fills_the_memory() -> None:
    bomb = compress(bytes(50_000_000))
    assert len(bomb) < 10_000
    with pytest.raises(TooLarge):
        decompress(bomb, 1, bytes_max=1_000_000)


@pytest.mark.parametrize("cut", [0, 1, 5, -1])
def test_a_compressed_frame_that_was_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(EnvelopeInvalid):
        decompress(compress(b"words" * 100)[:cut], 1, bytes_max=10_000)


def test_an_unknown_dictionary_asks_for_a_newer_program() -> None:
    with pytest.raises(ProtocolMismatch):
        decompress(compress(b"x"), 99, bytes_max=100)


@given(st.binary(max_size=200))
def test_no_foreign_bytes_leak_an_error_of_a_parser(data: bytes) -> None:
    readers = (
        wire.decode,
        wire.decode_sign1,
        wire.decode_receipt,
        wire.decode_hello,
        wire.decode_hello_reply,
        wire.decode_feed_request,
    )
    for read in readers:
        try:
            read(data)
        except SyncError:
            continue


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.binary(max_size=40) | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=14) | st.dictionaries(st.text(max_size=3), inner),
    )
)
def test_no_foreign_shape_leaks_an_error_of_a_parser(value: object) -> None:
    data = cbor2.dumps(value)
    for read in (wire.decode_receipt, wire.decode_hello, wire.decode_hello_reply):
        try:
            read(data)
        except SyncError:
            continue


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(EnvelopeInvalid):
        wire.decode(b"\x81" * 100_000 + b"\x00")


@pytest.mark.parametrize(
    "data",
    [
        b"\xd8\x1c\x81\xd8\x1d\x00",
        b"\xc0\x74" + b"2026-11-22T00:00:00Z",
        b"\xc2\x41\x01",
        b"\xd8\x23\x61.",
    ],
    ids=["a list that holds itself", "a date", "a big number", "a regular expression"],
)
def test_no_tag_brings_an_object_to_life(data: bytes) -> None:
    with pytest.raises(EnvelopeInvalid):
        wire.decode(data)


def test_a_body_may_only_be_what_json_can_say() -> None:
    row = [1, bytes(16), 0, 1, 0, {"name": b"bytes"}]
    data = compress(wire.encode([row]))
    with pytest.raises(EnvelopeInvalid):
        wire.decode_operations(data, header(DEVICE.public, INGEST))


def test_a_receipt_comes_back_as_it_was() -> None:
    receipt = Receipt(
        epoch="01" * 8,
        device="02" * 8,
        incarnation="03" * 8,
        batch=4,
        digest=bytes(range(32)),
        verdicts=(
            Verdict(outcome=Outcome.ACCEPTED),
            Verdict(outcome=Outcome.REJECTED, code="schema:required", pointer="/name"),
        ),
        durable_upto=3,
        server_time=1_795_000_000,
        nonce=bytes(16),
    )
    assert wire.decode_receipt(wire.encode_receipt(receipt)) == receipt


@given(st.lists(st.binary(max_size=300), max_size=6), st.randoms(use_true_random=False))
def test_a_sequence_is_read_from_pieces_of_any_size(
    items: list[bytes], chance: random.Random
) -> None:
    data = b"".join(wire.encode_sequence(items))
    reader = wire.SequenceReader(item_bytes_max=300)
    read: list[bytes] = []
    while data:
        size = chance.randint(1, 7)
        read += reader.feed(data[:size])
        data = data[size:]
    assert read == items
    assert reader.is_between_items


def test_a_sequence_that_promises_too_much_is_refused_at_its_head() -> None:
    reader = wire.SequenceReader(item_bytes_max=1000)
    with pytest.raises(TooLarge):
        list(reader.feed(b"\x5a\xff\xff\xff\xff"))


def test_a_sequence_cut_in_an_item_says_so() -> None:
    reader = wire.SequenceReader(item_bytes_max=1000)
    assert list(reader.feed(b"\x43ab")) == []
    assert not reader.is_between_items


@pytest.mark.parametrize("head", [b"\x01", b"\xa0", b"\x5f", b"<html>"])
def test_a_sequence_holds_byte_strings_only(head: bytes) -> None:
    with pytest.raises(EnvelopeInvalid):
        list(wire.SequenceReader(item_bytes_max=10).feed(head))
