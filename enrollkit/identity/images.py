"""Reads the QR codes out of a picture or a PDF that somebody hands in.

The file may be hostile or huge, so its size, pages and pixels are bounded before anything is
unpacked, and only formats that cameras and scanners write are opened.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pypdfium2
import zxingcpp
from PIL import Image, ImageOps, UnidentifiedImageError

from enrollkit.errors import DocumentUnreadable, FileUnreadable

__all__ = ["FILE_BYTES_MAX", "PAGES_MAX", "PIXELS_MAX", "DocumentTooLarge", "read_codes"]

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
PAGES_MAX: Final = 200
PIXELS_MAX: Final = 60_000_000
"""More than a phone's camera makes, and than an A4 page at 600 dpi."""

_SIDE_MAX: Final = 65_535
"""The longest side that the reader of codes takes; a page that long is no card."""

_FORMATS: Final = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
_QR_CODES: Final = zxingcpp.barcode_formats_from_str("QRCode")
_DAMAGES: Final = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError,
    struct.error,
)  # fmt: skip
"""What Pillow's readers raise for damaged files."""

_PDF_MARK: Final = b"%PDF-"
_PDF_MARK_WITHIN: Final = 1024
_PDF_DPI: Final = 300
_SMALL_SIDE: Final = 1600
_ENLARGED: Final = (2, 3)
_ROW_HEIGHT_SHARE: Final = 0.5


class DocumentTooLarge(DocumentUnreadable):
    """That file is too large to be a picture of a card. Nothing was changed. Take one picture of
    the card alone, or hand in fewer pages at a time.
    """

    code = "document-too-large"
    exit_code = 34


def read_codes(path: Path) -> list[str]:
    """Read the text of every QR code in a picture or PDF, page by page, in reading order.

    Raise :class:`DocumentUnreadable` when the file is no picture or PDF or holds no readable code,
    :class:`FileUnreadable` when it cannot be opened, and :class:`DocumentTooLarge` when it goes
    beyond the limits. PDFium must not be entered by two threads at once: the caller sees to that.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise DocumentTooLarge("file size")
        with path.open("rb") as file:
            is_pdf = _PDF_MARK in file.read(_PDF_MARK_WITHIN)
    except OSError as problem:
        raise FileUnreadable(problem.strerror or "cannot be opened") from problem
    pages = _pdf_pages(path) if is_pdf else _picture_pages(path)
    codes = [code for page in pages for code in _codes_on(page)]
    if not codes:
        raise DocumentUnreadable("no code found")
    return codes


def _codes_on(page: Image.Image) -> list[str]:
    """Read one page; try harder only where nothing is found."""
    for attempt in _attempts(page):
        found = zxingcpp.read_barcodes(attempt, formats=_QR_CODES)
        if found:
            return [barcode.text for barcode in _in_reading_order(found)]
    return []


def _attempts(page: Image.Image) -> Iterator[Image.Image]:
    yield page
    yield ImageOps.autocontrast(page, cutoff=2)
    if max(page.size) <= _SMALL_SIDE:
        for factor in _ENLARGED:
            yield page.resize((page.width * factor, page.height * factor), Image.Resampling.BICUBIC)


def _in_reading_order(found: list[zxingcpp.Barcode]) -> list[zxingcpp.Barcode]:
    """Sort codes into rows from the top, each row from the left."""
    places = [(barcode.position.top_left, barcode.position.bottom_left) for barcode in found]
    height = max(abs(low.y - high.y) for high, low in places) or 1
    row = height * _ROW_HEIGHT_SHARE
    by_height = sorted(range(len(found)), key=lambda at: places[at][0].y)
    rows: list[list[int]] = []
    for at in by_height:
        if rows and places[at][0].y - places[rows[-1][0]][0].y <= row:
            rows[-1].append(at)
        else:
            rows.append([at])
    return [found[at] for line in rows for at in sorted(line, key=lambda at: places[at][0].x)]


def _picture_pages(path: Path) -> Iterator[Image.Image]:
    """Open a picture, or each page of a scanned TIFF, upright and grey."""
    number = 0
    with _open_picture(path) as image:
        while (page := _page_of(image, number)) is not None:
            yield page
            number += 1


def _open_picture(path: Path) -> Image.Image:
    with _pillow_mapped():
        return Image.open(path, formats=_FORMATS)


def _page_of(image: Image.Image, number: int) -> Image.Image | None:
    """Unpack one page; ``None`` after the last. Only TIFF has pages: a GIF's frames are a film."""
    if number and image.format != "TIFF":
        return None
    with _pillow_mapped():
        try:
            image.seek(number)
        except EOFError:
            return None
        if number >= PAGES_MAX or image.width * image.height > PIXELS_MAX:
            raise DocumentTooLarge("pages or pixels")
        if max(image.size) > _SIDE_MAX:
            raise DocumentTooLarge("a side")
        return _grey(ImageOps.exif_transpose(image))


@contextmanager
def _pillow_mapped() -> Iterator[None]:
    """Turn what Pillow raises for hostile and damaged files into our errors.

    Its warnings are about the same files, which either read or do not; sizes are checked here.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except (Image.DecompressionBombError, MemoryError) as problem:
        raise DocumentTooLarge("pixels") from problem
    except UnidentifiedImageError as problem:
        raise DocumentUnreadable("no picture or PDF") from problem
    except _DAMAGES as problem:
        raise DocumentUnreadable("the picture is damaged") from problem


def _grey(image: Image.Image) -> Image.Image:
    """Put the picture on white and drop its colours."""
    if "A" in image.getbands() or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    return image.convert("L")


def _pdf_pages(path: Path) -> Iterator[Image.Image]:
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as problem:
        raise DocumentUnreadable("the PDF is damaged or locked with a password") from problem
    try:
        if len(document) > PAGES_MAX:
            raise DocumentTooLarge("pages")
        for at in range(len(document)):
            yield _rendered(document, at)
    finally:
        document.close()


def _rendered(document: pypdfium2.PdfDocument, at: int) -> Image.Image:
    """Draw a page at 300 dpi, or coarser when the page is as large as a wall."""
    try:
        page = document[at]
        width, height = page.get_size()
        finest = (PIXELS_MAX / max(1.0, width * height)) ** 0.5
        finest = min(finest, (_SIDE_MAX - 1) / max(1.0, width, height))
        bitmap = page.render(scale=min(_PDF_DPI / 72, finest), grayscale=True)
        picture: Image.Image = bitmap.to_pil().convert("L")
        page.close()
    except pypdfium2.PdfiumError as problem:
        raise DocumentUnreadable("a page of the PDF is damaged") from problem
    return picture
