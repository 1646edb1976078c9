"""Which screen follows which. Screens say what they came to; only this file knows where that leads.

Screens are imported when they are first opened: the first frame needs none but the passphrase.
"""

# ruff: noqa: PLC0415 - imported late on purpose, see above

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from textual.screen import Screen

from enrollkit.errors import OperatorError
from enrollkit.locale import _
from enrollkit.tui.marks import shown
from enrollkit.tui.screens.page import Page, ask

if TYPE_CHECKING:
    from enrollkit.app.results import DraftState, PersonPage, Saved
    from enrollkit.tui.app import KitApp
    from enrollkit.tui.screens.saved import AfterSaved
    from sync.programme import Programme

__all__ = ["Journey"]

Result = TypeVar("Result")


class Journey:
    """The ways between screens, for one app."""

    def __init__(self, app: KitApp) -> None:
        self._app = app
        self._starting = False

    async def programme(self) -> Programme:
        """Give the programme: no day before it was signed is believed, and it may be practice."""
        return await ask(lambda: self._app.kit.programme)

    async def lock(self) -> None:
        """Forget the keys."""
        await ask(self._app.kit.lock)

    async def home(self) -> None:
        """Open the home screen."""
        from enrollkit.tui.screens.home import HomeScreen

        await self._app.push_screen(HomeScreen(self._app.kit))

    async def new(self, row: Mapping[str, Any] | None = None) -> None:
        """Begin a new enrollment; ``row`` is what is known of it already."""
        await self._enroll(None, dict(row or {}))

    async def next_of_household(self) -> None:
        """Begin with the address, household, guardian and language of the person saved last."""
        from enrollkit.tui.form import household_of

        await self._enroll(None, household_of(self._app.last_row))

    async def resume(self, draft_id: str) -> None:
        """Go on with a draft: of somebody new, or of a correction."""
        draft = await ask(self._app.kit.drafts.load, draft_id)
        if draft.corrects is not None:
            await self.correct(draft_id)
        else:
            await self._enroll(draft_id, {})

    async def find(self) -> None:
        """Open the search, unless it is open already."""
        from enrollkit.tui.screens.people import PeopleScreen

        if not isinstance(self._app.screen, PeopleScreen):
            await self._push(PeopleScreen(self._app.kit))

    async def corrections(self) -> None:
        """Open the list of those who came back."""
        from enrollkit.tui.screens.returned import ReturnedScreen

        await self._push(ReturnedScreen(self._app.kit))

    async def calls(self) -> None:
        """Open the list of those who have to be called."""
        from enrollkit.tui.screens.calls import CallsScreen

        if not isinstance(self._app.screen, CallsScreen):
            await self._push(CallsScreen(self._app.kit))

    async def correct(self, ident: str) -> None:
        """Open the correction of somebody who is saved, at the field to blame."""
        from enrollkit.tui.screens.correct import CorrectScreen

        if self._starting or isinstance(self._app.screen, CorrectScreen):
            return
        self._starting = True
        kit = self._app.kit
        try:
            wordings = await ask(kit.wordings)
            page = await ask(kit.people.page, ident)
            draft = await ask(kit.corrections.start, ident)
            screen = CorrectScreen(
                kit, draft, wordings, self._app.today(), reason=page.reason,
                conflicts=page.conflicts, refused=_refused(page),
            )  # fmt: skip
            await self._push(screen, self._corrected)
        except OperatorError as error:
            self._app.tell(error)
        finally:
            self._starting = False

    async def withdraw(self, ident: str, name: str, *, issued: bool) -> None:
        """Open the screen that takes a consent back."""
        from enrollkit.tui.screens.withdraw import WithdrawScreen

        await self._push(WithdrawScreen(self._app.kit, ident, name, issued=issued))

    async def remove_record(self, ident: str, name: str) -> None:
        """Open the list from which a record link is taken away."""
        from enrollkit.tui.screens.removal import RemovalScreen

        await self._push(RemovalScreen(self._app.kit, ident, name))

    async def sticks(self) -> None:
        """Open the screen that writes to a stick and reads from one."""
        from enrollkit.tui.screens.stick import StickScreen

        if not isinstance(self._app.screen, StickScreen):
            await self._push(StickScreen(self._app.kit))

    async def end_of_day(self) -> None:
        """Open the statement."""
        from enrollkit.tui.screens.statement import StatementScreen

        if not isinstance(self._app.screen, StatementScreen):
            await self._push(StatementScreen(self._app.kit))

    async def look_at(self, ident: str) -> None:
        """Open a person's page."""
        from enrollkit.tui.screens.person import PersonScreen

        await self._push(PersonScreen(self._app.kit, ident))

    async def finish(self, ident: str) -> None:
        """Open finishing with a one-time code, by any number of the person."""
        from enrollkit.tui.screens.finish import FinishScreen

        if not isinstance(self._app.screen, FinishScreen):
            await self._push(FinishScreen(self._app.kit, ident))

    async def add_record(self, ident: str, name: str) -> None:
        """Open the form for a record link."""
        from enrollkit.tui.screens.link import LinkScreen

        await self._push(LinkScreen(self._app.kit, ident, name))

    async def print_cards(self, idents: list[str] | None, title: str) -> None:
        """Open the form for cards; ``None`` means everybody."""
        from enrollkit.tui.screens.cards import CardsScreen

        await self._push(CardsScreen(self._app.kit, idents, title))

    async def send(self) -> None:
        """Open the sending screen and start, unless it runs already."""
        from enrollkit.tui.screens.sync import SyncScreen

        if not isinstance(self._app.screen, SyncScreen):
            await self._push(SyncScreen(self._app.kit))

    async def drafts(self) -> None:
        """Open the list of drafts."""
        from enrollkit.tui.screens.drafts import DraftsScreen

        if not isinstance(self._app.screen, DraftsScreen):
            await self._push(DraftsScreen(self._app.kit), self._picked_draft)

    async def explain(self) -> None:
        """Explain what is on the screen."""
        from enrollkit.tui.screens.help import HelpScreen

        page = self._app.screen
        if isinstance(page, Page):
            await self._push(HelpScreen(page.help_text(), page.keys.keys()))

    async def _enroll(self, draft_id: str | None, row: dict[str, Any]) -> None:
        """Open the wizard once, however often the key was pressed."""
        from enrollkit.tui.screens.enroll import EnrollScreen

        if self._starting or isinstance(self._app.screen, EnrollScreen):
            return
        self._starting = True
        kit = self._app.kit
        try:
            wordings = await ask(kit.wordings)
            draft = await self._draft(draft_id, row)
            await self._push(EnrollScreen(kit, draft, wordings, self._app.today()), self._enrolled)
        except OperatorError as error:
            self._app.tell(error)
        finally:
            self._starting = False

    async def _draft(self, draft_id: str | None, row: dict[str, Any]) -> DraftState:
        kit = self._app.kit
        if draft_id is not None:
            return await ask(kit.drafts.load, draft_id)
        draft = await ask(kit.drafts.start, {"language": self._app.last_language, **row})
        household = {"household": f"HH-{draft.id[:8].upper()}"}
        return replace(draft, row={**household, **draft.row})

    def _enrolled(self, saved: Saved | None) -> None:
        from enrollkit.tui.screens.saved import SavedScreen

        if saved is not None:
            self._app.push_screen(SavedScreen(self._app.kit, saved), self._after_saved)

    def _corrected(self, saved: Saved | None) -> None:
        """Back where the correction was begun: say that it is saved."""
        if saved is not None and isinstance(self._app.screen, Page):
            words = _("Saved: {name}. The new version goes with the next sending.")
            self._app.screen.say(words.format(name=shown(saved.name)))

    def _after_saved(self, choice: AfterSaved | None) -> None:
        from enrollkit.tui.screens.saved import AfterSaved

        if choice is AfterSaved.NEXT:
            self._app.begin(self.new)
        elif choice is AfterSaved.HOUSEHOLD:
            self._app.begin(self.next_of_household)

    def _picked_draft(self, draft_id: str | None) -> None:
        if draft_id is not None:
            self._app.begin(partial(self.resume, draft_id))

    async def _push(self, screen: Screen[Result], then: Any = None) -> None:
        await self._app.push_screen(screen, then)


def _refused(page: PersonPage) -> Mapping[str, Any] | None:
    """Give what ABDM did not take as it was, if that is why the person came back."""
    blamed = page.reason is not None and page.reason.code.startswith("abdm:")
    return page.enrollment.body() if blamed and not page.conflicts else None
