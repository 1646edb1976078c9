"""Find a person while typing: by name as it sounds, village, provisional or ABHA number."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from enrollkit.locale import _, ngettext
from enrollkit.tui.screens.page import Page, ask
from enrollkit.tui.widgets.line_input import LineInput
from enrollkit.tui.widgets.people_list import PeopleList

__all__ = ["PeopleScreen"]

_ROWS_MAX = 50


class PeopleScreen(Page[None]):
    """The list follows the typing."""

    HEADING = "Find a person"
    HELP = (
        "Type a piece of a name, of a village, or a number. The spelling may differ: what sounds "
        "alike is found. Arrows choose, Enter opens the person."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "choose", key_display="↑↓"),
        Binding("up", "move(-1)", "", show=False),
        Binding("pagedown", "move(10)", "", show=False),
        Binding("pageup", "move(-10)", "", show=False),
    ]

    def content(self) -> Iterable[Widget]:
        """Give the field, the count, the list."""
        with Horizontal(classes="field-line"):
            yield Static(_("Name or number"), classes="field-label", markup=False)
            yield LineInput(length_max=100)
        yield Static("", id="people-count", markup=False)
        yield PeopleList()

    def on_screen_resume(self) -> None:
        """Look again: something may have changed on the person's page."""
        self._search()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Follow the typing; an older search that is still under way is dropped."""
        event.stop()
        self._search()

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Open the marked person."""
        event.stop()
        await self._open()

    async def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open the person that was clicked."""
        event.stop()
        await self._open()

    def action_move(self, rows: int) -> None:
        """Move the mark."""
        people = self.query_one(PeopleList)
        if people.option_count:
            people.highlighted = min(
                max((people.highlighted or 0) + rows, 0), people.option_count - 1
            )

    async def _open(self) -> None:
        chosen = self.query_one(PeopleList).chosen
        if chosen is not None:
            await self.kit_app.journey.look_at(chosen)

    def _search(self) -> None:
        typed = self.query_one(LineInput).value
        self.begin(partial(self._show, typed), group="search", exclusive=True)

    async def _show(self, typed: str) -> None:
        rows = await ask(self.kit.people.search, typed, _ROWS_MAX)
        self.query_one(PeopleList).tell(rows)
        self.query_one("#people-count", Static).update(self._count_words(typed, len(rows)))

    def _count_words(self, typed: str, count: int) -> str:
        if not count:
            return _("Nobody found. Try fewer letters.") if typed else _("Nobody here yet.")
        if count == _ROWS_MAX:
            return _("The first {count}. Type more to narrow it down.").format(count=count)
        return ngettext("{count} person", "{count} people", count).format(count=count)
