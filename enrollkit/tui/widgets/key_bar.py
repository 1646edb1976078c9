"""The last line of every screen: the keys that work now, and what was kept last."""

from __future__ import annotations

from textual.binding import ActiveBinding
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from enrollkit.locale import _

__all__ = ["KeyBar"]

_NAMES = {"escape": "Esc", "enter": "Enter", "slash": "/", "ctrl+l": "Ctrl+L", "ctrl+p": "Ctrl+P"}


class KeyBar(Widget):
    """Lists the active bindings that want to be seen; ``status`` stands at the right."""

    status: reactive[str] = reactive("")

    def on_mount(self) -> None:
        """Follow the screen's bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def keys(self) -> list[tuple[str, str]]:
        """Give key and words for every key that works now."""
        found: list[tuple[str, str]] = []
        for active in sorted(self.screen.active_bindings.values(), key=self._rank):
            binding = active.binding
            if binding.show and active.enabled and binding.description:
                name = binding.key_display or _NAMES.get(binding.key, _named(binding.key))
                if (name, binding.description) not in found:
                    found.append((name, binding.description))
        return found

    def render(self) -> Content:
        """Draw the keys as far as they fit, the status at the right edge."""
        room = self.size.width - 2
        status = self.status if len(self.status) < room else ""
        parts: list[Content] = [Content(" ")]
        used = 0
        for name, words in self.keys():
            arrows = {"←→": "<>", "↑↓": "^v"}
            shown = arrows.get(name, name) if self.app.has_class("-ascii") else name
            width = len(shown) + 1 + len(_(words)) + (2 if used else 0)
            if used + width + len(status) + 1 > room:
                break
            parts += [Content("  ")] if used else []
            parts += [Content.styled(shown, "bold $accent"), Content(f" {_(words)}")]
            used += width
        parts.append(Content(" " * max(1, room - used - len(status))))
        parts.append(Content.styled(status, "$secondary"))
        return Content("").join(parts)

    def _rank(self, active: ActiveBinding) -> int:
        """Enter first, then the screen's keys, Esc, and what works everywhere."""
        if active.node is self.app:
            return 3
        return {"enter": 0, "escape": 2}.get(active.binding.key, 1)

    def _changed(self, _screen: Screen[object]) -> None:
        self.refresh()


def _named(key: str) -> str:
    return key.upper() if len(key) <= len("f10") else key.title()
