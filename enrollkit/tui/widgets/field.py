"""What every field of a form has: its place in the row, a label, and a hint or problem."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from enrollkit.tui.messages import FieldDone, FieldLeft

__all__ = ["Field"]


class Field(Vertical):
    """A label, a control to its right, and one line beneath for the hint or the problem.

    ``pointer`` is the field's JSON Pointer in the row. Subclasses give the control, ``value`` and
    ``put``.
    """

    def __init__(self, pointer: str, label: str, *, hint: str = "", help_text: str = "") -> None:
        super().__init__(id=_id_of(pointer))
        self.pointer = pointer
        self.label = label
        self.help_text = help_text or hint
        self._hint = hint
        self._problem: str | None = None
        self._note = ""

    def compose(self) -> ComposeResult:
        """Lay out label, control and hint."""
        with Horizontal(classes="field-line"):
            yield Static(self.label, classes="field-label", markup=False)
            yield self.control()
        yield Static(self._hint, classes="field-hint", markup=False)

    def control(self) -> Widget:
        """Make the widget that is typed into."""
        raise NotImplementedError

    @property
    def value(self) -> Any:
        """What the field means in the row; ``None`` when it is empty."""
        raise NotImplementedError

    def put(self, value: Any) -> None:
        """Show a value of the row."""
        raise NotImplementedError

    def enter(self) -> None:
        """Put the cursor into the field."""
        for widget in self.query("*").results(Widget):
            if widget.focusable:
                widget.focus()
                return

    @property
    def has_cursor(self) -> bool:
        """Whether the cursor stands in this field."""
        return self.has_focus_within

    def done(self) -> None:
        """Say that Enter was pressed here."""
        self.post_message(FieldDone(self))

    def hint(self, text: str) -> None:
        """Change the hint; a problem stays in front of it."""
        self._hint = text
        self._redraw()

    def show_problem(self, text: str | None) -> None:
        """Show what is wrong in place of the hint, or the hint again."""
        self._problem = text
        self.set_class(text is not None, "-problem")
        self._redraw()

    def note(self, text: str) -> None:
        """Show what there is to know about this field, wherever the cursor is; empty: nothing."""
        self._note = text
        self.set_class(bool(text), "-noted")
        self._redraw()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show the hint where the cursor is."""
        event.stop()
        self.add_class("-here")

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Tell the screen that the field was left."""
        event.stop()
        self.remove_class("-here")
        self.post_message(FieldLeft(self))

    def _redraw(self) -> None:
        words = Content(self._hint)
        if self._problem is not None:
            words = Content.styled(f"! {self._problem}", "bold $warning")
        if self._note:
            note = Content.styled(self._note, "$warning")
            words = note if self._problem is None else words + Content("\n") + note
        for line in self.query(".field-hint").results(Static):
            line.update(words)


def _id_of(pointer: str) -> str:
    return "f" + pointer.replace("/", "-").replace("_", "-")
