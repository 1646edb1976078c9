"""Every version of an Aadhaar QR is read; only what a believed authority signed is verified."""

from __future__ import annotations

import json
import random
import time
import zlib
from dataclasses import replace
from typing import Any

import pytest

from aadhaar_ca import Signer, signer
from aadhaar_samples import (
    ASHA,
    OFFICIAL,
    VERSIONS,
    Person,
    content_of,
    digits_of,
    packed_of,
    photo,
    random_person,
    signed,
)
from enrollkit.domain.person import Gender
from enrollkit.identity.aadhaar_qr import AadhaarReading, Oddity, read_and_verify
from enrollkit.identity.packing import DIGITS_MAX, UNPACKED_BYTES_MAX, Fault, unpack
from enrollkit.identity.trust import Trust
from sync.anchors import TrustAnchor, read_anchor

PHOTO = replace(ASHA, photo=photo())


@pytest.fixture(scope="module")
def maker() -> Signer:
    return signer()


@pytest.fixture(scope="module")
def anchors(maker: Signer) -> list[TrustAnchor]:
    """Believe three, of which the last one signs."""
    return [
        signer("Other 1").anchor,
        signer("Other 2", begins=2012, ends=2015).anchor,
        maker.anchor,
    ]


def code(maker: Signer, content: bytes, packing: str = "gzip") -> str:
    return digits_of(packed_of(signed(content, maker), packing))


def read(data: bytes, anchors: list[TrustAnchor], packing: str = "gzip") -> AadhaarReading:
    return read_and_verify(digits_of(packed_of(data, packing)), anchors)


@pytest.mark.parametrize("packing", ["gzip", "zlib"])
@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_in_each_packing_is_verified_by_who_signed_it(
    maker: Signer, anchors: list[TrustAnchor], version: str, packing: str
) -> None:
    reading = read_and_verify(code(maker, content_of(PHOTO, version), packing), anchors)
    assert reading.trust is Trust.VERIFIED
    assert reading.anchor == anchors[2]
    assert reading.is_timely
    card = reading.card
    assert card is not None
    assert card.version == version
    assert card.photo == photo()
    assert card.mobile_last4 == ("" if version == "V1" else "0001")
    assert card.oddities == ({Oddity.VERSION} if version == "V9" else frozenset())
    assert card.made_at == 1_673_668_815
    details = card.details
    assert (details.last4, details.name, details.gender) == ("7058", "Asha Devi", Gender.FEMALE)
    assert details.line == "14, Mill Road, near the well, Ward 4"
    assert (details.village, details.district, details.state, details.pincode) == (
        "Partapur", "Banswara", "Rajasthan", "327023",
    )  # fmt: skip


def test_a_thousand_random_cards_come_back_as_they_were(
    maker: Signer, anchors: list[TrustAnchor]
) -> None:
    choice = random.Random(20261122)
    photos = [None, *(photo(seed, form=form) for seed in (1, 2) for form in ("j2k", "jp2", "jpeg"))]
    began = time.process_time()
    for _number in range(1000):
        person, version = random_person(choice, photos), choice.choice(VERSIONS)
        packing = choice.choice(("gzip", "zlib"))
        reading = read_and_verify(code(maker, content_of(person, version), packing), anchors)
        assert reading.trust is Trust.VERIFIED
        assert reading.card is not None
        details = reading.card.details
        assert Oddity.REST not in reading.card.oddities
        assert (details.last4, details.name, details.pincode, details.care_of, details.state) == (
            person.last4, person.name, person.pincode, person.care_of, person.state,
        )  # fmt: skip
        assert details.birth is not None
        assert str(details.birth.year) in person.birth
        assert reading.card.photo == person.photo
        expected = "" if version == "V1" else person.mobile[-4:]
        assert reading.card.mobile_last4 == expected
    assert time.process_time() - began < 60


@pytest.mark.parametrize("version", VERSIONS)
def test_no_byte_of_what_is_signed_can_be_changed(
    maker: Signer, anchors: list[TrustAnchor], version: str
) -> None:
    data = signed(content_of(PHOTO, version), maker)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 0xFF if place % 2 else 0x01
        reading = read(bytes(changed), anchors[2:], "zlib")
        assert reading.trust is not Trust.VERIFIED, place
        if reading.trust is not Trust.UNREADABLE:
            is_content = place < len(data) - 256
            assert (reading.trust is Trust.TAMPERED) == is_content, place


@pytest.mark.parametrize("version", ["V1", "V5"])
def test_no_byte_of_the_wrapping_makes_other_content_verified(
    maker: Signer, anchors: list[TrustAnchor], version: str
) -> None:
    """Deflate can say the same in several ways; what verifies is what was signed, to the byte."""
    data = signed(content_of(PHOTO, version), maker)
    packed = packed_of(data)
    for place in range(len(packed)):
        changed = bytearray(packed)
        changed[place] ^= 0xFF
        digits = digits_of(bytes(changed))
        if read_and_verify(digits, anchors).trust is Trust.VERIFIED:
            assert place >= 10
            assert unpack(digits).data == data


def test_digits_that_are_changed_cut_or_swapped_are_never_verified(
    maker: Signer, anchors: list[TrustAnchor]
) -> None:
    digits = code(maker, content_of(PHOTO))
    for place in range(0, len(digits), 11):
        wrong = str((int(digits[place]) + 1) % 10)
        for changed in (
            digits[:place] + wrong + digits[place + 1 :],
            digits[:place],
            digits[:place] + digits[place + 1 :],
        ):
            assert read_and_verify(changed, anchors).trust is not Trust.VERIFIED


@pytest.mark.parametrize("digits", [4095, 2000, 500])
def test_a_scan_that_was_cut_short_is_told_as_one(
    maker: Signer, anchors: list[TrustAnchor], digits: int
) -> None:
    whole = code(maker, content_of(replace(ASHA, photo=photo(size=100))))
    assert len(whole) > 4300
    assert read_and_verify(whole, anchors).trust is Trust.VERIFIED
    assert read_and_verify(whole[:digits], anchors).fault is Fault.CUT_SHORT


def test_without_the_right_certificate_a_card_is_read_and_not_verified(maker: Signer) -> None:
    digits = code(maker, content_of(ASHA))
    for believed in ([], [signer("Other 1").anchor]):
        reading = read_and_verify(digits, believed)
        assert reading.trust is Trust.NOT_VERIFIED
        assert reading.anchor is None
        assert reading.card is not None
        assert not reading.is_timely


def test_a_changed_card_is_told_from_one_that_nobody_here_signed(
    maker: Signer, anchors: list[TrustAnchor]
) -> None:
    data = signed(content_of(ASHA), maker)
    changed = read(data.replace(b"Asha Devi", b"Usha Devi"), anchors)
    assert (changed.trust, changed.anchor) == (Trust.TAMPERED, anchors[2])
    assert changed.card is None, "what a changed card says is worth nothing"
    assert read(data[:-256] + bytes(range(256)), anchors).trust is Trust.NOT_VERIFIED
    assert read(data[:-256] + bytes(256), anchors).trust is Trust.NOT_VERIFIED
    assert read(data[:-256] + b"\xff" * 256, anchors).trust is Trust.NOT_VERIFIED


def test_an_old_card_stays_verified_when_its_certificate_has_ended(maker: Signer) -> None:
    ended = signer("Ended", begins=2017, ends=2020)
    for made, is_timely in (("20190308114407437", True), ("20210308114407437", False)):
        data = signed(content_of(replace(ASHA, made=made)), ended)
        reading = read(data, [maker.anchor, ended.anchor])
        assert reading.trust is Trust.VERIFIED
        assert reading.is_timely is is_timely


@pytest.mark.parametrize(
    ("change", "extra"),
    [
        ({"photo": None}, ()),
        ({"photo": None, "email": "", "mobile": ""}, ()),
        ({"mobile": ""}, ()),
        ({}, ("a***@example.org",)),
        ({"photo": None}, ("a***@example.org", "more")),
        ({"photo": photo(form="jp2")}, ("more",)),
        ({"photo": photo(form="jpeg")}, ("",)),
    ],
)
def test_a_missing_photo_and_further_fields_are_no_harm(
    maker: Signer, anchors: list[TrustAnchor], change: dict[str, Any], extra: tuple[str, ...]
) -> None:
    person = replace(PHOTO, **change)
    for version in VERSIONS:
        reading = read_and_verify(code(maker, content_of(person, version, extra=extra)), anchors)
        assert reading.trust is Trust.VERIFIED
        assert reading.card is not None
        assert reading.card.photo == person.photo
        assert Oddity.REST not in reading.card.oddities


def test_bytes_that_nobody_knows_are_told(maker: Signer, anchors: list[TrustAnchor]) -> None:
    for content in (content_of(PHOTO) + b"\x00" * 7, content_of(ASHA, "V2") + b"\x01\x02"):
        card = read_and_verify(code(maker, content), anchors).card
        assert card is not None
        assert Oddity.REST in card.oddities


def test_a_hash_that_looks_like_the_end_of_a_photo_does_not_lengthen_it(
    maker: Signer, anchors: list[TrustAnchor]
) -> None:
    content = content_of(PHOTO)
    tail = b"\x00" * 10 + b"\xff\xd9" + b"\x00" * 52
    card = read_and_verify(code(maker, content[:-64] + tail), anchors).card
    assert card is not None
    assert card.photo == photo()


@pytest.mark.parametrize(
    "person",
    [
        replace(ASHA, last4="70"),
        replace(ASHA, made="20231314093015123"),
        replace(ASHA, made="00010114093015123"),
        replace(ASHA, pincode="Partapur"),
        replace(ASHA, name=""),
        replace(ASHA, name="Asha\x1b[2J"),
        replace(ASHA, village="x" * 401),
    ],
)
def test_fields_that_stand_elsewhere_are_not_taken_for_others(
    maker: Signer, anchors: list[TrustAnchor], person: Person
) -> None:
    """Even signed: a layout that is not known must not put a district where a name belongs."""
    reading = read_and_verify(code(maker, content_of(person)), anchors)
    assert (reading.trust, reading.fault) == (Trust.UNREADABLE, Fault.FIELDS)
    assert reading.card is None


@pytest.mark.parametrize(
    ("digits", "fault"),
    [
        ("", Fault.NOT_PACKED),
        ("7" * 3181, Fault.NOT_PACKED),
        ("0" + digits_of(packed_of(bytes(600))), Fault.NOT_PACKED),
        ("१२३" * 100, Fault.NOT_PACKED),
        ("12 34" * 100, Fault.NOT_PACKED),
        ("7" * (DIGITS_MAX + 1), Fault.TOO_LONG),
        ("9" * 1_000_000, Fault.TOO_LONG),
        (digits_of(packed_of(bytes(200))), Fault.FIELDS),
        (digits_of(packed_of(bytes(600))), Fault.FIELDS),
        (digits_of(packed_of(b"V2\xff" * 200)), Fault.FIELDS),
        (digits_of(packed_of(bytes(UNPACKED_BYTES_MAX + 1))), Fault.TOO_LARGE),
        (digits_of(zlib.compress(bytes(2_000_000), 9)), Fault.TOO_LARGE),
        (digits_of(packed_of(bytes(600)) + b"x"), Fault.DAMAGED),
        (digits_of(packed_of(random.Random(1).randbytes(600))[:-9]), Fault.CUT_SHORT),
    ],
)
def test_digits_that_are_no_card_have_a_reason(
    anchors: list[TrustAnchor], digits: str, fault: Fault
) -> None:
    began = time.process_time()
    reading = read_and_verify(digits, anchors)
    assert (reading.trust, reading.fault) == (Trust.UNREADABLE, fault)
    assert fault.words
    assert time.process_time() - began < 2


def test_a_wrapping_that_uidai_does_not_write_is_read_and_not_verified(
    maker: Signer, anchors: list[TrustAnchor]
) -> None:
    packed = bytearray(packed_of(signed(content_of(ASHA), maker)))
    packed[4:8] = b"time"
    reading = read_and_verify(digits_of(bytes(packed)), anchors)
    assert reading.trust is Trust.NOT_VERIFIED
    assert reading.card is not None
    assert Oddity.PACKING in reading.card.oddities


def test_nothing_that_holds_a_person_prints_them(maker: Signer, anchors: list[TrustAnchor]) -> None:
    reading = read_and_verify(code(maker, content_of(PHOTO, "V2")), anchors)
    assert reading.card is not None
    for value in (reading, reading.card, reading.card.details):
        assert "Asha" not in repr(value)
        assert "7058" not in repr(value)


def test_what_is_shown_masks_every_long_number(maker: Signer, anchors: list[TrustAnchor]) -> None:
    person = replace(ASHA, house="9999 4105 7058", care_of="C/O 9000000001")
    card = read_and_verify(code(maker, content_of(person)), anchors).card
    assert card is not None
    shown = card.details.fields()
    assert shown["aadhaar"] == "XXXX XXXX 7058"
    assert "9999" not in json.dumps(shown)
    assert "90000" not in json.dumps(shown)
    assert card.details.house == "XXXX XXXX 7058", "an Aadhaar number ends where it is read"


def test_a_house_number_of_many_digits_stays_whole(
    maker: Signer, anchors: list[TrustAnchor]
) -> None:
    person = replace(ASHA, house="1-8-702/33/20/5")
    card = read_and_verify(code(maker, content_of(person)), anchors).card
    assert card is not None
    assert card.details.house == person.house


@pytest.fixture(scope="module")
def official() -> tuple[str, list[TrustAnchor]]:
    sample = OFFICIAL / "uidai_official_sample_v1.txt"
    if not sample.exists():
        pytest.skip("the public sample of UIDAI and its certificates are not on this machine")
    files = sorted((OFFICIAL / "uidai-certs").glob("*.cer"))
    return sample.read_text("ascii").strip(), [read_anchor(file.read_bytes()) for file in files]


def test_the_official_sample_verifies(official: tuple[str, list[TrustAnchor]]) -> None:
    digits, believed = official
    reading = read_and_verify(digits, believed)
    assert reading.trust is Trust.VERIFIED
    assert reading.anchor is not None
    assert reading.anchor.name == "DS UNIQUE IDENTIFICATION AUTHORITY OF INDIA 4"
    assert reading.is_timely
    card = reading.card
    assert card is not None
    assert (card.version, card.oddities, card.details.last4) == ("V1", frozenset(), "2697")
    assert card.photo is not None
    assert len(card.photo) == 888
    assert card.details.fields()["born"] == "01/01/1984"


def test_the_official_sample_with_any_byte_flipped_is_never_verified(
    official: tuple[str, list[TrustAnchor]],
) -> None:
    digits, every = official
    anchor = read_and_verify(digits, every).anchor
    assert anchor is not None
    believed = [anchor]
    data = unpack(digits).data
    for place in range(len(data)):
        for flip in (0x01, 0xFF):
            changed = bytearray(data)
            changed[place] ^= flip
            assert read(bytes(changed), believed, "zlib").trust is not Trust.VERIFIED
    packed = int_bytes(digits)
    for place in range(len(packed)):
        changed = bytearray(packed)
        changed[place] ^= 0xFF
        assert read_and_verify(digits_of(bytes(changed)), believed).trust is not Trust.VERIFIED


def int_bytes(digits: str) -> bytes:
    """Give the number's bytes (the official sample is short enough for Python's own reading)."""
    number = int(digits)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


@pytest.mark.parametrize("name", ["dataInput", "test"])
def test_a_public_second_version_verifies(name: str) -> None:
    file = OFFICIAL / "anon-aadhaar" / f"{name}.json"
    if not file.exists():
        pytest.skip("the public samples of the second version are not on this machine")
    digits = json.loads(file.read_text("utf-8"))["testQRData"].strip()
    anchor = read_anchor((file.parent / "testCertificate.pem").read_bytes())
    reading = read_and_verify(digits, [anchor])
    assert reading.trust is Trust.VERIFIED
    assert reading.card is not None
    assert (reading.card.version, reading.card.mobile_last4) == ("V2", "1234")
    assert reading.card.photo is not None
    assert Oddity.REST not in reading.card.oddities


def test_digits_that_are_no_code_are_told_at_once(anchors: list[TrustAnchor]) -> None:
    """Looking for the beginning of a longer code must not cost more than reading one."""
    noise = "".join(str(random.Random(5).randrange(10**9)) for _ in range(60))[:500]
    began = time.process_time()
    for _again in range(20):
        assert read_and_verify(noise, anchors).fault is Fault.NOT_PACKED
    assert time.process_time() - began < 1
