"""A correction in hand: what differs at the office is a question that somebody has to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from enrollkit.app.results import DraftState, OtherValue
from enrollkit.domain.enrollment import without_nulls
from enrollkit.domain.problem import Problem, Severity
from enrollkit.locale import _
from enrollkit.tui.enroll_form import EnrollForm
from enrollkit.tui.form import label_of
from schemas.pointers import value_at

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["CorrectForm", "side_by_side"]

_OF_THE_NUMBER: Final = frozenset({"aadhaar", "aadhaar_last4", "capture_session"})


class CorrectForm(EnrollForm):
    """One draft of a next version, and the fields in which the office wrote too.

    ``refused`` is what ABDM did not take, as it was saved; the same would come back the same.
    """

    def __init__(
        self,
        kit: Kit,
        draft: DraftState,
        today: date,
        conflicts: Sequence[OtherValue],
        *,
        asks_consent: bool,
        refused: Mapping[str, Any] | None = None,
    ) -> None:
        self._asks_consent = asks_consent
        super().__init__(kit, draft, today)
        self._conflicts = tuple(conflicts)
        self._first = (dict(draft.row), draft.aadhaar_last4)
        self._refused = refused
        self._resealed = False

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps without the consent, which is given once; unless it is what is wrong."""
        every = super().steps
        return every if self._asks_consent else tuple(step for step in every if step != "consent")

    @property
    def is_untold(self) -> bool:
        """Whether nothing was changed since this was opened."""
        return (self.row, self.last4) == self._first

    async def seal(self, number: str) -> Problem | None:
        """Seal the Aadhaar number typed again; even one with the same end may be another."""
        problem = await super().seal(number)
        self._resealed = self._resealed or problem is None
        return problem

    def open_questions(self) -> list[Problem]:
        """Give the fields in which here and the office still differ, or say that nothing does."""
        return [*self._unchanged(), *self._differing()]

    def _unchanged(self) -> list[Problem]:
        refused = self._refused
        if refused is None or self._resealed or self.last4 != refused.get("aadhaar_last4"):
            return []
        if _without_number(self.row) != _without_number(refused):
            return []
        text = _("Nothing was changed; it would come back the same.")
        return [Problem(pointer="", code="unchanged", text=text, severity=Severity.NOTE)]

    def _differing(self) -> list[Problem]:
        return [
            Problem(
                pointer=one.pointer,
                code=f"conflict:{one.pointer}",
                text=f"{label_of(one.pointer)}: {side_by_side(one)}",
                severity=Severity.REVIEW,
            )
            for one in self._conflicts
            if value_at(self.row, one.pointer) != one.theirs
        ]


def _without_number(row: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in row.items() if name not in _OF_THE_NUMBER}
    return without_nulls(told)


def side_by_side(one: OtherValue) -> str:
    """Write both values of one field."""
    words = _("here: {yours} · from the office: {theirs}")
    return words.format(yours=one.yours_text, theirs=one.theirs_text)
