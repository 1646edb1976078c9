"""What the wizard has in hand: the row, the sealed number's last digits, the problems, the draft.

Every method that asks the kit does so off the UI thread; errors of the kit pass through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from enrollkit.app.results import DraftState, Refused, Saved
from enrollkit.domain.problem import Problem
from enrollkit.tui.draft_keeper import DraftKeeper
from enrollkit.tui.findings import Findings
from enrollkit.tui.form import is_grown_up, place_in_row, steps_for

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["EnrollForm"]

# What a form may hold before anything was said about the person.
_GIVEN: Final = frozenset({"language", "household", "camp", "address", "guardian"})


class EnrollForm:
    """One draft on its way to an enrollment."""

    def __init__(self, kit: Kit, draft: DraftState, today: date) -> None:
        self._kit = kit
        self._id = draft.id
        self._today = today
        self._keeper = DraftKeeper(kit.drafts.save, draft.id)
        self.row: dict[str, Any] = dict(draft.row)
        self._brought = None if "birth" in draft.row else draft.row.get("guardian")
        self.last4 = draft.aadhaar_last4
        self.findings = Findings()

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that this person needs."""
        return steps_for(self.row, self._today)

    @property
    def is_untold(self) -> bool:
        """Whether nothing was said about anybody yet."""
        return not set(self.row) - _GIVEN and self.last4 is None

    def take(self, values: Mapping[str, Any]) -> None:
        """Bring what stands in fields into the row.

        The guardian brought along from the last of the household is not a grown-up's.
        """
        for pointer, value in values.items():
            self.row = place_in_row(self.row, pointer, value)
        brought = self._brought is not None and self.row.get("guardian") == self._brought
        if brought and is_grown_up(self.row, self._today):
            self.row = place_in_row(self.row, "/guardian", None)

    async def keep(self, step: str) -> None:
        """Return when the draft is on disk."""
        await self._keeper.keep(self.row, step)

    async def check(self) -> None:
        """Ask for every problem."""
        found = await asyncio.to_thread(lambda: self._kit.enrolling.check(self.row, self._id))
        self.findings = self.findings.renew([*found, *self.open_questions()])

    def open_questions(self) -> list[Problem]:
        """Give what has to be looked at beside what the rules find; nothing for somebody new."""
        return []

    async def seal(self, number: str) -> Problem | None:
        """Seal the Aadhaar number, or say what is wrong with it."""
        sealed = await asyncio.to_thread(lambda: self._kit.drafts.seal_aadhaar(self._id, number))
        if isinstance(sealed, Problem):
            return sealed
        self.last4 = sealed
        return None

    async def clear_number(self) -> None:
        """Take the sealed number away."""
        await asyncio.to_thread(lambda: self._kit.drafts.clear_aadhaar(self._id))
        self.last4 = None

    async def submit(self) -> Saved | None:
        """Save the draft as an enrollment; ``None`` when problems stand in the way."""
        seen = self.findings.looked_at
        outcome = await asyncio.to_thread(
            lambda: self._kit.enrolling.submit_draft(self._id, looked_at=seen)
        )
        if isinstance(outcome, Refused):
            self.findings = self.findings.renew([*outcome.problems, *self.open_questions()])
            return None
        await self._keeper.stop()
        return outcome

    async def discard(self) -> None:
        """Leave no draft behind."""
        await self._keeper.stop()
        await asyncio.to_thread(lambda: self._kit.drafts.discard(self._id))
