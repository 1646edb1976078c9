"""The passphrase: it says who works, and opens what is on this laptop."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from enrollkit.app.results import Operator
from enrollkit.errors import NotInitialised
from enrollkit.locale import _
from enrollkit.tui.screens.page import Page, ask
from enrollkit.tui.widgets.line_input import LineInput

__all__ = ["UnlockScreen"]


class UnlockScreen(Page[Operator | None]):
    """Dismisses with the operator whose passphrase was typed, or ``None`` to leave."""

    HEADING = "enrollkit"
    HELP = (
        "Everything on this laptop is sealed. Your own passphrase opens it and says that it is "
        "you who works. A forgotten passphrase: call the office; nothing is lost."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "leave"),
    ]

    _trying = False

    def content(self) -> Iterable[Widget]:
        """Give the field, or the way to a first start."""
        if not self.kit.is_initialised:
            yield Static(_(NotInitialised().text), classes="opening", markup=False)
            return
        yield Static(_("Locked. What was saved is safe."), classes="opening", markup=False)
        yield Static(_("Your passphrase"), classes="opening-label", markup=False)
        yield LineInput(secret=True, length_max=500)
        yield Static("", id="unlock-words", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Try the passphrase; it leaves the field at once."""
        event.stop()
        typed, event.input.value = event.value, ""
        if typed and not self._trying:
            self._trying = True
            self._say_here(_("Opening; that takes a second …"))
            self.begin(partial(self._unlock, typed))

    def on_input_changed(self) -> None:
        """A new try wipes the old words."""
        if not self._trying and self.notice.said:
            self.notice.clear()

    async def _unlock(self, typed: str) -> None:
        try:
            self.leave(await ask(self.kit.unlock, typed))
        finally:
            self._trying = False
            self._say_here("")

    def _say_here(self, text: str) -> None:
        for line in self.query("#unlock-words").results(Static):
            line.update(text)
