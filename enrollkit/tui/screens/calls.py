"""Whom to call: who, on which number, why, and not before when; Enter opens the person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from enrollkit.app.results import Call
from enrollkit.app.system import local_time
from enrollkit.locale import _, ngettext
from enrollkit.tui.marks import shown
from enrollkit.tui.screens.page import Page, ask

__all__ = ["CallsScreen"]

_NAME_WIDTH = 26
_VILLAGE_WIDTH = 14
_NUMBER_HELPS = frozenset({"person:aadhaar-missing", "person:document"})
_NO_CODE_HELPS = frozenset({"person:aadhaar-missing", "person:document", "person:parent"})


class _CallList(OptionList):
    """The list, which has the cursor; its Enter stands in the footer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "open the person", key_display="Enter"),
    ]


class CallsScreen(Page[None]):
    """Those who can be called now first."""

    HEADING = "Call the person"
    HELP = (
        "ABDM cannot give these people a number without them: a one-time code goes to their "
        "mobile, a document is missing, a parent is needed. The reason stands under each name. "
        "Call them; when they are here, O finishes it together with a one-time code."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "finish", "finish with a code"),
        Binding("a", "add_number", "add the Aadhaar number"),
    ]
    _rows: tuple[Call, ...] = ()

    def content(self) -> Iterable[Widget]:
        """Give the head and the list."""
        yield Static(_("Reading …"), id="calls-head", markup=False)
        yield _CallList(id="calls")

    def on_screen_resume(self) -> None:
        """Read anew whenever somebody comes back: one more may be done."""
        self.begin(self._read, group="read", exclusive=True)

    def delivery_moved(self) -> None:
        """Read anew when a session ends."""
        if not self.kit_app.delivery.running:
            self.begin(self._read, group="read", exclusive=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A code helps where Aadhaar knows the person; a number where there is none."""
        del parameters
        marked = self.marked if self._rows else None
        helps = marked is not None and marked.reason.code not in _NO_CODE_HELPS
        if action == "add_number":
            return marked is not None and marked.reason.code in _NUMBER_HELPS
        return helps if action == "finish" else True

    async def action_finish(self) -> None:
        """Go on with a one-time code."""
        if self.marked is not None:
            await self.kit_app.journey.finish(self.marked.id)

    async def action_add_number(self) -> None:
        """Open the correction, at the number that is missing."""
        if self.marked is not None:
            await self.kit_app.journey.correct(self.marked.id)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Offer what helps the person under the cursor."""
        event.stop()
        self.refresh_bindings()

    async def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open the person's page."""
        event.stop()
        if self.marked is not None:
            await self.kit_app.journey.look_at(self.marked.id)

    @property
    def marked(self) -> Call | None:
        """The person under the cursor."""
        at = self.query_one("#calls", OptionList).highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None

    async def _read(self) -> None:
        shown_list = self.query_one("#calls", OptionList)
        place = shown_list.highlighted or 0
        self._rows = tuple(await ask(self.kit.people.calls))
        self.query_one("#calls-head", Static).update(self._head())
        shown_list.clear_options()
        shown_list.add_options([Option(self._line(row)) for row in self._rows])
        shown_list.highlighted = min(place, len(self._rows) - 1) if self._rows else None
        shown_list.focus()
        self.refresh_bindings()

    def _head(self) -> str:
        if not self._rows:
            return _("Nobody has to be called. Esc goes back.")
        later = sum(not self._is_due(row) for row in self._rows)
        words = ngettext("{count} to call", "{count} to call", len(self._rows))
        told = words.format(count=len(self._rows))
        if later:
            words = ngettext("{count} of them later", "{count} of them later", later)
            told += ", " + words.format(count=later)
        return told

    def _line(self, row: Call) -> Content:
        mobile = _in_fives(row.mobile) if row.mobile else _("no mobile")
        name, village = shown(row.name)[:_NAME_WIDTH], shown(row.village)[:_VILLAGE_WIDTH]
        first = (
            Content.styled(f"! {name:<{_NAME_WIDTH}}", "bold")
            + Content.styled(f"  {mobile:<12}", "$accent")
            + Content(f"  {village:<{_VILLAGE_WIDTH}}")
            + Content("  ")
            + self._when(row)
        )
        return first + Content.styled(f"\n  {shown(row.reason.text)}", "$secondary")

    def _when(self, row: Call) -> Content:
        """Say from when on they can be called, or since when they wait."""
        if row.call_at is not None and not self._is_due(row):
            at = local_time(row.call_at).strftime("%d %b, %H:%M").lstrip("0")
            return Content.styled(_("from {time}").format(time=at), "$warning")
        day = local_time(row.since).strftime("%d %b").lstrip("0")
        return Content.styled(_("since {day}").format(day=day), "$secondary")

    def _is_due(self, row: Call) -> bool:
        return row.call_at is None or local_time(row.call_at) <= self.kit_app.now()


def _in_fives(mobile: str) -> str:
    """Write a mobile number as it is read out."""
    return f"{mobile[:5]} {mobile[5:]}"
