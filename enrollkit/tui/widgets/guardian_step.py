"""The step for a minor: who is with the child."""

from __future__ import annotations

from textual.app import ComposeResult

from enrollkit.domain.person import Relation
from enrollkit.locale import _
from enrollkit.tui.widgets.choice_field import ChoiceField
from enrollkit.tui.widgets.step import Step
from enrollkit.tui.widgets.text_field import TextField

__all__ = ["GuardianStep"]


class GuardianStep(Step):
    """Name and relation of the grown-up who answers for the person."""

    WORD = "guardian"

    def compose(self) -> ComposeResult:
        """Lay out the two fields."""
        yield TextField(
            "/guardian/name",
            _("Who is with them"),
            hint=_("A parent or guardian who is here now, in Latin letters"),
            length_max=100,
        )
        yield ChoiceField(
            "/guardian/relation",
            _("Relation"),
            {
                Relation.MOTHER.value: _("Mother"),
                Relation.FATHER.value: _("Father"),
                Relation.GUARDIAN.value: _("Guardian"),
                Relation.SPOUSE.value: _("Spouse"),
            },
        )
