"""The consent's wording: read page by page to its end, before anything can be agreed to."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from enrollkit.domain.consent import ConsentWording
from enrollkit.locale import _

__all__ = ["Wording"]


class Wording(VerticalScroll, can_focus=True):
    """The text to read out. Enter turns the page; at its end Enter goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "turn", "read on", key_display="Enter"),
    ]

    class ReadOut(Message):
        """The end was reached and Enter pressed."""

    def compose(self) -> ComposeResult:
        """Give the text."""
        yield Static("", id="wording-text", markup=False)

    def show(self, wording: ConsentWording) -> None:
        """Show a text from its beginning, and say when the words are not NHA's."""
        mark = Content("")
        if not wording.official:
            mark = Content.styled(
                _("! A translation made here, not NHA's own wording.") + "\n\n", "bold $warning"
            )
        self.query_one("#wording-text", Static).update(mark + Content(wording.text))
        self.scroll_home(animate=False)

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
