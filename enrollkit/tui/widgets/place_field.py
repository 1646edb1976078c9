"""A field for a state or district: its name is typed, suggestions stand beneath."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from enrollkit.locale import _
from enrollkit.tui.marks import shown
from enrollkit.tui.widgets.field import Field
from enrollkit.tui.widgets.line_input import LineInput

__all__ = ["PlaceField", "PlaceFinder"]

PlaceFinder = Callable[[str], Sequence[tuple[int, str]]]
"""Gives LGD codes and names for typed text, best first. Quick: the list is in memory."""


class PlaceField(Field):
    """Typed by name, kept as the LGD code; text that names no place is kept as typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "choose", key_display="↑↓"),
        Binding("up", "move(-1)", "", show=False),
    ]
    SUGGESTIONS_MAX = 4

    def __init__(
        self,
        pointer: str,
        label: str,
        find: PlaceFinder,
        name_of: Callable[[int], str | None],
        *,
        hint: str = "",
        help_text: str = "",
    ) -> None:
        super().__init__(pointer, label, hint=hint, help_text=help_text)
        self._find = find
        self._name_of = name_of
        self._input = LineInput(length_max=80)
        self._code: int | None = None
        self._offers: list[tuple[int, str]] = []
        self._at = 0

    def compose(self) -> ComposeResult:
        """Add the suggestions beneath the hint."""
        yield from super().compose()
        yield Static("", classes="field-offers")

    def control(self) -> Widget:
        """Give the input."""
        return self._input

    @property
    def value(self) -> Any:
        """The code of the place; what was typed while it names none; ``None`` when empty."""
        return self._code if self._code is not None else self._input.value.strip() or None

    def put(self, value: Any) -> None:
        """Show a code by its name, or text as it was typed."""
        self._code = value if isinstance(value, int) else None
        name = self._name_of(self._code) if self._code is not None else None
        text = name or ("" if value is None else shown(str(value)))
        with self.prevent(Input.Changed):
            self._input.value = text

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look up what is typed; a full and only name counts at once."""
        event.stop()
        self.show_problem(None)
        typed = event.value.strip()
        self._offers = list(self._find(typed))[: self.SUGGESTIONS_MAX] if typed else []
        self._at = 0
        same = [code for code, name in self._offers if name.casefold() == typed.casefold()]
        self._code = same[0] if same else None
        self._draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the marked suggestion and go on."""
        event.stop()
        self._take()
        self.done()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Take the suggestion when it is the only one, and put the list away.

        Textual calls the base class's handler too; it tells the screen.
        """
        del event
        if len(self._offers) == 1:
            self._take()
        self._offers = []
        self._draw()

    def action_move(self, step: int) -> None:
        """Walk through the suggestions; with none shown, show what there is."""
        if not self._offers:
            typed = "" if self._code is not None else self._input.value.strip()
            self._offers = list(self._find(typed))[: self.SUGGESTIONS_MAX]
        elif self._offers:
            self._at = (self._at + step) % len(self._offers)
        self._draw()

    def _take(self) -> None:
        if self._offers:
            self._code, name = self._offers[self._at]
            self._offers = []
            with self.prevent(Input.Changed):
                self._input.value = name
                self._input.cursor_position = len(name)
            self._draw()

    def _draw(self) -> None:
        pointer = ">" if self.app.has_class("-ascii") else "▸"
        lines = [
            Content.styled(f"{pointer} {name}", "bold $accent")
            if place == self._at
            else Content(f"  {name}")
            for place, (_code, name) in enumerate(self._offers)
        ]
        typed = self._input.value.strip()
        if typed and not lines and self._code is None and self._input.has_focus:
            lines = [Content.styled(_("No such name in the list"), "$warning")]
        offers = self.query_one(".field-offers", Static)
        offers.update(Content("\n").join(lines))
        offers.display = bool(lines)
