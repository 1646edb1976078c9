"""States as a word, a shape and a colour, so that any one of them may be missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from textual.content import Content

from enrollkit.locale import _

__all__ = ["MARKS", "Mark", "mark_of", "shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How one state looks; ``style`` names a theme colour, ``plain`` is the shape in ASCII."""

    shape: str
    plain: str
    word: str
    style: str

    def draw(self, *, ascii_only: bool) -> Content:
        """Give shape and word in the state's colour."""
        shape = self.plain if ascii_only else self.shape
        return Content.styled(f"{shape} {_(self.word)}", self.style)


_QUIET: Final = "$foreground"
_GREEN: Final = "$success"
_WARN: Final = "bold $warning"

MARKS: Final[Mapping[str, Mark]] = MappingProxyType({
    "DRAFT": Mark(shape="○", plain="o", word="draft", style="$secondary"),
    "SUBMITTED": Mark(shape="●", plain="*", word="saved", style=_QUIET),
    "SENT": Mark(shape="▲", plain="^", word="sent", style="$accent"),
    "ACCEPTED": Mark(shape="✔", plain="v", word="signed for", style=_GREEN),
    "LINKED": Mark(shape="✔", plain="v", word="linked", style=_GREEN),
    "ISSUED": Mark(shape="★", plain="#", word="ABHA number issued", style=_GREEN),
    "RETURNED": Mark(shape="!", plain="!", word="needs correction", style=_WARN),
    "NEEDS_PERSON": Mark(shape="!", plain="!", word="call the person", style=_WARN),
    "DUPLICATE": Mark(shape="=", plain="=", word="was here already", style=_WARN),
    "WITHDRAWN": Mark(shape="×", plain="x", word="withdrawn", style="$secondary"),
})  # fmt: skip


def mark_of(state: str) -> Mark:
    """Give the mark of a state's value; a state of a newer kit shows its own name."""
    unknown = Mark(shape="?", plain="?", word=state.lower().replace("_", " "), style=_WARN)
    return MARKS.get(state, unknown)


def shown(text: str) -> str:
    """Make a stored text fit to be drawn: no control characters, no change of direction.

    Drafts may hold anything that was pasted; one escape character could tear the screen.
    """
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", "·", text)
