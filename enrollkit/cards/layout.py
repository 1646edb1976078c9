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
_ACROSS_POINTS: Final = 12.0
_ACROSS_DEGREES: Final = 20
_ACROSS_GREY: Final = 218
_COLUMN_NARROW: Final = dots(36)
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
    one entry a line. ``code`` is the text of the signed QR code.

    The last ones are of a card with an ABHA number: ``abha_code`` is the text of the code that
    hospital desks scan, ``address`` the ABHA address, ``earlier`` the provisional number, which
    papers of the camp go by. ``across`` is written over the whole card, pale.
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
    abha_code: str | None = None
    address: str | None = None
    earlier: str | None = None
    across: str | None = None

    def __repr__(self) -> str:
        return "CardFace(<withheld>)"


def draw_card(paper: Paper, face: CardFace, left: int = 0, top: int = 0) -> None:
    """Draw one card with its upper left corner there."""
    width, height = CARD_DOTS
    right = left + width - _MARGIN
    if face.across is not None:
        _draw_across(paper, face.across, left, top)
    _draw_header(paper, face, left + _MARGIN, right, top)
    side = _draw_codes(paper, face, right, top + dots(10.4))
    column = width - 2 * _MARGIN - side - dots(2.4 if face.abha_code else 3.4)
    _draw_person(paper, face, left + _MARGIN, top + dots(9.2), column)
    if face.abha_code is None:
        _draw_number(paper, face, left + _MARGIN, right, top)
    else:
        _draw_abha_number(paper, face, left + _MARGIN, right, top)
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
    foot = top + dots(30.6 if face.abha_code is None else 28.8)
    room = foot - at
    size = min(8.0, room / len(facts) / _DOTS_A_LINE)
    for fact in facts:
        block = paper.fit(fact, width, sizes=(max(size, 5), 5), lines_max=1, bold=False)
        if at + block.height <= foot + dots(0.4):
            at = _draw_block(paper, block, left, at)


def _fit_name(paper: Paper, name: str, width: int, *, size: float, bold: bool) -> Block:
    """Fit a name: large on one line, else on two; a very long one small, so that it stays whole."""
    least = min(size, _NAME_LINE_MIN)
    if paper.width(printable(name), least, bold=bold) <= width:
        return paper.fit(name, width, sizes=(size, least), lines_max=1, bold=bold)
    if len(name) <= _NAME_ORDINARY_MAX:
        return paper.fit(name, width, sizes=(min(size, 10.5), 7), lines_max=2, bold=bold)
    lines = 3 if width > _COLUMN_NARROW else 4
    return paper.fit(name, width, sizes=(min(size, 7.5), 5), lines_max=lines, bold=bold)


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


def _draw_abha_number(paper: Paper, face: CardFace, left: int, right: int, top: int) -> None:
    """Draw the number that is real: label, number, address; provisional number in small print."""
    room = dots(54)
    number = paper.fit(face.number, room, sizes=(16.5, 8), lines_max=1, bold=True)
    paper.put(face.number_label, left, top + dots(39.6), 6)
    paper.put(number.lines[0], left, top + dots(44.5), number.size, bold=True)
    if face.address:
        address = paper.fit(face.address, room, sizes=(7.5, 5), lines_max=1, bold=False)
        paper.put(address.lines[0], left, top + dots(47.5), address.size)
    lines = [_("Issued {date}").format(date=face.issued), face.issued_by]
    if face.earlier:
        lines.append(_("provisional {number}").format(number=face.earlier))
    for place, line in enumerate(lines):
        small = paper.fit(line, right - left - room, sizes=(6, 4), lines_max=1, bold=False)
        paper.put(small.lines[0], right, top + dots(42.3) + dots(2.6) * place, small.size, end=True)


def _draw_across(paper: Paper, words: str, left: int, top: int) -> None:
    """Stripe the whole card with pale words, so that some are seen beside every code."""
    width, height = CARD_DOTS
    step = round(paper.width(words, _ACROSS_POINTS, bold=True)) + dots(4)
    paper.pdf.set_text_color(_ACROSS_GREY)
    with paper.pdf.rect_clip(left, top, width, height):
        # fpdf2 takes a place left of or above the page for one from the other side of it.
        for row in range(1, 9):
            for at in range(row % 2 * step // 2, width, step):
                x, y = left + at, top + row * dots(8.5)
                with paper.pdf.rotation(_ACROSS_DEGREES, x, y):
                    paper.put(words, x, y, _ACROSS_POINTS, bold=True)
    paper.pdf.set_text_color(0)


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


def _draw_codes(paper: Paper, face: CardFace, right: int, top: int) -> int:
    """Draw the signed code, and left of it the one of the ABHA card; give what they take."""
    if face.abha_code is None:
        return _draw_code(paper, face.code, right, top)
    signed = modules_of(face.code)
    abha = modules_of(face.abha_code)
    module = _MODULE_DOTS_MIN
    first = _draw_code(paper, face.code, right, top, side_max=module * len(signed))
    foot = top + module * max(len(signed), len(abha)) + dots(2.4)
    paper.put(_("signed"), right, foot, 5, end=True)
    edge = right - first - dots(0.8)
    second = _draw_code(paper, face.abha_code, edge, top, side_max=module * len(abha))
    paper.put(_("for hospitals"), edge, foot, 5, end=True)
    return right - edge + second


def _draw_code(paper: Paper, text: str, right: int, top: int, *, side_max: int = _CODE_SIDE) -> int:
    """Draw a QR code as one path of whole-dot rectangles; give the side with its quiet zone.

    The right quiet zone falls into the card's margin.
    """
    rows = modules_of(text)
    module = max(_MODULE_DOTS_MIN, side_max // len(rows))
    side = module * len(rows)
    quiet = QUIET_MODULES * module
    paper.pdf.set_fill_color(255)
    paper.pdf.rect(right - side - quiet, top - quiet, side + 2 * quiet, side + 2 * quiet, style="F")
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
    return side + quiet


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
