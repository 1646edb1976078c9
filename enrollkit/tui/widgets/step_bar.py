"""The steps of a way on one line, so that nobody asks how long it still takes."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from enrollkit.locale import _

__all__ = ["StepBar"]

_WORDS = {
    "consent": "Consent",
    "document": "Document",
    "person": "Person",
    "guardian": "Guardian",
    "address": "Address",
    "review": "Review",
    "code": "Code",
    "mobile": "Mobile",
    "abha-address": "ABHA address",
    "done": "Done",
}


class StepBar(Widget):
    """Numbers and names of the steps; those gone through carry a tick."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: tuple[str, ...] = ()
        self._now = ""
        self._seen: frozenset[str] = frozenset()

    def tell(self, steps: tuple[str, ...], now: str, seen: frozenset[str]) -> None:
        """Show the steps, the present one and those that have been left by going on."""
        self._steps, self._now, self._seen = steps, now, seen
        self.refresh()

    def render(self) -> Content:
        """Draw the line."""
        tick = "v" if self.app.has_class("-ascii") else "✔"
        parts: list[Content] = [Content("  ")]
        for number, step in enumerate(self._steps, start=1):
            words = f"{number} {_(_WORDS[step])}"
            if step == self._now:
                parts.append(Content.styled(words, "bold $accent underline"))
            elif step in self._seen:
                parts.append(Content.styled(f"{words} {tick}", "$secondary"))
            else:
                parts.append(Content.styled(words, "$secondary"))
            parts.append(Content("  "))
        return Content("").join(parts[:-1])
