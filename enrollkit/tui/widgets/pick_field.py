"""A field with many answers, one of them in sight: arrows walk, letters jump."""

from __future__ import annotations

from textual.content import Content

from enrollkit.tui.widgets.choice_field import Choice, ChoiceField

__all__ = ["PickField"]


class Pick(Choice):
    """One answer between two arrows: ``< Hindi >``."""

    def render(self) -> Content:
        """Draw the chosen answer and its place in the list."""
        keys = list(self.answers)
        if self.chosen not in keys:
            return Content.styled("<  ?  >", "$secondary")
        place = Content.styled(f"   {keys.index(self.chosen) + 1}/{len(keys)}", "$secondary")
        return Content.styled(f"< {self.answers[self.chosen]} >", "bold $accent") + place

    def on_key(self, event: object) -> None:
        """Jump to the next answer that begins with the letter."""
        character = (getattr(event, "character", None) or "").lower()
        keys = list(self.answers)
        start = keys.index(self.chosen) + 1 if self.chosen in keys else 0
        for key in [*keys[start:], *keys[:start]]:
            if character and self.answers[key].lower().startswith(character):
                self._choose(key)
                return


class PickField(ChoiceField):
    """A labelled list of answers of which one is shown."""

    def __init__(
        self,
        pointer: str,
        label: str,
        answers: dict[str, str],
        *,
        hint: str = "",
        help_text: str = "",
    ) -> None:
        super().__init__(pointer, label, answers, hint=hint, help_text=help_text)
        self._choice = Pick(answers)
