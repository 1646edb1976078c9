"""A scanned text is recognised for what it is, and never for a card when it is none."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_samples import HINDI, KEY, PLAIN, SHARED
from enrollkit.cards import base45
from enrollkit.cards.claim169 import encode
from enrollkit.identity.router import TEXT_MAX, Kind, classify

ABHA = {"hidn": "91-1111-2222-3333", "hid": "test.person@abdm", "name": "T", "gender": "F"}
ABHA_APP = {"phr": "test.person@abdm", "name": "T", "gender": "F", "dob": "14/06/1987"}
XML = '<?xml version="1.0"?><OfflinePaperlessKyc referenceId="1"><UidData/></OfflinePaperlessKyc>'
OLD = '</?xml version=\\"1.0\\"?><PrintLetterBarcodeData uid="xxxxxxxx1234" name="T" yob="1987"/>'


@pytest.mark.parametrize(
    ("scanned", "kind"),
    [
        (encode(HINDI, KEY), Kind.CARD),
        (encode(PLAIN, KEY) + "\r\n", Kind.CARD),
        ("7K2M-94QD-XV3T-8", Kind.UNKNOWN),
        (json.dumps(ABHA), Kind.ABHA),
        ("\ufeff" + json.dumps(ABHA_APP, indent=1), Kind.ABHA),
        ("7" * 3181, Kind.AADHAAR_SECURE_QR),
        (XML, Kind.AADHAAR_XML),
        (OLD, Kind.AADHAAR_OLD_QR),
        ("https://phr.abdm.gov.in/share-profile?hip-id=IN0110000001&counter-id=3", Kind.FACILITY),
        ("HC1:6BFOXN%TS3DH0YOJ58S S-W5HDC", Kind.HEALTH_CERTIFICATE),
        (
            "shc:/567629095243206034602924374044603122295953265460346029254077280433",
            Kind.HEALTH_CERTIFICATE,
        ),
        ("https://example.org/", Kind.UNKNOWN),
        ('{"name": "T"}', Kind.UNKNOWN),
        ("[" * 60_000, Kind.UNKNOWN),
        ('{"a":' * 12_000, Kind.UNKNOWN),
        ("999997899787", Kind.UNKNOWN),
        ("HELLO WORLD " * 20, Kind.UNKNOWN),
        ("", Kind.UNKNOWN),
    ],
)
def test_each_kind_is_known_by_its_first_characters(scanned: str, kind: Kind) -> None:
    assert classify(scanned) is kind


def test_a_provisional_number_is_known_in_any_spelling() -> None:
    number = "S0F7-53CX-9GQP-S"
    for spelt in (number, number.lower(), number.replace("-", " "), f" {number}\n"):
        assert classify(spelt) is Kind.PROVISIONAL_NUMBER


@pytest.mark.parametrize("level", range(10))
def test_a_foreign_card_is_known_at_every_compression_level(level: int) -> None:
    assert classify(base45.encode(zlib.compress(bytes(range(200)), level))) is Kind.CARD


@given(st.text() | st.text(alphabet='{}"<>:/0123456789NCF6B ', max_size=400))
def test_garbage_is_never_an_exception(scanned: str) -> None:
    assert classify(scanned) in Kind


def test_a_text_longer_than_any_code_is_not_looked_at() -> None:
    assert classify("7" * (TEXT_MAX + 1)) is Kind.UNKNOWN
    assert classify("<" + "<OKY" * TEXT_MAX) is Kind.UNKNOWN


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len({kind.words for kind in Kind}) == len(Kind)


def test_the_public_sample_of_an_aadhaar_code_is_recognised() -> None:
    file = SHARED / "reference" / "qr" / "uidai_official_sample_v1.txt"
    if not file.exists():
        pytest.skip("the public sample of UIDAI is not on this machine")
    assert classify(file.read_text("ascii")) is Kind.AADHAAR_SECURE_QR
