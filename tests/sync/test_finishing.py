"""Steps of finishing on the road: what is written is read, by whom it is for, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import sealing, wire
from sync.errors import EnvelopeInvalid, ReceiptInvalid, SyncError, TooLarge
from sync.protocol import (
    FINISH_VALUES,
    LIMITS,
    FinishAction,
    FinishAnswer,
    FinishRequest,
    FinishStage,
)
from sync.sealing import OpeningKey, SigningKey

DEVICE = SigningKey.generate()
DEVICE_SEAL = OpeningKey.generate()
SERVER = SigningKey.generate()
VAULT = OpeningKey.generate()
NONCE = bytes(range(16))
RECORD = "0f" * 16


def request(action: FinishAction = FinishAction.LOOK, **changes: Any) -> FinishRequest:
    values: dict[str, Any] = {
        "device": DEVICE.public.id,
        "subject": RECORD,
        "action": action,
        "time": 1_795_000_000,
        "nonce": NONCE,
        "sealed": bytes(1142) if action in FINISH_VALUES else None,
    }
    return FinishRequest(**(values | changes))


def answer(**changes: Any) -> FinishAnswer:
    values: dict[str, Any] = {
        "device": DEVICE.public.id,
        "record": RECORD,
        "stage": FinishStage.ADDRESS,
        "code": "address:taken",
        "pointer": "",
        "hint": "******4321",
        "again_at": 1_795_000_060,
        "handles": ("asha.devi87", "asha1987"),
        "abha_number": "91-1111-1111-1111",
        "abha_address": None,
        "server_time": 1_795_000_000,
        "nonce": NONCE,
    }
    return FinishAnswer(**(values | changes))


def sealed_value(**changes: Any) -> bytes:
    bound: dict[str, Any] = {
        "device": DEVICE.public.id,
        "subject": RECORD,
        "action": FinishAction.CODE,
        "nonce": NONCE,
    }
    return sealing.seal_finish_value("123456", VAULT.public, **(bound | changes))


@pytest.mark.parametrize("action", FinishAction)
def test_every_step_comes_back_as_it_was_sent(action: FinishAction) -> None:
    for subject in (RECORD, RECORD[:15]):
        step = request(action, subject=subject)
        assert sealing.open_finish_request(
            sealing.sign_finish_request(step, DEVICE), DEVICE.public
        ) == step  # fmt: skip


@pytest.mark.parametrize("stage", FinishStage)
def test_every_answer_comes_back_as_it_was_given(stage: FinishStage) -> None:
    for given_answer in (answer(stage=stage), answer(stage=stage, record="", handles=())):
        sealed = sealing.seal_finish_answer(given_answer, SERVER, DEVICE_SEAL.public)
        assert sealing.open_finish_answer(sealed, SERVER.public, DEVICE_SEAL) == given_answer


def test_a_step_and_its_answer_are_small_enough_for_2g() -> None:
    step = request(FinishAction.ADDRESS, sealed=bytes(1136 + LIMITS.finish_value_bytes_max))
    assert len(sealing.sign_finish_request(step, DEVICE)) < 1600
    longest = answer(handles=("h" * 18,) * LIMITS.finish_handles_max, pointer="/" + "p" * 199)
    assert len(sealing.seal_finish_answer(longest, SERVER, DEVICE_SEAL.public)) < 4096


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "ab" * 8},
        {"subject": "0e" * 16},
        {"action": FinishAction.MOBILE_CODE},
        {"nonce": bytes(16)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_typed_code_opens_for_its_own_step_alone(changes: dict[str, Any]) -> None:
    mine: dict[str, Any] = {
        "device": DEVICE.public.id,
        "subject": RECORD,
        "action": FinishAction.CODE,
        "nonce": NONCE,
    }
    assert sealing.open_finish_value(sealed_value(), VAULT, **mine) == "123456"
    with pytest.raises(EnvelopeInvalid):
        sealing.open_finish_value(sealed_value(**changes), VAULT, **mine)


def test_a_code_sealed_for_a_provisional_number_opens_for_the_record() -> None:
    sealed = sealed_value(subject=RECORD[:15])
    opened = sealing.open_finish_value(
        sealed,
        VAULT,
        device=DEVICE.public.id,
        subject=RECORD,
        action=FinishAction.CODE,
        nonce=NONCE,
    )
    assert opened == "123456"


@pytest.mark.parametrize("value", ["", "1" * 65, "१२३४५६"])
def test_what_cannot_be_a_code_or_a_handle_is_not_sealed(value: str) -> None:
    with pytest.raises(ValueError, match=r"value|ascii"):
        sealing.seal_finish_value(
            value,
            VAULT.public,
            device=DEVICE.public.id,
            subject=RECORD,
            action=FinishAction.CODE,
            nonce=NONCE,
        )


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, bytes(7)),
        (1, "0f"),
        (1, RECORD.upper()),
        (1, RECORD.encode()),
        (2, 8),
        (2, True),
        (2, "look"),
        (3, -1),
        (4, bytes(15)),
        (5, bytes(1142)),
    ],
)
def test_a_misshapen_step_is_refused(place: int, value: object) -> None:
    array = wire.decode(wire.encode_finish_request(request()))
    array[place] = value
    with pytest.raises(EnvelopeInvalid):
        wire.decode_finish_request(wire.encode(array))


@pytest.mark.parametrize("sealed", [None, b"", bytes(1136), bytes(1201), "code"])
def test_a_step_that_needs_a_value_must_bring_one(sealed: object) -> None:
    array = wire.decode(wire.encode_finish_request(request(FinishAction.CODE)))
    array[5] = sealed
    with pytest.raises(EnvelopeInvalid):
        wire.decode_finish_request(wire.encode(array))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, bytes(9)),
        (1, bytes(15)),
        (1, ""),
        (2, 8),
        (3, "c" * 61),
        (4, "p" * 201),
        (5, "h" * 41),
        (6, None),
        (7, "asha"),
        (7, ["h"] * 21),
        (7, [7]),
        (8, 91),
        (9, "a" * 61),
        (10, -1),
        (11, b""),
    ],
)
def test_a_misshapen_answer_is_refused(place: int, value: object) -> None:
    array = wire.decode(wire.encode_finish_answer(answer()))
    array[place] = value
    with pytest.raises(EnvelopeInvalid):
        wire.decode_finish_answer(wire.encode(array))


@given(st.binary(max_size=300))
def test_no_foreign_bytes_leak_an_error_of_a_parser(data: bytes) -> None:
    for read in (wire.decode_finish_request, wire.decode_finish_answer):
        try:
            read(data)
        except SyncError:
            continue


def test_every_flipped_byte_of_an_answer_is_noticed() -> None:
    sealed = sealing.seal_finish_answer(answer(), SERVER, DEVICE_SEAL.public)
    for place in range(0, len(sealed), 7):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(ReceiptInvalid):
            sealing.open_finish_answer(bytes(changed), SERVER.public, DEVICE_SEAL)


def test_an_answer_opens_for_its_own_laptop_and_from_its_own_server_alone() -> None:
    sealed = sealing.seal_finish_answer(answer(), SERVER, DEVICE_SEAL.public)
    with pytest.raises(ReceiptInvalid):
        sealing.open_finish_answer(sealed, SERVER.public, OpeningKey.generate())
    with pytest.raises(ReceiptInvalid):
        sealing.open_finish_answer(sealed, SigningKey.generate().public, DEVICE_SEAL)


def test_a_step_in_another_laptops_name_is_refused() -> None:
    other = SigningKey.generate()
    forged = sealing.sign_finish_request(replace(request(), device=other.public.id), DEVICE)
    with pytest.raises(EnvelopeInvalid):
        sealing.open_finish_request(forged, DEVICE.public)
    with pytest.raises(EnvelopeInvalid):
        sealing.open_finish_request(sealing.sign_finish_request(request(), DEVICE), other.public)


def test_what_is_too_large_is_not_read() -> None:
    huge = bytes(LIMITS.finish_bytes_max + 1)
    with pytest.raises(TooLarge):
        sealing.open_finish_request(huge, DEVICE.public)
    with pytest.raises(TooLarge):
        sealing.open_finish_answer(huge, SERVER.public, DEVICE_SEAL)


def test_neither_steps_nor_answers_print_what_is_personal() -> None:
    shown = repr(request(FinishAction.CODE)) + repr(answer())
    for personal in ("4321", "asha", "91-1111"):
        assert personal not in shown
