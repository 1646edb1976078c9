"""The statement on paper: one A4 page with the table, room to sign, and the signed code.

It is read by a supervisor at dusk and by an office a week later, so the figures are large and the
sum stands where a sum is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from enrollkit.cards.codes import modules_of
from enrollkit.cards.layout import SHEET_DOTS
from enrollkit.cards.typesetting import Paper, dots

__all__ = ["Line", "StatementSheet", "statement_pdf"]

_LEFT: Final = dots(20)
_RIGHT: Final = SHEET_DOTS[0] - dots(20)
_PEOPLE_AT: Final = _RIGHT - dots(35)
_LINE: Final = dots(7.2)
_MODULE_DOTS: Final = 7
_LINES_MAX: Final = 22
"""Rows of the table that one page has room for; older sticks are drawn together above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the table: words, people, papers. ``thereof`` is part of the row above it."""

    words: str
    people: int
    papers: int | None
    thereof: bool = False
    is_sum: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementSheet:
    """Everything that stands on the page, as text ready to be read; ``code`` is the QR code's."""

    title: str
    facts: tuple[tuple[str, str], ...]
    heads: tuple[str, str]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    signatures: tuple[str, ...]
    code: str = field(repr=False)
    code_words: str


def statement_pdf(sheet: StatementSheet) -> bytes:
    """Draw the page and give it as a PDF."""
    width, height = SHEET_DOTS
    with Paper(width=width, height=height) as paper:
        paper.pdf.set_title(sheet.title)
        paper.pdf.add_page()
        at = _draw_head(paper, sheet)
        at = _draw_table(paper, sheet, at + dots(10))
        for note in sheet.notes:
            at = _draw_text(paper, note, _LEFT, at + dots(2), _RIGHT - _LEFT, size=9.5)
        _draw_signatures(paper, sheet.signatures, height - dots(78))
        _draw_code(paper, sheet, height - dots(66))
        return bytes(paper.pdf.output())


def _draw_head(paper: Paper, sheet: StatementSheet) -> int:
    at = dots(25)
    title = paper.fit(sheet.title, _RIGHT - _LEFT, sizes=(20, 12), lines_max=1, bold=True)
    paper.put(title.lines[0], _LEFT, at, title.size, bold=True)
    at += dots(5)
    for label, value in sheet.facts:
        at += dots(5.6)
        paper.put(label, _LEFT, at, 10)
        block = paper.fit(value, _RIGHT - _LEFT - dots(42), sizes=(10, 6), lines_max=1, bold=True)
        paper.put(block.lines[0], _LEFT + dots(42), at, block.size, bold=True)
    return at


def _draw_table(paper: Paper, sheet: StatementSheet, at: int) -> int:
    paper.put(sheet.heads[0], _PEOPLE_AT, at, 10, end=True)
    paper.put(sheet.heads[1], _RIGHT, at, 10, end=True)
    _rule(paper, at + dots(2), 2)
    for line in sheet.lines[:_LINES_MAX]:
        at += _LINE
        if line.is_sum:
            _rule(paper, at - dots(5), 4)
        _draw_line(paper, line, at)
    return at + dots(4)


def _draw_line(paper: Paper, line: Line, at: int) -> None:
    indent, largest = (dots(7), 9.5) if line.thereof else (0, 11.5)
    room = _PEOPLE_AT - _LEFT - indent - dots(22)
    words = paper.fit(line.words, room, sizes=(largest, 6), lines_max=1, bold=line.is_sum)
    paper.put(words.lines[0], _LEFT + indent, at, words.size, bold=line.is_sum)
    size = largest + (1 if line.is_sum else 0)
    paper.put(str(line.people), _PEOPLE_AT, at, size, bold=not line.thereof, end=True)
    if line.papers is not None:
        paper.put(str(line.papers), _RIGHT, at, size, bold=not line.thereof, end=True)


def _draw_text(paper: Paper, text: str, left: int, at: int, width: int, *, size: float) -> int:
    """Break a text into lines from the top down; give where the last one stands."""
    block = paper.fit(text, width, sizes=(size, size), lines_max=4, bold=False)
    for line in block.lines:
        at += block.leading
        paper.put(line, left, at, block.size)
    return at


def _draw_signatures(paper: Paper, words: tuple[str, ...], at: int) -> None:
    gap = dots(10)
    width = (_RIGHT - _LEFT - gap * (len(words) - 1)) // len(words)
    for place, word in enumerate(words):
        left = _LEFT + place * (width + gap)
        paper.pdf.set_line_width(2)
        paper.pdf.line(left, at, left + width, at)
        paper.put(word, left, at + dots(4.5), 9)


def _draw_code(paper: Paper, sheet: StatementSheet, top: int) -> None:
    rows = modules_of(sheet.code)
    paper.pdf.set_fill_color(0)
    for at_row, row in enumerate(rows):
        at = 0
        for dark, group in groupby(row):
            length = len(list(group))
            if dark:
                x, y = _LEFT + at * _MODULE_DOTS, top + at_row * _MODULE_DOTS
                paper.pdf.rect(x, y, length * _MODULE_DOTS, _MODULE_DOTS, style="F")
            at += length
    side = len(rows) * _MODULE_DOTS
    left = _LEFT + side + dots(8)
    _draw_text(paper, sheet.code_words, left, top, _RIGHT - left, size=9.5)


def _rule(paper: Paper, at: int, width: int) -> None:
    paper.pdf.set_line_width(width)
    paper.pdf.line(_LEFT, at, _RIGHT, at)
