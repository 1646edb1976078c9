"""Which files are certificates to check documents with, and how people name one."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from aadhaar_ca import Signer, signer
from sync.anchors import (
    ANCHOR_BYTES_MAX,
    FILE_BYTES_MAX,
    SOURCE_MAX,
    AnchorInvalid,
    AnchorUnknown,
    find_anchor,
    read_anchor,
    spelt,
)

CERTIFICATES = Path(__file__).resolve().parents[3] / "shared" / "reference" / "qr" / "uidai-certs"
OFFICIAL = {
    "uidai_prod_cdup.cer": "FC:F3:1A:3F",
    "uidai_offline_publickey_26022021.cer": "E0:F0:F8:69",
    "uidai_offline_publickey_17022026.cer": "00:57:3C:69",
    "uidai_offline_publickey_2026.cer": "E0:30:4B:9E",
}


@pytest.fixture(scope="module")
def maker() -> Signer:
    return signer()


@pytest.mark.parametrize("form", ["der", "pem"])
def test_a_certificate_is_read_in_both_forms(maker: Signer, form: str) -> None:
    data = getattr(maker, form)
    anchor = read_anchor(b"Bag Attributes\n" * (form == "pem") + data, source="uidai.gov.in")
    assert (anchor.name, anchor.source) == ("DS Practice Authority 1", "uidai.gov.in")
    assert anchor.certificate == maker.der
    assert anchor.lived_at(anchor.begins)
    assert anchor.lived_at(anchor.ends)
    assert not anchor.lived_at(anchor.begins - 1)
    assert not anchor.lived_at(anchor.ends + 1)


def test_what_is_no_certificate_is_refused(maker: Signer) -> None:
    public = maker.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    for data in (
        b"",
        b"hello",
        public,
        curve.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        maker.pem * 2,
        maker.pem.replace(b"M", b"!", 1),
        maker.der[:-1],
        maker.der + b"x",
        maker.der + bytes(ANCHOR_BYTES_MAX),
        maker.pem + bytes(FILE_BYTES_MAX),
        signer(bits=1024).der,
        signer("Too old", begins=1960).der,
    ):
        with pytest.raises(AnchorInvalid):
            read_anchor(data)


def test_a_damaged_certificate_is_refused_or_is_another_one(maker: Signer) -> None:
    """Nobody's signature is checked on it: a person compares the fingerprint, and it differs."""
    good = maker.anchor.fingerprint
    for place in range(len(maker.der)):
        data = bytearray(maker.der)
        data[place] ^= 0xFF
        try:
            assert read_anchor(bytes(data)).fingerprint != good
        except AnchorInvalid:
            continue


def test_what_is_said_of_it_is_one_short_printable_line(maker: Signer) -> None:
    hostile = signer("DS \x1b[2J Practice\n" + "x" * 40)
    for anchor in (hostile.anchor, read_anchor(maker.der, source="\x1b[2J\n" + "x" * 500)):
        assert anchor.name.isprintable()
        assert anchor.source.isprintable()
        assert len(anchor.source) <= SOURCE_MAX


def test_a_certificate_without_an_end_ends_where_every_system_can_print_it() -> None:
    assert signer("For ever", ends=9999).anchor.ends == 4_102_444_800


def test_a_fingerprint_is_found_in_any_spelling(maker: Signer) -> None:
    known = [maker.anchor.fingerprint, "00" * 32]
    for typed in (known[0], spelt(known[0]), spelt(known[0])[:23], known[0][:16].upper()):
        assert find_anchor(known, typed) == known[0]


@pytest.mark.parametrize("typed", ["", "abc", "0" * 15, "ff" * 32, "zz" * 32])
def test_a_fingerprint_that_names_none_or_several_is_refused(typed: str) -> None:
    with pytest.raises(AnchorUnknown):
        find_anchor(["00" * 32, "0" * 15 + "1" + "0" * 48], typed)
    with pytest.raises(AnchorUnknown):
        find_anchor(["00" * 32, "00" * 31 + "01"], "00" * 8)


@pytest.mark.parametrize(("name", "fingerprint"), OFFICIAL.items())
def test_certificates_of_uidai_are_read(name: str, fingerprint: str) -> None:
    file = CERTIFICATES / name
    if not file.exists():
        pytest.skip("the certificates of UIDAI are not on this machine")
    anchor = read_anchor(file.read_bytes())
    assert spelt(anchor.fingerprint).startswith(fingerprint)
    assert "UNIQUE IDENTIFICATION AUTHORITY" in anchor.name.upper()
