"""The worked example of docs/PROTOCOL.md: a second implementation can be checked against it."""

from __future__ import annotations

import json

import pytest

import plain_hpke
import protocol_vector as example
from sync import capture, wire
from sync.dictionaries import decompress
from sync.errors import EnvelopeInvalid
from sync.protocol import FinishAction
from sync.sealing import (
    open_batch,
    open_finish_request,
    open_receipt,
    seal_finish_value,
    sign,
)


@pytest.fixture
def vector() -> dict[str, str]:
    kept: dict[str, str] = json.loads(example.FILE.read_text(encoding="utf-8"))
    return kept


def test_the_kept_batch_opens_to_the_operation(vector: dict[str, str]) -> None:
    batch = bytes.fromhex(vector["batch"])
    header, operations = open_batch(
        batch, example.DEVICE.public, {example.INGEST.public.id: example.INGEST}
    )
    assert header == example.HEADER
    assert operations == (example.OPERATION,)


def test_everything_around_the_seal_follows_from_the_fixed_keys(vector: dict[str, str]) -> None:
    assert example.describe(bytes.fromhex(vector["batch"])) == vector


def test_the_same_payload_signed_again_is_the_same_batch(vector: dict[str, str]) -> None:
    meaning = ["batch", *wire.encode_header(example.HEADER)]
    again = sign(bytes.fromhex(vector["payload"]), meaning, example.DEVICE)
    assert again.hex() == vector["batch"]


def test_the_signature_is_over_the_structure_of_rfc_9052(vector: dict[str, str]) -> None:
    protected, payload = bytes.fromhex(vector["protected"]), bytes.fromhex(vector["payload"])
    signed = example.sig_structure(protected, payload)
    assert example.DEVICE.public.holds(bytes.fromhex(vector["signature"]), signed)
    assert not example.DEVICE.public.holds(bytes.fromhex(vector["signature"]), signed + b"\x00")


def test_an_independent_hpke_opens_the_seal(vector: dict[str, str]) -> None:
    payload, info = bytes.fromhex(vector["payload"]), bytes.fromhex(vector["info"])
    plain = plain_hpke.open_sealed(example.INGEST.to_bytes(), payload, info)
    assert plain.hex() == vector["compressed"]


def test_the_compressed_text_unpacks_to_the_rows(vector: dict[str, str]) -> None:
    compressed = bytes.fromhex(vector["compressed"])
    assert decompress(compressed, 1, bytes_max=1000).hex() == vector["operations"]


def test_a_receipt_costs_one_byte_for_an_accepted_operation(vector: dict[str, str]) -> None:
    read = open_receipt(bytes.fromhex(vector["receipt"]), example.SERVER.public)
    assert read == example.receipt(bytes.fromhex(vector["digest"]))


def test_the_seal_of_the_number_is_bound_to_record_and_version(vector: dict[str, str]) -> None:
    sealed = bytes.fromhex(vector["sealed_number"])
    key, record = example.CAPTURE_KEY, example.RECORD
    assert capture.open_number(key, sealed, record_id=record, version=1) == example.AADHAAR
    with pytest.raises(EnvelopeInvalid):
        capture.open_number(key, sealed, record_id=record, version=2)


def test_a_step_of_finishing_is_opened_by_whoever_knows_the_device(
    vector: dict[str, str],
) -> None:
    message = bytes.fromhex(vector["finish_request"])
    assert open_finish_request(message, example.DEVICE.public) == example.finish_request()
    plain = bytes.fromhex(vector["finish_answer"])
    assert wire.decode_finish_answer(plain) == example.finish_answer()


def test_an_independent_hpke_opens_what_was_typed(vector: dict[str, str]) -> None:
    vault = example.INGEST
    sealed = seal_finish_value(
        "123456",
        vault.public,
        device=example.DEVICE.public.id,
        subject=example.RECORD,
        action=FinishAction.CODE,
        nonce=example.NONCE,
    )
    info = bytes.fromhex(vector["finish_value_info"])
    assert plain_hpke.open_sealed(vault.to_bytes(), sealed, info) == b"123456"


def test_the_page_shows_this_very_example(vector: dict[str, str]) -> None:
    assert example.as_page(vector) in example.PAGE.read_text(encoding="utf-8")
