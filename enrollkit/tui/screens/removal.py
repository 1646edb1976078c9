"""Taking a record link away: which one, and what follows."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from enrollkit.app.results import LinkRow
from enrollkit.domain.record_link import LinkState
from enrollkit.locale import _
from enrollkit.tui.marks import draw_mark, shown
from enrollkit.tui.screens.page import Page, ask

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["RemovalScreen"]


class _LinkList(OptionList):
    """The list of records, which has the cursor; Enter alone takes nothing away."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "", show=False)]


class RemovalScreen(Page[None]):
    """One record after the other, each with F2."""

    HEADING = "Take a record away"
    HELP = (
        "The record itself stays at its facility; it is only no longer found under this person. "
        "Use it for a record that belongs to somebody else or was added twice."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "remove", "take it away", key_display="F2"),
    ]
    _links: tuple[LinkRow, ...] = ()

    def __init__(self, kit: Kit, ident: str, name: str) -> None:
        super().__init__(kit)
        self._ident = ident
        self._whom = name

    def content(self) -> Iterable[Widget]:
        """Give the person, the consequence, the records."""
        yield Static(shown(self._whom), id="removal-head", markup=False)
        words = _("F2 takes the marked record away from {name}. It stays at its facility.")
        yield Static(words.format(name=shown(self._whom)), id="removal-words", markup=False)
        yield _LinkList(id="removal")

    def on_mount(self) -> None:
        """Read the records."""
        self.begin(self._read)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing to take away where nothing is."""
        del parameters
        return bool(self._links) if action == "remove" else True

    def action_remove(self) -> None:
        """Take the marked record away."""
        at = self.query_one("#removal", OptionList).highlighted
        if at is not None and at < len(self._links):
            self.begin(partial(self._remove, self._links[at]), group="remove", exclusive=True)

    async def _remove(self, link: LinkRow) -> None:
        await ask(self.kit.corrections.remove_link, link.id)
        await self._read()
        self.say(_("Taken away: {record}").format(record=shown(link.display)))

    async def _read(self) -> None:
        page = await ask(self.kit.people.page, self._ident)
        self._links = tuple(link for link in page.links if link.state is not LinkState.REMOVED)
        records = self.query_one("#removal", OptionList)
        records.clear_options()
        records.add_options([Option(self._line(link)) for link in self._links])
        records.highlighted = 0 if self._links else None
        records.focus()
        self.refresh_bindings()

    def _line(self, link: LinkRow) -> Content:
        mark = draw_mark(link.state.value, ascii_only=self.app.has_class("-ascii"))
        facts = f"  {link.date:%d %b %Y}  {shown(link.facility)}"
        return (
            Content(f"{shown(link.display)[:30]:<31}") + mark + Content.styled(facts, "$secondary")
        )
