"""One thing to tell the operator, above the keys: a refusal, an undo, what became of something."""

from __future__ import annotations

from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

__all__ = ["Notice"]

_SHOWN_SECONDS = 12.0


class Notice(Static):
    """Takes no room while there is nothing to tell. ``said`` is what stands there."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self.display = False
        self.said = ""
        self._timer: Timer | None = None

    def say(self, text: str, *, warn: bool = False, stay: bool = False) -> None:
        """Show a text; it goes by itself after a while unless it is to ``stay``."""
        self._stop()
        self.said = text
        self.set_class(warn, "-warn")
        self.update(Content(f"! {text}" if warn else text))
        self.display = bool(text)
        if text and not stay:
            self._timer = self.set_timer(_SHOWN_SECONDS, self.clear)

    def clear(self) -> None:
        """Take the text away."""
        self._stop()
        self.said = ""
        self.display = False

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
