"""Find a person while typing: by name as it sounds, village, provisional or ABHA number."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from enrollkit.domain.identifiers import is_provisional_number
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
        "alike is found. Arrows choose, Enter opens the person. Somebody enrolled on another "
        "laptop is not here, but can be finished with a one-time code: type the number on the card."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "choose", key_display="↑↓"),
        Binding("up", "move(-1)", "", show=False),
        Binding("pagedown", "move(10)", "", show=False),
        Binding("pageup", "move(-10)", "", show=False),
        Binding("f2", "finish", "finish with a code", key_display="F2"),
    ]
    _stranger = ""
    """The provisional number of somebody who is not on this laptop."""

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A code can be sent to somebody of another laptop, by the number on the card."""
        del parameters
        return bool(self._stranger) if action == "finish" else True

    async def action_finish(self) -> None:
        """Go on with a one-time code."""
        await self.kit_app.journey.finish(self._stranger)

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
        self._stranger = typed if not rows and is_provisional_number(typed) else ""
        self.query_one(PeopleList).tell(rows)
        self.query_one("#people-count", Static).update(self._count_words(typed, len(rows)))
        self.refresh_bindings()

    def _count_words(self, typed: str, count: int) -> str:
        if self._stranger:
            return _("Not on this laptop. F2 finishes with a code, if the person is here.")
        if not count:
            return _("Nobody found. Try fewer letters.") if typed else _("Nobody here yet.")
        if count == _ROWS_MAX:
            return _("The first {count}. Type more to narrow it down.").format(count=count)
        return ngettext("{count} person", "{count} people", count).format(count=count)
