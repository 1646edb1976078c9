"""What a card looks like: one drawing for the plastic card, the sheet of ten, PDF and picture.

It has to be read by a person in a poor light, from a black-and-white printer, before a machine
reads the code: number and name are large, and what the card is *not* stands in a black band.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Final

from enrollkit.cards.codes import QUIET_MODULES, modules_of
from enrollkit.cards.fonts import can_shape, printable
from enrollkit.cards.typesetting import Block, Paper, dots
from enrollkit.locale import _

__all__ = ["CARD_DOTS", "SHEET_DOTS", "CardFace", "Layout", "draw_card", "draw_sheet"]

CARD_DOTS: Final = (1011, 638)
"""A CR80 (ID-1) card, 85.60 by 53.98 mm, at 300 dpi."""

SHEET_DOTS: Final = (2480, 3508)
"""A4, 210 by 297 mm, at 300 dpi."""

_COLUMNS, _ROWS = 2, 5
_GUTTER: Final = (dots(6), dots(2))
_MARGIN: Final = dots(4)
_CODE_SIDE: Final = dots(28)
_MODULE_DOTS_MIN: Final = 4
_BAND: Final = dots(5.2)
_DOTS_A_LINE: Final = 1.3 * 300 / 72
"""Room for one line of facts, for each point of its letters' size."""
_FACTS_MAX: Final = 5
_NAME_ORDINARY_MAX: Final = 44
_NAME_LINE_MIN: Final = 9.0
"""Points; a name that would be smaller on one line takes two."""


class Layout(StrEnum):
    """What is printed on."""

    CR80 = "cr80"
    """One plastic card on each page."""
    A4 = "a4"
    """Ten cards on a sheet, with crop marks."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CardFace:
    """Everything that stands on a card, as text ready to be read.

    ``marker`` says in the black band what the card is not; ``None`` draws no band. ``place`` is
    one entry a line. ``code`` is the text of the QR code.
    """

    programme: str
    number: str
    name: str
    name_native: str | None
    language: str
    born: str
    gender: str
    place: tuple[str, ...]
    guardian: str | None
    issued: str
    issued_by: str
    code: str
    title: str = field(default_factory=lambda: _("Health camp card"))
    number_label: str = field(default_factory=lambda: _("Provisional number"))
    marker: str | None = field(default_factory=lambda: _("Provisional – not an ABHA number"))

    def __repr__(self) -> str:
        return "CardFace(<withheld>)"


def draw_card(paper: Paper, face: CardFace, left: int = 0, top: int = 0) -> None:
    """Draw one card with its upper left corner there."""
    width, height = CARD_DOTS
    right = left + width - _MARGIN
    _draw_header(paper, face, left + _MARGIN, right, top)
    side = _draw_code(paper, face.code, right, top + dots(10.4))
    column = width - 2 * _MARGIN - side - dots(3.4)
    _draw_person(paper, face, left + _MARGIN, top + dots(9.2), column)
    _draw_number(paper, face, left + _MARGIN, right, top)
    if face.marker is not None:
        _draw_band(paper, face.marker, left, top + height - _BAND)


def draw_sheet(paper: Paper, faces: tuple[CardFace, ...]) -> None:
    """Draw up to ten cards on an A4 page, with marks where to cut."""
    for position, face in enumerate(faces):
        left, top = _place_on_sheet(position)
        draw_card(paper, face, left, top)
        _draw_outline(paper, left, top)
    _draw_crop_marks(paper, range(len(faces)))


def cards_per_page(layout: Layout) -> int:
    """How many cards go on one page."""
    return _COLUMNS * _ROWS if layout is Layout.A4 else 1


def _draw_header(paper: Paper, face: CardFace, left: int, right: int, top: int) -> None:
    title_width = round(paper.width(face.title, 6.5, bold=False))
    paper.put(face.title, right, top + dots(6.3), 6.5, end=True)
    room = right - left - title_width - dots(3)
    name = paper.fit(face.programme, room, sizes=(9, 5.5), lines_max=1, bold=True)
    paper.put(name.lines[0], left, top + dots(6.3), name.size, bold=True)
    paper.pdf.set_fill_color(0)
    paper.pdf.rect(left, top + dots(8.0), right - left, 4, style="F")


def _draw_person(paper: Paper, face: CardFace, left: int, top: int, width: int) -> None:
    """Draw name, name in own script, and the facts, from the top down."""
    name = _fit_name(paper, face.name, width, size=12.5, bold=True)
    at = _draw_block(paper, name, left, top)
    if face.name_native and can_shape(face.name_native):
        native = _fit_name(paper, face.name_native, width, size=name.size, bold=False)
        at = _draw_block(paper, native, left, at)
    facts = [_("Born {born}  ·  {gender}").format(born=face.born, gender=face.gender)]
    facts += [face.guardian] if face.guardian else []
    facts += list(face.place)
    facts = facts[:_FACTS_MAX]
    at += dots(1)
    room = top + dots(30.6) - at
    size = min(8.0, room / len(facts) / _DOTS_A_LINE)
    for fact in facts:
        block = paper.fit(fact, width, sizes=(max(size, 5), 5), lines_max=1, bold=False)
        if at + block.height <= top + dots(31):
            at = _draw_block(paper, block, left, at)


def _fit_name(paper: Paper, name: str, width: int, *, size: float, bold: bool) -> Block:
    """Fit a name: large on one line, else on two; a very long one small, so that it stays whole."""
    least = min(size, _NAME_LINE_MIN)
    if paper.width(printable(name), least, bold=bold) <= width:
        return paper.fit(name, width, sizes=(size, least), lines_max=1, bold=bold)
    if len(name) <= _NAME_ORDINARY_MAX:
        return paper.fit(name, width, sizes=(min(size, 10.5), 7), lines_max=2, bold=bold)
    return paper.fit(name, width, sizes=(min(size, 7.5), 5), lines_max=3, bold=bold)


def _draw_block(paper: Paper, block: Block, left: int, top: int) -> int:
    """Draw lines from ``top`` down; give where they end."""
    for place, line in enumerate(block.lines):
        baseline = top + block.leading * place + round(block.leading * 0.76)
        paper.put(line, left, baseline, block.size, bold=block.bold)
    return top + block.height


def _draw_number(paper: Paper, face: CardFace, left: int, right: int, top: int) -> None:
    room = dots(54)
    number = paper.fit(face.number, room, sizes=(16.5, 8), lines_max=1, bold=True)
    baseline = top + dots(47.1)
    paper.put(face.number_label, left, top + dots(41.8), 6)
    paper.put(number.lines[0], left, baseline, number.size, bold=True)
    issued = _("Issued {date}").format(date=face.issued)
    paper.put(issued, right, baseline - dots(2.6), 6, end=True)
    by = paper.fit(face.issued_by, right - left - room, sizes=(6, 4.5), lines_max=1, bold=False)
    paper.put(by.lines[0], right, baseline, by.size, end=True)


def _draw_band(paper: Paper, marker: str, left: int, top: int) -> None:
    width = CARD_DOTS[0]
    paper.pdf.set_fill_color(0)
    paper.pdf.rect(left, top, width, _BAND, style="F")
    block = paper.fit(marker, width - 2 * _MARGIN, sizes=(10, 6), lines_max=1, bold=True)
    text = block.lines[0]
    paper.pdf.set_text_color(255)
    start = left + (width - round(paper.width(text, block.size, bold=True))) // 2
    paper.put(text, start, top + _BAND // 2 + round(block.size * 1.5), block.size, bold=True)
    paper.pdf.set_text_color(0)


def _draw_code(paper: Paper, text: str, right: int, top: int) -> int:
    """Draw the QR code as one path of whole-dot rectangles; give the side with its quiet zone.

    The right quiet zone falls into the card's margin.
    """
    rows = modules_of(text)
    module = max(_MODULE_DOTS_MIN, _CODE_SIDE // len(rows))
    side = module * len(rows)
    runs: list[str] = []
    for at_row, row in enumerate(rows):
        at = 0
        for dark, group in groupby(row):
            length = len(list(group))
            if dark:
                runs.append(f"{at} {at_row} {length} 1 re")
            at += length
    scale = paper.pdf.k * module
    x, y = (right - side) * paper.pdf.k, (paper.pdf.h - top) * paper.pdf.k
    # fpdf2 offers no path of many rectangles that stays this small.
    paper.pdf._out(  # noqa: SLF001 - see above
        f"q 0 g {scale:.4f} 0 0 {-scale:.4f} {x:.2f} {y:.2f} cm\n" + "\n".join(runs) + "\nf Q"
    )
    return side + QUIET_MODULES * module


def _place_on_sheet(position: int) -> tuple[int, int]:
    row, column = divmod(position, _COLUMNS)
    width, height = CARD_DOTS
    across = _COLUMNS * width + (_COLUMNS - 1) * _GUTTER[0]
    down = _ROWS * height + (_ROWS - 1) * _GUTTER[1]
    left = (SHEET_DOTS[0] - across) // 2 + column * (width + _GUTTER[0])
    return left, (SHEET_DOTS[1] - down) // 2 + row * (height + _GUTTER[1])


def _draw_outline(paper: Paper, left: int, top: int) -> None:
    paper.pdf.set_draw_color(170)
    paper.pdf.set_line_width(1)
    paper.pdf.rect(left, top, *CARD_DOTS)


def _draw_crop_marks(paper: Paper, positions: range) -> None:
    """Draw short lines outside the cards, in line with every edge to cut along."""
    paper.pdf.set_draw_color(0)
    paper.pdf.set_line_width(2)
    near, far = dots(1.5), dots(5.5)
    first, last = _place_on_sheet(0), _place_on_sheet(_COLUMNS * _ROWS - 1)
    edges = [_place_on_sheet(position) for position in positions]
    for y in {top + offset for _left, top in edges for offset in (0, CARD_DOTS[1])}:
        paper.pdf.line(first[0] - far, y, first[0] - near, y)
        paper.pdf.line(last[0] + CARD_DOTS[0] + near, y, last[0] + CARD_DOTS[0] + far, y)
    for x in {left + offset for left, _top in edges for offset in (0, CARD_DOTS[0])}:
        paper.pdf.line(x, first[1] - far, x, first[1] - near)
        paper.pdf.line(x, last[1] + CARD_DOTS[1] + near, x, last[1] + CARD_DOTS[1] + far)
