"""The last look at every line for a terminal without Unicode: shapes and dashes in plain ASCII.

Names in Indian scripts are left alone: they are data, and the kit cannot spell them for anybody.
"""

from __future__ import annotations

from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

__all__ = ["AsciiOnly"]

_PLAIN: Final = str.maketrans(
    "·…–—°•●○▲✔★×▸█░▀▄─│┌┐└┘├┤▏▕▎▔▁←→↑↓“”‘’▌▐☎",
    "-.--o**o^v#x>#.''-|++++|||||--<>^v\"\"''||?",
)


class AsciiOnly(LineFilter):
    """Replaces each drawing character by one of the same width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Give the line with plain characters."""
        del background
        return [
            Segment(segment.text.translate(_PLAIN), segment.style, segment.control)
            for segment in segments
        ]
