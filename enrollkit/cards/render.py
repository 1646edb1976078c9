"""From card faces to files: one layout makes the PDF, and pictures are made from that PDF."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pypdfium2

from enrollkit.cards.files import write_whole
from enrollkit.cards.layout import (
    CARD_DOTS,
    SHEET_DOTS,
    CardFace,
    Layout,
    cards_per_page,
    draw_card,
    draw_sheet,
)
from enrollkit.cards.typesetting import DOTS_PER_INCH, Paper
from enrollkit.errors import CardError

__all__ = ["CARDS_MAX", "CardNotWritten", "render_cards"]

CARDS_MAX: Final = 10_000
"""In one file; more is a mistake, or a job to be cut in pieces."""

_SCALE: Final = DOTS_PER_INCH / 72 * (1 - 1e-7)
"""A hair less than 300 dpi, as PDFium rounds a page of exactly whole pixels up by one."""


class CardNotWritten(CardError):
    """The card file could not be written. The enrollment itself is saved. Choose a file name that
    ends in .pdf or .png, in a folder with free space, and print again.
    """

    code = "card-not-written"
    exit_code = 42


def render_cards(
    faces: Sequence[CardFace],
    layout: Layout | str,
    out: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Print cards into ``out``: one ``.pdf``, or a ``.png`` for each page (``name-01.png``, …).

    Give the files written. A name whose script has no font here is left out beside the Latin name.
    ``progress`` is told cards done and cards in all. Each file appears whole or not at all.
    PDFium must not be entered by two threads at once: that is the caller's to see to.
    """
    suffix = out.suffix.lower()
    if suffix not in (".pdf", ".png") or not 0 < len(faces) <= CARDS_MAX:
        raise CardNotWritten("neither .pdf nor .png, no cards, or too many")
    if layout not in tuple(Layout):
        raise CardNotWritten("no such layout")
    document = _pdf(faces, Layout(layout), progress or _silent)
    try:
        if suffix == ".pdf":
            write_whole(out, document)
            return [out]
        return _write_pictures(out, document)
    except OSError as problem:
        raise CardNotWritten(problem.strerror or "cannot be written") from problem


def _silent(_done: int, _all: int) -> None:
    """Tell nobody."""


def _pdf(faces: Sequence[CardFace], layout: Layout, progress: Callable[[int, int], None]) -> bytes:
    width, height = SHEET_DOTS if layout is Layout.A4 else CARD_DOTS
    step = cards_per_page(layout)
    with Paper(width=width, height=height) as paper:
        paper.pdf.set_title("Cards")
        for start in range(0, len(faces), step):
            page = tuple(faces[start : start + step])
            paper.pdf.add_page()
            if layout is Layout.A4:
                draw_sheet(paper, page)
            else:
                draw_card(paper, page[0])
            progress(start + len(page), len(faces))
        return bytes(paper.pdf.output())


def _write_pictures(out: Path, document: bytes) -> list[Path]:
    written: list[Path] = []
    for number, count, picture in _pictures(document):
        digits = max(2, len(str(count)))
        name = out.name if count == 1 else f"{out.stem}-{number:0{digits}d}{out.suffix}"
        write_whole(out.with_name(name), picture)
        written.append(out.with_name(name))
    return written


def _pictures(document: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Turn each page into a PNG of 300 dpi: its number, the number of pages, its bytes."""
    pdf = pypdfium2.PdfDocument(document)
    try:
        count = len(pdf)
        for at in range(count):
            page = pdf[at]
            image = page.render(scale=_SCALE, grayscale=True).to_pil()
            page.close()
            buffer = io.BytesIO()
            image.save(buffer, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH), compress_level=4)
            yield at + 1, count, buffer.getvalue()
    finally:
        pdf.close()
