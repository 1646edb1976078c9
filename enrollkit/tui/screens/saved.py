"""Saved: what the person takes along, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from enrollkit.app.results import Saved
from enrollkit.locale import _
from enrollkit.tui.marks import shown
from enrollkit.tui.screens.page import Page, ask
from enrollkit.tui.widgets.top_bar import PRACTICE

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["AfterSaved", "SavedScreen"]


class AfterSaved(StrEnum):
    """What the operator wants after a person was saved."""

    NEXT = "next"
    HOUSEHOLD = "household"


class SavedScreen(Page[AfterSaved | None]):
    """Dismisses with what comes next; ``None`` goes home."""

    HEADING = "Saved"
    HELP = (
        "The person is saved on this laptop and will be sent when there is a network. The "
        "provisional number stands for the enrollment until the ABHA number is there; it is not "
        "an ABHA number. H begins with the same address and guardian for the next of the family."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "next", key_display="Enter"),
        Binding("h", "household", "household"),
        Binding("p", "card", "card"),
        Binding("v", "record", "record"),
        Binding("escape", "back", "home"),
    ]

    def __init__(self, kit: Kit, saved: Saved) -> None:
        super().__init__(kit)
        self._saved = saved

    def content(self) -> Iterable[Widget]:
        """Give the words at the left and the code at the right."""
        with Horizontal(id="saved"):
            with Vertical(id="saved-words"):
                yield Static(self._words(), markup=False)
            yield Static("", id="saved-code", markup=False)

    def on_mount(self) -> None:
        """Draw the code where the terminal can show it."""
        if not self.app.has_class("-ascii"):
            self.begin(self._draw_code)

    def action_next(self) -> None:
        """Go on with the next person."""
        self.leave(AfterSaved.NEXT)

    def action_household(self) -> None:
        """Go on with the next of this household."""
        self.leave(AfterSaved.HOUSEHOLD)

    async def action_card(self) -> None:
        """Make the card."""
        await self.kit_app.journey.print_cards([self._saved.id], self._saved.name)

    async def action_record(self) -> None:
        """Add a record."""
        await self.kit_app.journey.add_record(self._saved.id, self._saved.name)

    def _words(self) -> Content:
        shape = "*" if self.app.has_class("-ascii") else "●"
        return Content("\n").join([
            Content.styled(f"{shape} {_('Saved on this laptop')}", "bold"),
            *self._practice(),
            Content(shown(self._saved.name)),
            Content(""),
            Content.styled(self._saved.provisional, "bold $accent"),
            Content(_("Provisional – not an ABHA number")),
            Content(""),
            Content(_("It will be sent when there is a")),
            Content(_("network. Until then this number")),
            Content(_("stands for the enrollment.")),
            *self._call(),
            Content(""),
            _choice("Enter", _("next person")),
            _choice("H", _("next of this household")),
            _choice("P", _("make the card")),
            _choice("V", _("add a record")),
        ])  # fmt: skip

    def _call(self) -> list[Content]:
        """Say that ABDM will need the person again, while they are still here."""
        return [Content.styled(f"! {self._saved.call}", "$warning")] if self._saved.call else []

    def _practice(self) -> list[Content]:
        if not self.kit_app.is_practice:
            return []
        words = _("{practice}: nothing here is real").format(practice=PRACTICE)
        return [Content.styled(words, "bold $warning")]

    async def _draw_code(self) -> None:
        code = await ask(self.kit.cards.provisional_code, self._saved.provisional)
        if self.is_mounted:
            self.query_one("#saved-code", Static).update(Content(code))


def _choice(key: str, words: str) -> Content:
    return Content.styled(f"{key:<6}", "bold $accent") + Content(words)
