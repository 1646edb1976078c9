"""A field with few answers, all of them in sight: arrows or first letters choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from enrollkit.tui.widgets.field import Field

__all__ = ["Choice", "ChoiceField"]


class Choice(Widget, can_focus=True):
    """The row of answers: ``( ) Male  (*) Female``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "move(-1)", "", show=False),
        Binding("right,down,space", "move(1)", "choose", key_display="←→", show=True),
        Binding("enter", "done", "next", key_display="Enter"),
    ]
    chosen: reactive[str | None] = reactive(None)

    class Changed(Message):
        """Another answer was chosen."""

    class Done(Message):
        """Enter was pressed."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        super().__init__()
        self.answers = dict(answers)

    def render(self) -> Content:
        """Draw all answers; the chosen one is bold and dotted."""
        parts: list[Content] = []
        for key, words in self.answers.items():
            picked = key == self.chosen
            dot = ("*" if self.app.has_class("-ascii") else "•") if picked else " "
            style = "bold $accent" if picked else ""
            parts += [Content.styled(f"({dot}) {words}", style), Content("   ")]
        return Content("").join(parts[:-1])

    def action_move(self, step: int) -> None:
        """Choose the neighbour, round and round."""
        keys = list(self.answers)
        if self.chosen not in keys:
            self._choose(keys[0] if step > 0 else keys[-1])
        else:
            self._choose(keys[(keys.index(self.chosen) + step) % len(keys)])

    def action_done(self) -> None:
        """Go on."""
        self.post_message(self.Done())

    def on_key(self, event: events.Key) -> None:
        """Choose by the first letter of an answer, or by its place."""
        character = (event.character or "").lower()
        for place, (key, words) in enumerate(self.answers.items(), start=1):
            if character and character in {words[0].lower(), str(place)}:
                event.stop()
                event.prevent_default()
                self._choose(key)
                return

    def _choose(self, key: str) -> None:
        self.chosen = key
        self.post_message(self.Changed())


class ChoiceField(Field):
    """A labelled row of answers; the value is the chosen answer's key."""

    def __init__(
        self,
        pointer: str,
        label: str,
        answers: Mapping[str, str],
        *,
        hint: str = "",
        help_text: str = "",
    ) -> None:
        super().__init__(pointer, label, hint=hint, help_text=help_text)
        self._choice = Choice(answers)

    def control(self) -> Widget:
        """Give the row of answers."""
        return self._choice

    @property
    def value(self) -> Any:
        """The key of the chosen answer."""
        return self._choice.chosen

    def put(self, value: Any) -> None:
        """Choose an answer; an unknown one leaves the field open."""
        self._choice.chosen = value if value in self._choice.answers else None

    def on_choice_changed(self, _event: Choice.Changed) -> None:
        """Forget the problem that is being mended; a step may want to follow the choice."""
        self.show_problem(None)

    def on_choice_done(self, event: Choice.Done) -> None:
        """Go on."""
        event.stop()
        self.done()
