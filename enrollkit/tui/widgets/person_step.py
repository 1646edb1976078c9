"""Step 3: who the person is."""

from __future__ import annotations

from datetime import date

from textual.app import ComposeResult

from enrollkit.domain.person import Gender, MobileOwner
from enrollkit.locale import _
from enrollkit.tui.form import birth_said, birth_text, birth_value
from enrollkit.tui.languages import LANGUAGES
from enrollkit.tui.widgets.choice_field import ChoiceField
from enrollkit.tui.widgets.field import Field
from enrollkit.tui.widgets.pick_field import PickField
from enrollkit.tui.widgets.step import Step
from enrollkit.tui.widgets.text_field import TextField

__all__ = ["PersonStep"]


class PersonStep(Step):
    """Name, birth, gender, mobile, own script, language, wish for an address."""

    WORD = "person"

    def __init__(self, today: date) -> None:
        super().__init__()
        self._today = today

    def compose(self) -> ComposeResult:
        """Lay out the fields in the order in which people are asked."""
        yield TextField("/name", _("Name"), hint=_("As on Aadhaar, in Latin letters"))
        yield TextField(
            "/birth",
            _("Born"),
            hint=_('14/3/87, 14 March 1987, 1987 or "39 years"'),
            help_text=_(
                "Day before month. If only the year is known, write the year; if only the age, "
                'write it with the word: "39 years".'
            ),
            length_max=40,
            read=lambda text: birth_value(text, self._today),
            write=birth_text,
            say=lambda value: birth_said(value, self._today),
        )
        yield ChoiceField(
            "/gender",
            _("Gender"),
            {
                Gender.MALE.value: _("Male"),
                Gender.FEMALE.value: _("Female"),
                Gender.OTHER.value: _("Other"),
            },
        )
        yield TextField(
            "/mobile",
            _("Mobile"),
            hint=_("Ten digits. Empty when there is none."),
            help_text=_("At most six people can have one number at ABDM."),
            length_max=20,
            read=_digits,
        )
        yield ChoiceField(
            "/mobile_owner",
            _("Whose"),
            {
                MobileOwner.SELF.value: _("Own"),
                MobileOwner.FAMILY.value: _("Family"),
                MobileOwner.NONE.value: _("None"),
            },
        )
        yield PickField("/language", _("Speaks"), dict(LANGUAGES))
        yield TextField(
            "/abha_address_choice",
            _("ABHA address"),
            hint=_("Only if wished: 8 to 18 letters or digits, one . or _"),
            length_max=30,
            read=lambda text: text.strip().removesuffix("@abdm") or None,
        )
        yield TextField(
            "/name_native", _("Name, own script"), hint=_("As the person writes it; may stay empty")
        )

    def follow(self, field: Field) -> None:
        """Say whose the mobile is where it is clear: nobody's, or a child's family's."""
        if field.pointer != "/mobile":
            return
        owner = next(one for one in self.query(ChoiceField) if one.pointer == "/mobile_owner")
        if field.value is None:
            owner.put(MobileOwner.NONE.value)
        elif owner.value in {None, MobileOwner.NONE.value}:
            owner.put(self._likely_owner())

    def _likely_owner(self) -> str:
        born = next(one for one in self.query(TextField) if one.pointer == "/birth").value
        year = born.get("year") if isinstance(born, dict) else None
        child = isinstance(year, int) and self._today.year - year < 18  # noqa: PLR2004 - of age
        return (MobileOwner.FAMILY if child else MobileOwner.SELF).value


def _digits(typed: str) -> str | None:
    """Take blanks, dashes and +91 away; what is left may still be wrong and is kept."""
    plain = typed.strip().replace(" ", "").replace("-", "")
    return plain.removeprefix("+91") or None
