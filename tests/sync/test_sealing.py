"""Signed and sealed: every flipped byte, every wrong key, every other meaning is refused."""

from __future__ import annotations

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync import sealing
from sync.errors import EnvelopeInvalid, ReceiptInvalid, SyncError, TooLarge
from sync.protocol import (
    LIMITS,
    DeviceState,
    FeedEntry,
    FeedPage,
    FeedRequest,
    Hello,
    HelloReply,
    Outcome,
    Receipt,
    Verdict,
)
from sync.sealing import OpeningKey, SealKey, SigningKey, VerifyKey
from sync_samples import header, operation

DEVICE = SigningKey.generate()
SERVER = SigningKey.generate()
INGEST = OpeningKey.generate()
KEYS = {INGEST.public.id: INGEST}

HELLO = Hello(
    version=1,
    device=DEVICE.public.id,
    incarnation="11" * 8,
    last_batch=0,
    last_digest=bytes(32),
    receipted_upto=0,
    cursor=0,
    programme_serial=1,
    time=1_795_000_000,
    boot=bytes(8),
    monotonic=1,
    nonce=bytes(16),
    public_key=DEVICE.public.raw,
    seal_key=OpeningKey.generate().public.raw,
)
RECEIPT = Receipt(
    epoch="01" * 8,
    device=DEVICE.public.id,
    incarnation="11" * 8,
    batch=1,
    digest=bytes(32),
    verdicts=(Verdict(outcome=Outcome.ACCEPTED),),
    durable_upto=0,
    server_time=1_795_000_000,
    nonce=bytes(16),
)
REPLY = HelloReply(
    version=1,
    minimum_version=1,
    state=DeviceState.APPROVED,
    epoch="01" * 8,
    device=DEVICE.public.id,
    incarnation="11" * 8,
    held_upto=0,
    held_digest=bytes(32),
    durable_upto=0,
    feed_head=0,
    feed_digest=bytes(32),
    programme_serial=1,
    server_time=1_795_000_000,
    nonce=bytes(16),
)


def one_batch() -> bytes:
    return sealing.seal_batch(
        header(DEVICE.public, INGEST), [operation(1)], DEVICE, INGEST.public
    ).data


def test_a_batch_comes_back_as_it_was() -> None:
    head, operations = sealing.open_batch(one_batch(), DEVICE.public, KEYS)
    assert head == header(DEVICE.public, INGEST)
    assert operations == (operation(1),)


def test_a_plain_verifier_of_another_hand_agrees_with_the_signature() -> None:
    """RFC 9052, 4.4: the Sig_structure, built by hand, checked by cryptography alone."""
    protected, unprotected, payload, signature = cbor2.loads(one_batch()).value
    structure = cbor2.dumps(["Signature1", protected, b"", payload])
    Ed25519PublicKey.from_public_bytes(DEVICE.public.raw).verify(signature, structure)
    assert unprotected == {}


def test_a_batch_with_any_byte_flipped_does_not_open() -> None:
    data = one_batch()
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= 0xFF
        with pytest.raises(SyncError):
            sealing.open_batch(bytes(broken), DEVICE.public, KEYS)


def test_a_batch_cut_anywhere_does_not_open() -> None:
    data = one_batch()
    for size in range(len(data)):
        with pytest.raises(SyncError):
            sealing.open_batch(data[:size], DEVICE.public, KEYS)


def test_a_batch_of_another_device_does_not_open() -> None:
    with pytest.raises(EnvelopeInvalid):
        sealing.open_batch(one_batch(), SERVER.public, KEYS)


def test_a_batch_for_another_server_does_not_open() -> None:
    other = OpeningKey.generate()
    with pytest.raises(EnvelopeInvalid):
        sealing.open_batch(one_batch(), DEVICE.public, {INGEST.public.id: other})
    with pytest.raises(EnvelopeInvalid):
        sealing.open_batch(one_batch(), DEVICE.public, {other.public.id: other})


def test_sealed_content_cannot_be_moved_under_another_header() -> None:
    """A thief who signs with a key of his own cannot pass the content off as his."""
    thief = SigningKey.generate()
    _, meaning, sealed = sealing.read_unverified(one_batch())
    forged = sealing.sign(sealed, meaning, thief)
    with pytest.raises(EnvelopeInvalid):
        sealing.open_batch(forged, thief.public, KEYS)


def test_a_courier_reads_the_header_and_no_person() -> None:
    data = one_batch()
    assert sealing.read_batch_header(data) == header(DEVICE.public, INGEST)
    assert b"Person" not in data
    assert b"Nagla" not in data


def test_a_batch_that_is_too_large_is_not_even_parsed() -> None:
    with pytest.raises(TooLarge):
        sealing.read_batch_header(bytes(LIMITS.blob_batch_bytes_max + 1))


def test_a_receipt_is_believed_only_from_the_server() -> None:
    raw = sealing.sign_receipt(RECEIPT, SERVER)
    assert sealing.open_receipt(raw, SERVER.public) == RECEIPT
    with pytest.raises(ReceiptInvalid):
        sealing.open_receipt(raw, DEVICE.public)
    for place in range(len(raw)):
        broken = bytearray(raw)
        broken[place] ^= 0x01
        with pytest.raises(SyncError):
            sealing.open_receipt(bytes(broken), SERVER.public)


def test_a_message_never_passes_for_one_of_another_meaning() -> None:
    raw = sealing.sign_hello_reply(REPLY, SERVER)
    assert sealing.open_hello_reply(raw, SERVER.public) == REPLY
    with pytest.raises(ReceiptInvalid):
        sealing.open_receipt(raw, SERVER.public)


def test_the_first_hello_is_checked_with_the_key_it_carries() -> None:
    raw = sealing.sign_hello(HELLO, DEVICE)
    assert sealing.open_hello(raw) == HELLO
    assert sealing.open_hello(raw, DEVICE.public) == HELLO


def test_a_hello_under_another_devices_name_is_refused() -> None:
    thief = SigningKey.generate()
    with pytest.raises(EnvelopeInvalid):
        sealing.open_hello(sealing.sign_hello(HELLO, thief))
    with pytest.raises(EnvelopeInvalid):
        sealing.open_hello(sealing.sign_hello(HELLO, thief), thief.public)


def test_news_opens_for_its_device_alone() -> None:
    laptop, other = OpeningKey.generate(), OpeningKey.generate()
    page = FeedPage(
        device=DEVICE.public.id,
        after=4,
        head=5,
        entries=(
            FeedEntry(
                seq=5,
                id="0b" * 8,
                kind="abha.issued",
                at=1,
                record="0a" * 16,
                body={"abha_number": "91-1234-5678-9015"},
            ),
        ),
        nonce=bytes(16),
    )
    raw = sealing.seal_feed_page(page, SERVER, laptop.public)
    assert sealing.open_feed_page(raw, SERVER.public, laptop) == page
    assert b"91-1234" not in raw
    with pytest.raises(EnvelopeInvalid):
        sealing.open_feed_page(raw, SERVER.public, other)
    with pytest.raises(EnvelopeInvalid):
        sealing.open_feed_page(raw, DEVICE.public, laptop)


def test_a_feed_request_names_the_device_that_signed_it() -> None:
    request = FeedRequest(device=DEVICE.public.id, after=3, time=1, nonce=bytes(16))
    raw = sealing.sign_feed_request(request, DEVICE)
    assert sealing.open_feed_request(raw, DEVICE.public) == request
    with pytest.raises(EnvelopeInvalid):
        sealing.open_feed_request(sealing.sign_feed_request(request, SERVER), SERVER.public)


def test_keys_survive_their_bytes_and_show_no_secret() -> None:
    again = SigningKey(DEVICE.to_bytes())
    assert again.public == DEVICE.public
    assert OpeningKey(INGEST.to_bytes()).public.raw == INGEST.public.raw
    for shown in (repr(DEVICE), repr(INGEST), str(DEVICE), str(INGEST)):
        assert DEVICE.to_bytes().hex() not in shown
        assert INGEST.to_bytes().hex() not in shown
        assert "withheld" in shown


@pytest.mark.parametrize("size", [0, 31, 33, 1215, 1217])
def test_a_key_of_the_wrong_size_is_an_envelope_error(size: int) -> None:
    for make in (VerifyKey, SigningKey, SealKey, OpeningKey):
        with pytest.raises(EnvelopeInvalid):
            make(bytes(size))
