"""Drafts: go on where somebody stopped, or put one away and take that back."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from enrollkit.app.results import DraftState
from enrollkit.app.system import local_time
from enrollkit.locale import _
from enrollkit.tui.form import birth_text
from enrollkit.tui.marks import shown
from enrollkit.tui.screens.page import Page, ask
from schemas.pointers import value_at

__all__ = ["DraftsScreen"]


class _DraftList(OptionList):
    """The list of drafts, which has the cursor; its Enter stands in the footer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "go on", key_display="Enter"),
    ]


class DraftsScreen(Page[str | None]):
    """Dismisses with the id of the draft to go on with."""

    HEADING = "Drafts"
    HELP = (
        "A draft is a form that was left half-way; it is on this laptop only. Enter goes on with "
        "it. X puts it away for good; Z right after brings it back."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", "go on"),
        Binding("x,delete", "discard", "put away", key_display="X"),
        Binding("z", "undo", "bring back"),
    ]
    _discarded: DraftState | None = None
    _drafts: tuple[DraftState, ...] = ()

    def content(self) -> Iterable[Widget]:
        """Give the list."""
        yield Static(_("Reading …"), id="drafts-head", markup=False)
        yield _DraftList(id="drafts")

    def on_mount(self) -> None:
        """Read the drafts."""
        self.begin(self._read)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Undo only what was just put away; the rest needs a draft."""
        del parameters
        if action == "undo":
            return self._discarded is not None
        return bool(self._drafts) if action in {"discard", "go_on"} else True

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go on with the chosen draft."""
        event.stop()
        self.leave(event.option.id)

    def action_go_on(self) -> None:
        """Go on with the marked draft."""
        marked = self._marked()
        if marked is not None:
            self.leave(marked.id)

    def action_discard(self) -> None:
        """Put the marked draft away."""
        marked = self._marked()
        if marked is not None:
            self.begin(partial(self._discard, marked), group="discard")

    def action_undo(self) -> None:
        """Bring back what was put away last."""
        if self._discarded is not None:
            self.begin(partial(self._restore, self._discarded), group="discard")

    async def _read(self, at: int = 0) -> None:
        self._drafts = tuple(await ask(self.kit.drafts.list))
        head = _("Which one?") if self._drafts else _("No drafts. Esc goes back.")
        self.query_one("#drafts-head", Static).update(head)
        drafts = self.query_one("#drafts", OptionList)
        drafts.clear_options()
        drafts.add_options([Option(_line(draft), id=draft.id) for draft in self._drafts])
        drafts.highlighted = min(at, len(self._drafts) - 1) if self._drafts else None
        drafts.focus()
        self.refresh_bindings()

    async def _discard(self, draft: DraftState) -> None:
        place = self._drafts.index(draft) if draft in self._drafts else 0
        self._discarded = await ask(self.kit.drafts.discard, draft.id)
        await self._read(place)
        words = _("Put away: {name}. Z brings it back.")
        self.say(words.format(name=_name(draft)))

    async def _restore(self, draft: DraftState) -> None:
        self._discarded = None
        await ask(self.kit.drafts.restore, draft)
        await self._read()
        self.say(_("It is back: {name}").format(name=_name(draft)))

    def _marked(self) -> DraftState | None:
        at = self.query_one("#drafts", OptionList).highlighted
        return self._drafts[at] if at is not None and at < len(self._drafts) else None


def _line(draft: DraftState) -> Content:
    when = local_time(draft.updated_at).strftime("%d %b %H:%M")
    if draft.corrects is not None:
        words = _("correction of {name}").format(name=shown(draft.corrects))
        return Content(f"{words[:59]:<60}") + Content.styled(when, "$secondary")
    born = birth_text(draft.row.get("birth"))
    village = value_at(draft.row, "/address/village")
    facts = ", ".join(str(fact) for fact in (born, village) if fact)
    return Content(f"{_name(draft)[:30]:<31}") + Content.styled(
        f"{shown(facts)[:28]:<29}{when}", "$secondary"
    )


def _name(draft: DraftState) -> str:
    return shown(str(value_at(draft.row, "/name") or _("no name yet")))
