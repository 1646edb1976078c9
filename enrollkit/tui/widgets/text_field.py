"""A field that is typed: names, numbers, lines of an address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.widget import Widget
from textual.widgets import Input

from enrollkit.tui.marks import shown
from enrollkit.tui.widgets.field import Field
from enrollkit.tui.widgets.line_input import LineInput

__all__ = ["TextField"]


class TextField(Field):
    """Text in, text out. ``read`` turns typed text into the row's value, ``write`` the other way.

    ``say`` gives a hint that follows the typing, such as the age for a date of birth.
    """

    def __init__(
        self,
        pointer: str,
        label: str,
        *,
        hint: str = "",
        help_text: str = "",
        length_max: int = 200,
        read: Callable[[str], Any] | None = None,
        write: Callable[[Any], str] | None = None,
        say: Callable[[Any], str] | None = None,
    ) -> None:
        super().__init__(pointer, label, hint=hint, help_text=help_text)
        self._first_hint = hint
        self._input = LineInput(length_max=length_max)
        self._read = read or (lambda text: text.strip() or None)
        self._write = write or (lambda value: value if isinstance(value, str) else "")
        self._say = say

    def control(self) -> Widget:
        """Give the input."""
        return self._input

    @property
    def value(self) -> Any:
        """What the typed text means."""
        return self._read(self._input.value)

    @property
    def text(self) -> str:
        """What stands in the input."""
        return self._input.value

    def put(self, value: Any) -> None:
        """Show a value; characters that would tear the screen are drawn as dots."""
        self._input.value = shown(self._write(value)) if value is not None else ""

    def on_input_changed(self, event: Input.Changed) -> None:
        """Let the hint follow the typing; a fault that is being mended is no longer shown."""
        event.stop()
        self.show_problem(None)
        if self._say is not None:
            said = self._say(self.value)
            self.set_class(bool(said), "-said")
            self.hint(said or self._first_hint)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on."""
        event.stop()
        self.done()
