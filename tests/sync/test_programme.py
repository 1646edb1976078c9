"""The programme file: believed from its own key at first, from that key alone ever after."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync import sealing, wire
from sync.dictionaries import compress
from sync.errors import EnvelopeInvalid, SyncError
from sync.programme import ProgrammeAnchor, open_programme, sign_programme
from sync.sealing import SigningKey
from sync_samples import programme

KEY = SigningKey.generate()


def test_a_programme_comes_back_as_it_was() -> None:
    made = programme(KEY)
    read = open_programme(sign_programme(made, KEY), None)
    assert (read.name, read.serial, read.consents, read.devices) == (
        made.name,
        made.serial,
        made.consents,
        made.devices,
    )
    assert read.vault.raw == made.vault.raw
    assert read.fingerprint == made.fingerprint


@pytest.mark.parametrize("practice", [True, False])
def test_a_programme_says_whether_its_numbers_are_for_practice(practice: bool) -> None:  # noqa: FBT001 - a parameter of the test
    raw = sign_programme(programme(KEY, practice=practice), KEY)
    assert open_programme(raw, None).practice is practice


def test_a_programme_with_real_numbers_is_written_as_it_always_was() -> None:
    made = programme(KEY)
    assert len(sign_programme(made, KEY)) < len(sign_programme(replace(made, practice=True), KEY))


def test_a_later_programme_must_carry_the_pinned_key() -> None:
    other = SigningKey.generate()
    raw = sign_programme(programme(other), other)
    assert open_programme(raw, None).signing == other.public
    with pytest.raises(EnvelopeInvalid):
        open_programme(raw, KEY.public)


def test_a_programme_signed_by_a_stranger_is_refused() -> None:
    with pytest.raises(EnvelopeInvalid):
        open_programme(sign_programme(programme(KEY), SigningKey.generate()), None)


def test_a_programme_with_any_byte_flipped_is_refused() -> None:
    raw = sign_programme(programme(KEY), KEY)
    for place in range(0, len(raw), 7):
        broken = bytearray(raw)
        broken[place] ^= 0x01
        with pytest.raises(SyncError):
            open_programme(bytes(broken), None)


def test_a_programme_that_misses_a_key_is_refused() -> None:
    raw = sealing.sign(compress(wire.encode({"name": "x"})), ["programme", 1], KEY)
    with pytest.raises(EnvelopeInvalid, match="programme"):
        open_programme(raw, None)


def test_certificates_travel_as_they_were_added_and_without_any_nothing_is_said() -> None:
    anchors = tuple(ProgrammeAnchor(certificate=bytes([n]) * 9, source=f"no {n}") for n in (1, 2))
    made = programme(KEY, anchors=anchors)
    assert open_programme(sign_programme(made, KEY), KEY.public).anchors == anchors
    plain = replace(made, anchors=())
    assert open_programme(sign_programme(plain, KEY), None).anchors == ()
    assert len(sign_programme(plain, KEY)) < len(sign_programme(made, KEY))


def test_more_certificates_than_there_may_be_are_refused() -> None:
    anchors = tuple(ProgrammeAnchor(certificate=bytes([n]), source="") for n in range(65))
    with pytest.raises(EnvelopeInvalid, match="anchors"):
        open_programme(sign_programme(programme(KEY, anchors=anchors), KEY), None)
