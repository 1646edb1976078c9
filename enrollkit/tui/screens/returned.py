"""Who came home: name, field, reason; Enter opens the correction at that field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from enrollkit.app.results import Returned
from enrollkit.app.words import people_and_records
from enrollkit.locale import _, ngettext
from enrollkit.tui.form import label_of
from enrollkit.tui.marks import shown
from enrollkit.tui.screens.page import Page, ask

__all__ = ["ReturnedScreen"]


class _ReturnedList(OptionList):
    """The list, which has the cursor; its Enter stands in the footer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "correct", key_display="Enter"),
    ]


class ReturnedScreen(Page[None]):
    """Those to be corrected first, then those whom the office holds back."""

    HEADING = "Needs correction"
    HELP = (
        "Everybody here came back from the office, with the field and the reason. Enter opens the "
        "form at that field. Those marked 'held' are signed for; the office looks at them, and "
        "nothing has to be done here."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "look", "open the person"),
    ]
    _rows: tuple[Returned, ...] = ()

    def content(self) -> Iterable[Widget]:
        """Give the head and the list."""
        yield Static(_("Reading …"), id="returned-head", markup=False)
        yield _ReturnedList(id="returned")

    def on_screen_resume(self) -> None:
        """Read anew whenever somebody comes back: one more may be done."""
        self.begin(self._read, group="read", exclusive=True)

    def delivery_moved(self) -> None:
        """Read anew when a session ends."""
        if not self.kit_app.delivery.running:
            self.begin(self._read, group="read", exclusive=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A person's page needs a person."""
        del parameters
        return bool(self._rows) if action == "look" else True

    async def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Correct who can be corrected; look at the others."""
        event.stop()
        marked = self._marked()
        if marked is not None and marked.can_correct and not marked.held:
            await self.kit_app.journey.correct(marked.id)
        elif marked is not None:
            await self.kit_app.journey.look_at(marked.id)

    async def action_look(self) -> None:
        """Open the person's page."""
        marked = self._marked()
        if marked is not None:
            await self.kit_app.journey.look_at(marked.id)

    async def _read(self) -> None:
        place = self.query_one("#returned", OptionList).highlighted or 0
        self._rows = tuple(await ask(self.kit.corrections.returned))
        self.query_one("#returned-head", Static).update(self._head())
        shown_list = self.query_one("#returned", OptionList)
        shown_list.clear_options()
        shown_list.add_options([Option(self._line(row)) for row in self._rows])
        shown_list.highlighted = min(place, len(self._rows) - 1) if self._rows else None
        shown_list.focus()
        self.refresh_bindings()

    def _head(self) -> str:
        held = sum(row.held for row in self._rows)
        records = sum(row.record is not None and not row.held for row in self._rows)
        back = people_and_records(len(self._rows) - held - records, records)
        if not self._rows:
            return _("Nobody came back. Esc goes back.")
        parts = []
        if back:
            parts.append(_("to put right: {what}").format(what=back))
        if held:
            words = ngettext("{count} held at the office", "{count} held at the office", held)
            parts.append(words.format(count=held))
        return "; ".join(parts)

    def _line(self, row: Returned) -> Content:
        shape = "?" if row.held else "!"
        label = shown(row.record) if row.record else label_of(row.reason.pointer)
        said = f" ({shown(row.reason.value)})" if row.reason.value else ""
        held = Content.styled(_("held") + "  ", "$secondary") if row.held else Content("")
        what = Content.styled(label, "$accent") + Content(said) if label else Content("")
        first = Content.styled(f"{shape} {shown(row.name)[:30]:<31}", "bold") + held + what
        reason = Content.styled(f"  {shown(row.reason.text)}", "$secondary")
        return first + Content("\n") + reason

    def _marked(self) -> Returned | None:
        at = self.query_one("#returned", OptionList).highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None
