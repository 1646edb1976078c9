"""Aadhaar documents on a laptop: verified by whom it believes; all others are told apart."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from aadhaar_ca import signer
from aadhaar_samples import ASHA, content_of, digits_of, packed_of, photo, signed
from enrollkit.app.kit import Kit
from enrollkit.app.results import Checked
from enrollkit.store.inbox import StoredInbox
from kit_samples import NOW, PASSPHRASE, unlocked
from sync.anchors import spelt
from sync.programme import ProgrammeAnchor, open_programme, sign_programme
from sync.protocol import FeedEntry
from sync.sealing import SigningKey
from sync_samples import programme

LETTER = '<PrintLetterBarcodeData uid="999941057058" name="Asha Devi" gender="F" yob="1987"/>'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "uidai_practice.cer"
    path.write_bytes(signer().pem)
    return path


def card(version: str = "V2", **changes: str) -> str:
    person = replace(ASHA, photo=photo(), **changes)
    return digits_of(packed_of(signed(content_of(person, version), signer())))


def checked(kit: Kit, text: str) -> Checked:
    (found,) = kit.checking.verify(text)
    return found


def test_a_card_is_verified_once_its_certificate_is_believed(tmp_path: Path, file: Path) -> None:
    with unlocked(tmp_path / "a") as kit:
        before = checked(kit, card())
        assert (before.verdict, before.signer) == ("not-verified", None)
        assert "no certificate of UIDAI yet" in before.text
        kit.trust.add(file)
        after = checked(kit, card())
        assert (after.kind, after.verdict) == ("aadhaar-secure-qr", "verified")
        assert after.signer == "DS Practice Authority 1"
        assert "verified by DS Practice Authority 1" in after.text
        assert after.fields["certificate"] == spelt(signer().anchor.fingerprint)
        assert after.fields["certificate_from"] == "added here: uidai_practice.cer"
        assert after.fields["made"] == "14 Jan 2023, 09:30"
        assert (after.fields["aadhaar"], after.fields["mobile"]) == ("XXXX XXXX 7058", "XXXXXX0001")
        assert (after.fields["name"], after.fields["born"]) == ("Asha Devi", "14/03/1987")


def test_the_programmes_certificate_does_as_well(tmp_path: Path) -> None:
    anchors = (
        ProgrammeAnchor(certificate=b"what no library reads", source="a mistake"),
        ProgrammeAnchor(certificate=signer().der, source="uidai.gov.in"),
    )
    with unlocked(tmp_path / "a", anchors=anchors) as kit:
        found = checked(kit, card("V5"))
        assert found.verdict == "verified"
        assert found.fields["certificate_from"] == "the programme: uidai.gov.in"


def test_a_laptop_in_the_field_hears_of_a_certificate_with_the_news(tmp_path: Path) -> None:
    server = SigningKey.generate()
    anchors = (ProgrammeAnchor(certificate=signer().der, source="uidai.gov.in"),)
    newer = sign_programme(programme(server, serial=2, anchors=anchors), server)
    with unlocked(tmp_path / "a", server=server) as kit:
        assert checked(kit, card()).verdict == "not-verified"
        desk = kit._open()
        inbox = StoredInbox(
            desk.database, programme=lambda raw: open_programme(raw, server.public),
            clock=desk.system,
        )  # fmt: skip
        body = {"programme": base64.b64encode(newer).decode()}
        entry = FeedEntry(
            seq=1, id="01" * 8, kind="programme.updated", at=NOW, record=None, body=body
        )
        inbox.apply_page([entry], 1)
        kit.lock()
        kit.unlock(PASSPHRASE)
        assert checked(kit, card()).verdict == "verified"


def test_a_changed_card_says_so_and_shows_nothing(tmp_path: Path, file: Path) -> None:
    data = signed(content_of(ASHA), signer()).replace(b"Asha", b"Usha")
    with unlocked(tmp_path / "a") as kit:
        kit.trust.add(file)
        found = checked(kit, digits_of(packed_of(data)))
    assert (found.verdict, found.signer) == ("tampered", None)
    assert "has signed something else" in found.text
    assert "name" not in found.fields


def test_a_date_outside_the_certificates_life_is_said(tmp_path: Path, file: Path) -> None:
    with unlocked(tmp_path / "a") as kit:
        kit.trust.add(file)
        found = checked(kit, card(made="20350114093015123"))
    assert found.verdict == "verified"
    assert "outside the life" in found.text


def test_a_version_that_is_new_is_said(tmp_path: Path, file: Path) -> None:
    with unlocked(tmp_path / "a") as kit:
        kit.trust.add(file)
        found = checked(kit, card("V7"))
    assert found.verdict == "verified"
    assert "new to the kit" in found.text
    assert found.fields["version"] == "V7"


def test_a_card_is_read_from_a_picture(tmp_path: Path, file: Path) -> None:
    code = zxingcpp.create_barcode(card(), zxingcpp.BarcodeFormat.QRCode, ec_level="L")
    picture = Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=3))
    picture.save(tmp_path / "card.png")
    picture.convert("RGB").save(tmp_path / "card.pdf")
    with unlocked(tmp_path / "a") as kit:
        kit.trust.add(file)
        for name in ("card.png", "card.pdf"):
            (found,) = kit.checking.verify(tmp_path / name)
            assert found.verdict == "verified", name


def test_an_old_letter_is_read_signed_by_nobody_and_masked(tmp_path: Path) -> None:
    with unlocked(tmp_path / "a") as kit:
        found = checked(kit, LETTER)
        cut = checked(kit, "<PrintLetterBarcodeData uid=")
    assert (found.kind, found.verdict) == ("aadhaar-old-qr", "not-signed")
    assert found.fields == {
        "name": "Asha Devi", "born": "1987", "gender": "F", "aadhaar": "XXXX XXXX 7058",
    }  # fmt: skip
    assert cut.verdict == "unreadable"


@pytest.mark.parametrize(
    ("text", "verdict", "word"),
    [
        ("7" * 300, "unreadable", "no whole Aadhaar code"),
        (card()[:2000], "unreadable", "cut short"),
        (
            "https://phr.abdm.gov.in/share-profile?hip-id=IN01&counter-id=3",
            "not-signed",
            "own ABHA app",
        ),
        ("HC1:6BFOXN%TS3DH0YOJ58S S-W5HDC", "not-checked", "vaccinations"),
        ("https://example.org/x", "not-checked", "web address (example.org)"),
        ("hello", "not-checked", "does not know"),
    ],
    ids=range(6),
)
def test_what_cannot_be_used_says_why(tmp_path: Path, text: str, verdict: str, word: str) -> None:
    with unlocked(tmp_path / "a") as kit:
        found = checked(kit, text)
    assert found.verdict == verdict
    assert word in found.text


def test_an_abha_cards_facts_are_shown_masked(tmp_path: Path) -> None:
    code = (
        '{"hidn":"91-1111-2222-3333","phr":"asha@abdm","name":"Asha Devi","gender":"F",'
        '"dob":"14/3/1987","mobile":"9000000001","dist name":"BANSWARA"}'
    )
    with unlocked(tmp_path / "a") as kit:
        found = checked(kit, code)
    assert found.verdict == "not-signed"
    assert found.fields["abha_number"] == "XX-XXXX-XXXX-3333"
    assert found.fields["mobile"] == "XXXXXX0001"
    assert (found.fields["abha_address"], found.fields["district"]) == ("asha@abdm", "BANSWARA")
