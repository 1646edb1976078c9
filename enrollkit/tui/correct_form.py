"""A correction in hand: what differs at the office is a question that somebody has to look at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from enrollkit.app.results import DraftState, OtherValue
from enrollkit.domain.problem import Problem, Severity
from enrollkit.locale import _
from enrollkit.tui.enroll_form import EnrollForm
from enrollkit.tui.form import label_of
from schemas.pointers import value_at

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["CorrectForm", "side_by_side"]


class CorrectForm(EnrollForm):
    """One draft of a next version, and the fields in which the office wrote too."""

    def __init__(
        self,
        kit: Kit,
        draft: DraftState,
        today: date,
        conflicts: Sequence[OtherValue],
        *,
        asks_consent: bool,
    ) -> None:
        self._asks_consent = asks_consent
        super().__init__(kit, draft, today)
        self._conflicts = tuple(conflicts)
        self._first = (dict(draft.row), draft.aadhaar_last4)

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps without the consent, which is given once; unless it is what is wrong."""
        every = super().steps
        return every if self._asks_consent else tuple(step for step in every if step != "consent")

    @property
    def is_untold(self) -> bool:
        """Whether nothing was changed since this was opened."""
        return (self.row, self.last4) == self._first

    def open_questions(self) -> list[Problem]:
        """Give the fields in which here and the office still differ."""
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


def side_by_side(one: OtherValue) -> str:
    """Write both values of one field."""
    words = _("here: {yours} · from the office: {theirs}")
    return words.format(yours=one.yours_text, theirs=one.theirs_text)
