"""Puts lines of text on a PDF page with shaped letters, fitted into the room there is.

The unit everywhere is the *dot*, 1/300 inch, so that a picture at 300 dpi falls on whole pixels.
Sizes of letters are in points.
"""

from __future__ import annotations

import tempfile
import unicodedata
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from fpdf import FPDF
from fpdf.fonts import TTFFont

from enrollkit.cards.fonts import (
    BOLD,
    REGULAR,
    FontFamily,
    families,
    family_for,
    font_bytes,
    printable,
)

__all__ = ["DOTS_PER_INCH", "Block", "Paper", "dots"]

DOTS_PER_INCH: Final = 300
_POINTS_PER_DOT: Final = 72 / DOTS_PER_INCH
_SIZE_STEP: Final = 0.5
_LATIN_ENDS: Final = 0x036F
_JOINERS: Final = "\u200c\u200d"
_VIRAMA: Final = 9
"""The canonical combining class of the sign that ties consonants together."""


def dots(millimetres: float) -> int:
    """Turn millimetres into whole dots."""
    return round(millimetres * DOTS_PER_INCH / 25.4)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Block:
    """Lines of one text, broken and sized to fit; ``leading`` is dots from line to line."""

    lines: tuple[str, ...]
    size: float
    bold: bool
    leading: int

    def __repr__(self) -> str:
        return f"Block({len(self.lines)} lines, <withheld>)"

    @property
    def height(self) -> int:
        """Dots from the top of the first line to the foot of the last."""
        return self.leading * len(self.lines)


class Paper:
    """A PDF in the making. Use as a context manager: the fonts lie in a folder until the end."""

    def __init__(self, *, width: int, height: int) -> None:
        self.pdf = FPDF(unit=_POINTS_PER_DOT, format=(width, height))
        self.pdf.set_auto_page_break(auto=False)
        self.pdf.set_margin(0)
        self.pdf.c_margin = 0
        self.pdf.set_text_shaping(use_shaping_engine=True)
        self._stack = ExitStack()
        self._loaded: set[tuple[str, bool]] = set()

    def __enter__(self) -> Self:
        folder = tempfile.TemporaryDirectory(prefix="enrollkit-fonts-", ignore_cleanup_errors=True)
        self._folder = Path(self._stack.enter_context(folder))
        return self

    def __exit__(self, *_: object) -> None:
        # Windows cannot delete the folder while a font file in it is open.
        for font in self.pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.close()
        self._stack.close()

    def width(self, text: str, size: float, *, bold: bool) -> float:
        """Measure a line in dots."""
        self._use(text, size, bold=bold)
        return float(self.pdf.get_string_width(text))

    def put(
        self,
        text: str,
        x: int,
        baseline: int,
        size: float,
        *,
        bold: bool = False,
        end: bool = False,
    ) -> None:
        """Write a line that begins (or with ``end``: ends) at ``x``, standing on ``baseline``."""
        if not text:
            return
        width = self.width(text, size, bold=bold)
        left = x - width if end else x
        height = self.pdf.font_size
        # fpdf2 sets the baseline at half the cell's height and 0.3 of the letters' size.
        self.pdf.set_xy(left, baseline - 0.8 * height)
        self.pdf.cell(w=width + 1, h=height, text=text)

    def fit(
        self, text: str, width: int, *, sizes: tuple[float, float], lines_max: int, bold: bool
    ) -> Block:
        """Choose the largest size at which the text takes at most ``lines_max`` lines.

        ``sizes`` are the largest and smallest size. Words stay whole as long as that is possible;
        what does not fit at the smallest size ends in an ellipsis.
        """
        text = printable(text)
        size, smallest = sizes
        while size > smallest:
            lines = self._break(text, width, size, bold=bold)
            whole = all(self.width(line, size, bold=bold) <= width for line in lines)
            if whole and len(lines) <= lines_max:
                return _block(lines, size, bold=bold)
            size -= _SIZE_STEP
        lines = self._break(text, width, smallest, bold=bold, within_words=True)
        if len(lines) > lines_max:
            lines = [*lines[: lines_max - 1], _clusters_but_last(lines[lines_max - 1]) + "…"]
        return _block(lines, smallest, bold=bold)

    def _break(
        self, text: str, width: int, size: float, *, bold: bool, within_words: bool = False
    ) -> list[str]:
        """Break a line greedily at spaces, and inside words only when asked."""
        lines: list[str] = []
        for word in text.split(" "):
            joined = f"{lines[-1]} {word}" if lines else word
            if lines and self.width(joined, size, bold=bold) <= width:
                lines[-1] = joined
            elif within_words:
                lines += self._pieces(word, width, size, bold=bold)
            else:
                lines.append(word)
        return lines

    def _pieces(self, word: str, width: int, size: float, *, bold: bool) -> list[str]:
        pieces = [""]
        for cluster in _clusters(word):
            if pieces[-1] and self.width(pieces[-1] + cluster, size, bold=bold) > width:
                pieces.append(cluster)
            else:
                pieces[-1] += cluster
        return pieces

    def _use(self, text: str, size: float, *, bold: bool) -> None:
        family = family_for(text) or families()[0]
        if (family.name, bold) not in self._loaded:
            self._load(family, bold=bold)
        self.pdf.set_font(family.name, "B" if bold else "", size)

    def _load(self, family: FontFamily, *, bold: bool) -> None:
        file = self._folder / f"{family.name}-{'bold' if bold else 'regular'}.ttf"
        file.write_bytes(font_bytes(family, BOLD if bold else REGULAR))
        self.pdf.add_font(family.name, "B" if bold else "", str(file))
        self._loaded.add((family.name, bold))


def _block(lines: list[str], size: float, *, bold: bool) -> Block:
    # Indian vowel signs above and below need more room than Latin letters do.
    tall = any(ord(letter) > _LATIN_ENDS for line in lines for letter in line)
    leading = round(size * (1.5 if tall else 1.22) / _POINTS_PER_DOT)
    return Block(lines=tuple(lines), size=size, bold=bold, leading=leading)


def _clusters(word: str) -> list[str]:
    """Cut a word where it may be cut: never before a sign, nor inside a conjunct."""
    clusters: list[str] = []
    for letter in word:
        attached = unicodedata.category(letter).startswith("M") or letter in _JOINERS
        conjunct = bool(clusters) and unicodedata.combining(clusters[-1][-1]) == _VIRAMA
        if clusters and (attached or conjunct or clusters[-1][-1] in _JOINERS):
            clusters[-1] += letter
        else:
            clusters.append(letter)
    return clusters


def _clusters_but_last(line: str) -> str:
    return "".join(_clusters(line)[:-1])
