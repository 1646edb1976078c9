"""A bar that counts people, never hopes."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

__all__ = ["Meter"]


class Meter(Widget):
    """A bar of ``done`` of ``total``; full only when everything counted is done."""

    BAR_CELLS = 30

    def __init__(self) -> None:
        super().__init__()
        self._done = 0
        self._total = 0
        self._words = ""

    def tell(self, done: int, total: int, words: str) -> None:
        """Show the counts and the words that say what was counted."""
        self._done, self._total, self._words = max(0, done), max(0, total), words
        self.refresh()

    def render(self) -> Content:
        """Draw bar and words."""
        filled = self._done * self.BAR_CELLS // self._total if self._total else 0
        filled = min(filled, self.BAR_CELLS)
        full, empty = ("#", ".") if self.app.has_class("-ascii") else ("█", "░")
        return (
            Content.styled(full * filled, "$accent")
            + Content.styled(empty * (self.BAR_CELLS - filled), "$secondary")
            + Content(f"   {self._words}")
        )
