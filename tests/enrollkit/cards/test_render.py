"""A printed card can be read back: by an eye as text, and by a camera as a verified code."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from card_samples import HINDI, KEY, NOW, PLAIN, corpus_people, face_of
from enrollkit.cards import files
from enrollkit.cards.abha_code import AbhaFacts, write_abha_code
from enrollkit.cards.claim169 import CardVerdict, decode_and_verify, encode
from enrollkit.cards.claims import CardClaims
from enrollkit.cards.codes import modules_of
from enrollkit.cards.layout import CARD_DOTS, SHEET_DOTS, CardFace
from enrollkit.cards.render import CardNotWritten, render_cards

QR_CODES = zxingcpp.barcode_formats_from_str("QRCode")
FACE = face_of(HINDI)
LONG = replace(HINDI, name=("Venkata Naga Satya Subrahmanya " * 4)[:100].strip())


def codes_in(picture: Path) -> list[str]:
    with Image.open(picture) as image:
        return [barcode.text for barcode in zxingcpp.read_barcodes(image, formats=QR_CODES)]


def words_in(document: Path) -> str:
    pdf = pypdfium2.PdfDocument(document)
    try:
        page = pdf[0]
        text_page = page.get_textpage()
        text: str = text_page.get_text_range()
        text_page.close()
        page.close()
    finally:
        pdf.close()
    return " ".join(text.split())


def test_a_plastic_card_is_a_picture_of_its_size_with_a_code_that_verifies(tmp_path: Path) -> None:
    (file,) = render_cards([FACE], "cr80", tmp_path / "card.png")
    with Image.open(file) as image:
        assert image.size == CARD_DOTS
        assert round(image.info["dpi"][0]) == 300
    (text,) = codes_in(file)
    reading = decode_and_verify(text, lambda _kid: KEY.public_key(), NOW)
    assert reading.verdict is CardVerdict.VERIFIED
    assert reading.claims is not None
    assert reading.claims.name_native == HINDI.name_native


def test_the_code_has_modules_of_at_least_four_whole_pixels_and_pure_black_and_white(
    tmp_path: Path,
) -> None:
    (file,) = render_cards([FACE], "cr80", tmp_path / "card.png")
    with Image.open(file) as image:
        (barcode,) = zxingcpp.read_barcodes(image)
        corner, other = barcode.position.top_left, barcode.position.bottom_right
        code = image.crop((corner.x, corner.y, other.x, other.y)).convert("L")
    assert code.width / 65 >= 4
    greys = sum(count for count, level in code.getcolors(256) or [] if 8 < level < 247)
    assert greys == 0


def test_the_words_of_the_card_are_text_in_the_pdf(tmp_path: Path) -> None:
    (file,) = render_cards([FACE], "cr80", tmp_path / "card.pdf")
    words = words_in(file)
    for wanted in (
        FACE.number,
        FACE.programme,
        "Kshatriya",
        "Provisional – not an ABHA number",
        "Born 14/03/1987",
        "Mother: Shri Devi Kshatriya",
        "Garhi, Banswara",
        "Issued 22/11/2026",
    ):
        assert wanted in words


def test_a_card_with_an_abha_number_carries_no_marker(tmp_path: Path) -> None:
    face = replace(FACE, marker=None, number="91-1111-2222-3333", number_label="ABHA number")
    (file,) = render_cards([face], "cr80", tmp_path / "card.pdf")
    assert "not an ABHA number" not in words_in(file)


ISSUED = replace(HINDI, number="91-1111-2222-3333", status=None)
FACTS = AbhaFacts(
    number="91-1111-2222-3333", handle="priyanka.k87@abdm", name=HINDI.name, gender=HINDI.gender,
    birth=HINDI.birth, state_code=8, district_code=88, state="Rajasthan", district="Banswara",
    address="House 4, Garhi, 327022", mobile="9876543210",
)  # fmt: skip


def issued_face(claims: CardClaims = ISSUED, **changes: str | None) -> CardFace:
    facts = replace(FACTS, name=claims.name)
    issued: dict[str, str | None] = {
        "marker": None, "number_label": "ABHA number", "abha_code": write_abha_code(facts),
        "address": facts.handle, "earlier": HINDI.number,
    }  # fmt: skip
    return face_of(claims, **(issued | changes))


@pytest.mark.parametrize("layout", ["cr80", "a4"])
@pytest.mark.parametrize("across", [None, "PRACTICE"])
def test_both_codes_of_a_card_with_a_number_are_read_with_four_pixels_a_module(
    tmp_path: Path, layout: str, across: str | None
) -> None:
    faces = [issued_face(across=across), issued_face(replace(LONG, number=ISSUED.number))]
    for face in faces:
        (file,) = render_cards([face], layout, tmp_path / "card.png")
        with Image.open(file) as image:
            found = zxingcpp.read_barcodes(image, formats=QR_CODES)
        assert {barcode.text for barcode in found} == {face.code, face.abha_code}
        for barcode in found:
            place = barcode.position
            width = place.top_right.x - place.top_left.x
            assert round(width / len(modules_of(barcode.text))) >= 4


def test_a_card_with_a_number_shows_address_and_the_provisional_number_in_small(
    tmp_path: Path,
) -> None:
    (file,) = render_cards([issued_face()], "cr80", tmp_path / "card.pdf")
    words = words_in(file)
    for wanted in (
        "91-1111-2222-3333", "ABHA number", "priyanka.k87@abdm", f"provisional {HINDI.number}",
        "for hospitals", "signed",
    ):  # fmt: skip
        assert wanted in words
    assert "not an ABHA number" not in words
    assert "PRACTICE" not in words


def test_a_card_for_practice_is_striped_with_the_word(tmp_path: Path) -> None:
    for face in (FACE, issued_face()):
        (file,) = render_cards([replace(face, across="PRACTICE")], "cr80", tmp_path / "card.pdf")
        assert words_in(file).count("PRACTICE") >= 20


def test_a_name_of_100_letters_stays_left_of_the_code(tmp_path: Path) -> None:
    (file,) = render_cards([face_of(LONG)], "cr80", tmp_path / "card.png")
    assert len(codes_in(file)) == 1
    (document,) = render_cards([face_of(LONG)], "cr80", tmp_path / "card.pdf")
    assert LONG.name.replace(" ", "") in words_in(document).replace(" ", "")


def test_a_native_name_without_a_font_is_left_out(tmp_path: Path) -> None:
    face = replace(FACE, name_native="ગુજરાતી")
    (file,) = render_cards([face], "cr80", tmp_path / "card.pdf")
    words = words_in(file)
    assert "Priyanka" in words
    assert "?" not in words


def test_sheets_hold_ten_and_pictures_are_numbered(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    faces = [face_of(replace(PLAIN, name=f"Person {at}")) for at in "abcdefghijkl"]
    files = render_cards(
        faces, "a4", tmp_path / "camp.png", progress=lambda done, total: seen.append((done, total))
    )
    assert [file.name for file in files] == ["camp-01.png", "camp-02.png"]
    assert seen == [(10, 12), (12, 12)]
    with Image.open(files[0]) as image:
        assert image.size == SHEET_DOTS
    assert [len(codes_in(file)) for file in files] == [10, 2]


def test_a_sheet_of_ten_takes_little_room(tmp_path: Path) -> None:
    faces = [face_of(replace(HINDI, issued_at=NOW + at)) for at in range(10)]
    (document,) = render_cards(faces, "a4", tmp_path / "camp.pdf")
    assert document.stat().st_size <= 8_000 * len(faces)


def test_cards_of_two_hundred_people_on_sheets_all_verify(tmp_path: Path) -> None:
    people = corpus_people()
    files = render_cards([face_of(claims) for claims in people], "a4", tmp_path / "camp.png")
    assert len(files) == 20
    readings = [
        decode_and_verify(text, lambda _kid: KEY.public_key(), NOW)
        for file in files
        for text in codes_in(file)
    ]
    assert Counter(reading.verdict for reading in readings) == {CardVerdict.VERIFIED: 200}
    found = {reading.claims.number: reading.claims for reading in readings if reading.claims}
    assert all(found[claims.number].name == claims.name for claims in people)
    assert all(found[claims.number].name_native == claims.name_native for claims in people)


@pytest.mark.parametrize("name", ["card.jpg", "card", "nowhere/card.pdf"])
def test_a_file_that_cannot_be_written_is_said_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(CardNotWritten) as caught:
        render_cards([FACE], "cr80", tmp_path / name)
    assert "Choose a file name" in caught.value.text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("faces", "layout"), [([], "cr80"), ([FACE], "poster")])
def test_no_cards_and_unknown_layouts_are_refused(
    tmp_path: Path, faces: list[CardFace], layout: str
) -> None:
    with pytest.raises(CardNotWritten):
        render_cards(faces, layout, tmp_path / "card.pdf")


def test_a_failed_write_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "card.pdf"
    out.write_bytes(b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(CardNotWritten):
        render_cards([FACE], "cr80", out)
    assert out.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [out]


def test_a_face_is_not_printed_by_accident() -> None:
    assert HINDI.name not in repr(FACE)
    assert encode(HINDI, KEY) not in repr(FACE)
