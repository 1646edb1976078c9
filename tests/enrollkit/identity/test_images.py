"""Codes are found in pictures as people take them, and hostile files are refused in words."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import pytest
import zxingcpp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from card_samples import HINDI, KEY, PLAIN, face_of
from enrollkit.cards.claim169 import encode
from enrollkit.cards.render import render_cards
from enrollkit.errors import DocumentUnreadable, FileUnreadable
from enrollkit.identity import images
from enrollkit.identity.images import DocumentTooLarge, read_codes

TEXT = encode(HINDI, KEY)


def code_picture(text: str = TEXT, scale: int = 4) -> Image.Image:
    drawn = zxingcpp.write_barcode_to_image(
        zxingcpp.create_barcode(text, zxingcpp.QRCode, ec_level="M"), scale=scale
    )
    rows = memoryview(drawn)
    return Image.frombytes("L", (rows.shape[1], rows.shape[0]), rows.tobytes())


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize("name", ["c.png", "c.jpg", "c.webp", "c.tiff", "c.bmp", "c.gif", "c.dat"])
def test_a_code_is_read_from_every_usual_kind_of_picture(tmp_path: Path, name: str) -> None:
    options = {"format": "PNG"} if name.endswith("dat") else {}
    assert read_codes(saved(code_picture(), tmp_path / name, **options)) == [TEXT]


@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
def test_a_picture_taken_with_the_phone_turned_is_read(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert read_codes(saved(code_picture(), tmp_path / "c.jpg", exif=exif)) == [TEXT]


def test_a_crooked_blurred_and_dim_picture_is_read(tmp_path: Path) -> None:
    picture = code_picture(scale=6).rotate(11, expand=True, fillcolor=255)
    picture = picture.filter(ImageFilter.GaussianBlur(1.2)).point(lambda level: 60 + level // 4)
    assert read_codes(saved(picture, tmp_path / "c.png")) == [TEXT]


def test_a_very_small_picture_is_read(tmp_path: Path) -> None:
    assert read_codes(saved(code_picture(scale=1), tmp_path / "c.png")) == [TEXT]


def test_a_code_on_a_transparent_ground_is_read(tmp_path: Path) -> None:
    grey = code_picture()
    picture = Image.new("RGBA", grey.size, (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), mask=grey.point(lambda level: 255 - level))
    assert read_codes(saved(picture, tmp_path / "c.png")) == [TEXT]


def test_the_codes_of_a_sheet_come_in_reading_order_from_pdf_and_picture(tmp_path: Path) -> None:
    faces = [face_of(PLAIN, code=f"CODE NUMBER {at}") for at in range(12)]
    wanted = [face.code for face in faces]
    (document,) = render_cards(faces, "a4", tmp_path / "c.pdf")
    assert read_codes(document) == wanted
    pages = render_cards(faces, "a4", tmp_path / "c.png")
    assert [code for page in pages for code in read_codes(page)] == wanted


@pytest.mark.parametrize("size", [(70_000, 1), (1, 70_000), (65_536, 100)])
def test_a_picture_longer_than_any_reader_takes_is_refused(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    with pytest.raises(DocumentTooLarge):
        read_codes(saved(Image.new("1", size), tmp_path / "long.png"))


@pytest.mark.parametrize("box", ["0 0 1 99999999", "0 0 100000000 0.000001", "0 0 0 0"])
def test_a_page_of_impossible_size_holds_no_code(tmp_path: Path, box: str) -> None:
    path = tmp_path / "wall.pdf"
    path.write_bytes(
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[" + box.encode() + b"]>>endobj\n"
        b"trailer<</Size 4/Root 1 0 R>>\n%%EOF"
    )
    with pytest.raises(DocumentUnreadable):
        read_codes(path)


def test_a_scan_of_several_pages_is_read_to_the_end(tmp_path: Path) -> None:
    pages = [code_picture("ONE"), code_picture("TWO")]
    file = saved(pages[0], tmp_path / "c.tiff", save_all=True, append_images=pages[1:])
    assert read_codes(file) == ["ONE", "TWO"]


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"%PDF-1.7 nothing", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0\x00"]
)
def test_a_file_that_is_no_picture_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "c"
    file.write_bytes(content)
    with pytest.raises(DocumentUnreadable):
        read_codes(file)


def test_a_missing_file_and_a_folder_are_refused_in_words(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(FileUnreadable):
            read_codes(path)


def test_a_picture_without_a_code_says_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable, match="no code found"):
        read_codes(saved(Image.new("L", (200, 200), 255), tmp_path / "c.png"))


def bomb_png(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    body = zlib.compress(b"\0")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8_000, 10_000, 60_000])
def test_a_picture_that_would_fill_the_memory_is_not_unpacked(tmp_path: Path, side: int) -> None:
    file = tmp_path / "c.png"
    file.write_bytes(bomb_png(side))
    with pytest.raises(DocumentTooLarge):
        read_codes(file)


def test_a_file_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "c.png"
    file.touch()
    os.truncate(file, images.FILE_BYTES_MAX + 1)
    with pytest.raises(DocumentTooLarge):
        read_codes(file)


def test_too_many_pages_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (document,) = render_cards([face_of(PLAIN)] * 3, "cr80", tmp_path / "c.pdf")
    monkeypatch.setattr(images, "PAGES_MAX", 2)
    with pytest.raises(DocumentTooLarge):
        read_codes(document)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP"])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_picture_is_read_or_refused_in_words(
    tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    buffer = io.BytesIO()
    code_picture("DAMAGED", scale=2).save(buffer, kind)
    content = bytearray(buffer.getvalue())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[at] ^= data.draw(st.integers(1, 255))
    file = tmp_path / "c"
    file.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        assert read_codes(file)
    except DocumentUnreadable:
        return
