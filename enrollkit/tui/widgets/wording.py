"""The consent's wording: read page by page to its end, before anything can be agreed to."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from enrollkit.domain.consent import ConsentWording
from enrollkit.locale import _

__all__ = ["Wording", "fold"]

_MARGIN_CELLS = 2
"""For the scroll bar, and a terminal that draws its last column half."""


class Wording(VerticalScroll, can_focus=True):
    """The text to read out. Enter turns the page; at its end Enter goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "turn", "read on", key_display="Enter"),
    ]

    class ReadOut(Message):
        """The end was reached and Enter pressed."""

    def __init__(self) -> None:
        super().__init__()
        self._wording: ConsentWording | None = None

    def compose(self) -> ComposeResult:
        """Give the text."""
        yield Static("", id="wording-text", markup=False)

    def show(self, wording: ConsentWording) -> None:
        """Show a text from its beginning, and say when the words are not NHA's."""
        self._wording = wording
        self._draw()
        self.scroll_home(animate=False)

    def on_resize(self, event: events.Resize) -> None:
        """Fold the text anew for the new width."""
        del event
        self._draw()

    def _draw(self) -> None:
        wording = self._wording
        if wording is None:
            return
        mark = Content("")
        if not wording.official:
            mark = Content.styled(
                _("! These are the kit's own words, not NHA's official text.") + "\n\n",
                "bold $warning",
            )
        cells = self.size.width - _MARGIN_CELLS
        text = fold(wording.text, cells) if cells > 0 else wording.text
        self.query_one("#wording-text", Static).update(mark + Content(text))

    @property
    def at_end(self) -> bool:
        """Whether the last line is in sight."""
        return self.scroll_y >= self.max_scroll_y

    def action_turn(self) -> None:
        """Turn the page, or go on from the last."""
        if self.at_end:
            self.post_message(self.ReadOut())
        else:
            self.scroll_page_down(animate=False)


def fold(text: str, cells: int) -> str:
    """Break lines so that none is cut off in any terminal, whatever it thinks of the script.

    Terminals disagree about the width of vowel signs and conjuncts; none gives a character of an
    Indian script more than one cell. So a line holds at most as many characters as there are
    cells: it may end early, but never late, and the wording is seen to its last letter.
    """
    return "\n".join(
        "\n".join(textwrap.wrap(line, width=cells, break_on_hyphens=False)) or line.strip()
        for line in text.splitlines()
    )
