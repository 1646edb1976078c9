"""A state's shape and word with its colour, for the screen."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from textual.content import Content

from enrollkit.app.words import mark_of
from enrollkit.domain.characters import shown
from enrollkit.locale import _

__all__ = ["STYLES", "draw_mark", "shown"]

_WARN: Final = "bold $warning"

STYLES: Final[Mapping[str, str]] = MappingProxyType({
    "DRAFT": "$secondary",
    "SUBMITTED": "$foreground",
    "SENT": "$accent",
    "ACCEPTED": "$success",
    "LINKED": "$success",
    "ISSUED": "$success",
    "WITHDRAWN": "$secondary",
})  # fmt: skip
"""Theme colours by state; what is not here wants somebody's eye."""


def draw_mark(state: str, *, ascii_only: bool) -> Content:
    """Give shape and short word of a state's value in its colour."""
    mark = mark_of(state)
    shape = mark.plain if ascii_only else mark.shape
    return Content.styled(f"{shape} {_(mark.short)}", STYLES.get(state, _WARN))
