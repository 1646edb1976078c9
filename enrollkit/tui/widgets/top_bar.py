"""The first line of every screen: where you are, who works, when the kit locks itself.

In a programme for practice the line under it is striped with that word, on every screen.
"""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from enrollkit.locale import _
from enrollkit.tui.marks import shown

__all__ = ["PRACTICE", "TopBar"]

PRACTICE = "PRACTICE"
"""The word that is never translated: it stands on cards and in reports too."""

_STRIPE = f"//// {PRACTICE} ////"


class TopBar(Widget):
    """Title at the left; operator, sending and countdown at the right."""

    title: reactive[str] = reactive("")
    right: reactive[str] = reactive("")
    context: reactive[str] = reactive("")

    def __init__(self, title: str) -> None:
        super().__init__()
        self.set_reactive(TopBar.title, title)

    def render(self) -> Content:
        """Draw one line, and the stripes where they belong."""
        if not self.app.has_class("-practice"):
            return self._line()
        stripes = (_STRIPE * (self.size.width // len(_STRIPE) + 1))[: self.size.width]
        return self._line() + Content("\n") + Content.styled(stripes, "bold $warning")

    def _line(self) -> Content:
        """Draw the words; the middle gives way first, the title last."""
        room = self.size.width - 2
        right = self.right[: max(0, room - len(self.title) - 2)]
        middle = shown(self.context)
        left_room = room - len(right) - len(self.title) - 5
        middle = middle if len(middle) <= left_room else middle[: max(0, left_room - 1)] + "…"
        gap = room - len(self.title) - len(right) - (len(middle) + 3 if middle else 0)
        parts = [Content(" "), Content.styled(self.title, "bold $accent")]
        if middle:
            parts += [Content("   "), Content(middle)]
        parts += [Content(" " * max(1, gap)), Content.styled(right, "$secondary"), Content(" ")]
        return Content("").join(parts)

    def tell(self, operator: str | None, seconds_left: int | None, sending: str) -> None:
        """Show who works, what is being sent, and the time until the kit locks."""
        parts = [sending] if sending else []
        if operator:
            parts.append(shown(operator)[:20])
        if sending and seconds_left is not None and seconds_left <= 0:
            parts.append(_("locks after sending"))
        elif seconds_left is not None:
            minutes, seconds = divmod(max(0, seconds_left), 60)
            parts.append(_("locks in {time}").format(time=f"{minutes}:{seconds:02d}"))
        joint = " - " if self.app.has_class("-ascii") else " · "
        self.right = joint.join(parts)
