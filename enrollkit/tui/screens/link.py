"""Add a health record to a person: kind, day, facility, and figures for a wellness check."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from enrollkit.app.results import LinkResult
from enrollkit.locale import _
from enrollkit.tui.marks import shown
from enrollkit.tui.messages import StepDone
from enrollkit.tui.screens.page import Page, ask
from enrollkit.tui.widgets.field import Field
from enrollkit.tui.widgets.link_step import LinkStep

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["LinkScreen"]


class LinkScreen(Page[LinkResult | None]):
    """Dismisses with what was linked; ``None`` when the operator went back."""

    HEADING = "Add a record"
    HELP = (
        "The record itself stays at its facility; here it gets a name and a number under which "
        "the person can find it. Enter goes on, F2 saves from anywhere."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "save", "save")]
    _saving = False

    def __init__(self, kit: Kit, ident: str, name: str) -> None:
        super().__init__(kit)
        self._ident = ident
        self._person = name

    def content(self) -> Iterable[Widget]:
        """Give the person's name and the fields."""
        yield Static(shown(self._person), id="link-person", markup=False)
        yield LinkStep(self.kit_app.today(), self.kit_app.last_facility)

    def on_mount(self) -> None:
        """Put the cursor into the first field."""
        self.query_one(LinkStep).enter()

    def help_text(self) -> str:
        """Explain the field with the cursor, then the screen."""
        words = [field.help_text for field in self.query(Field) if field.has_cursor]
        return "\n\n".join([word for word in words if word] + [_(self.HELP)])

    def on_step_done(self, event: StepDone) -> None:
        """Enter in the last field saves."""
        event.stop()
        self.action_save()

    def action_save(self) -> None:
        """Save once."""
        if not self._saving:
            self._saving = True
            self.begin(self._save)

    async def _save(self) -> None:
        step = self.query_one(LinkStep)
        row = step.values()
        try:
            result = await ask(self.kit.links.add, self._ident, row)
            if result.ok:
                self.kit_app.last_facility = str(row.get("facility", ""))
                self.leave(result)
                return
            self._show(result)
        finally:
            self._saving = False

    def _show(self, result: LinkResult) -> None:
        step = self.query_one(LinkStep)
        found = {problem.pointer: problem.text for problem in result.problems}
        step.show_problems(found)
        names = {field.pointer for field in step.fields()}
        other = [text for pointer, text in found.items() if pointer not in names]
        self.say(" ".join([_("Not saved yet."), *other]), warn=True)
        for field in step.fields():
            if field.pointer in found:
                field.enter()
                return
