"""F1: the field or the screen in plain words, and the keys that work there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from enrollkit.locale import _

__all__ = ["HelpScreen"]


class HelpScreen(ModalScreen[None]):
    """Lies over the screen it explains; any of the usual keys puts it away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,f1,q", "close", "close", show=False, priority=True),
    ]

    def __init__(self, text: str, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._text = text
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Give the words, then the keys."""
        keys = [
            Content.styled(f"{key:>8}", "bold $accent") + Content(f"  {_(words)}")
            for key, words in self._keys
        ]
        with VerticalScroll(id="help"):
            yield Static(self._text, markup=False)
            yield Static(Content("\n").join([Content(""), *keys]), markup=False)
            yield Static("\n" + _("Esc closes this."), markup=False, classes="aside")

    def action_close(self) -> None:
        """Go back, once."""
        if self.is_current:
            self.dismiss(None)
