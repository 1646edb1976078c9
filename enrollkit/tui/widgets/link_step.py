"""The fields of a record link; the figures are asked for with a wellness check only."""

from __future__ import annotations

from datetime import date
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical

from enrollkit.domain.record_link import HiType
from enrollkit.locale import _
from enrollkit.tui.links_form import (
    FIGURES,
    HI_WORDS,
    date_value,
    display_for,
    figure_value,
    pressure_value,
)
from enrollkit.tui.widgets.choice_field import Choice
from enrollkit.tui.widgets.field import Field
from enrollkit.tui.widgets.pick_field import PickField
from enrollkit.tui.widgets.step import Step
from enrollkit.tui.widgets.text_field import TextField

__all__ = ["LinkStep"]

_PRESSURE = "/observations/pressure"


class LinkStep(Step):
    """Writes the row of a record link."""

    def __init__(self, today: date, facility: str) -> None:
        super().__init__()
        self._today = today
        self._facility = facility
        self._suggested = ""

    def compose(self) -> ComposeResult:
        """Lay out kind, day, facility, words, then the figures."""
        yield PickField("/hi_type", _("Kind"), {key: _(word) for key, word in HI_WORDS.items()})
        yield TextField(
            "/date",
            _("Day"),
            hint=_("The day of the check or visit, such as 22/11/2026"),
            length_max=40,
            read=lambda text: date_value(text, self._today),
        )
        yield TextField(
            "/facility",
            _("Facility"),
            hint=_("Its HFR number: IN and ten digits"),
            length_max=20,
            read=lambda text: text.strip().upper() or None,
        )
        yield TextField(
            "/display",
            _("The person reads"),
            hint=_("Never a diagnosis: this line is seen by others"),
            length_max=100,
        )
        yield TextField(
            "/professional", _("Professional"), hint=_("HPR number, may stay empty"), length_max=20
        )
        with Vertical(id="figures"):
            yield TextField(
                _PRESSURE, _("Blood pressure"), hint="120/80", length_max=10, read=pressure_value
            )
            for name, words in FIGURES.items():
                yield TextField(f"/observations/{name}", _(words), length_max=10, read=figure_value)

    def on_mount(self) -> None:
        """Begin with a wellness check today, at the facility named last."""
        self._field("/hi_type").put(HiType.WELLNESS_RECORD.value)
        self._field("/date").put(f"{self._today:%d/%m/%Y}")
        self._field("/facility").put(self._facility)
        self._suggest()

    def fields(self) -> list[Field]:
        """Give the fields that are asked for; figures only for a wellness check."""
        figures = self._asks_figures
        return [
            field
            for field in super().fields()
            if figures or not field.pointer.startswith("/observations/")
        ]

    def values(self) -> dict[str, Any]:
        """Give the whole row."""
        row = {
            field.pointer[1:]: field.value
            for field in self.fields()
            if not field.pointer.startswith("/observations/") and field.value is not None
        }
        figures: dict[str, Any] = {}
        for field in self.fields():
            if field.pointer == _PRESSURE:
                figures |= field.value
            elif field.pointer.startswith("/observations/") and field.value is not None:
                figures[field.pointer.removeprefix("/observations/")] = field.value
        return {**row, "observations": figures} if figures else row

    def show_problems(self, found: dict[str, str]) -> None:
        """Show under each field what is wrong with it, by pointer."""
        for field in self.query(Field):
            names = {"/observations/systolic", "/observations/diastolic"}
            pointers = names if field.pointer == _PRESSURE else {field.pointer}
            texts = [text for pointer, text in found.items() if pointer in pointers]
            field.show_problem(texts[0] if texts else None)

    def on_choice_changed(self, event: Choice.Changed) -> None:
        """Ask for figures with a wellness check; suggest the line the person reads."""
        event.stop()
        self.query_one("#figures").display = self._asks_figures
        self._suggest()

    def follow(self, field: Field) -> None:
        """A new day changes the suggested line."""
        if field.pointer == "/date":
            self._suggest()

    @property
    def _asks_figures(self) -> bool:
        return bool(self._field("/hi_type").value == HiType.WELLNESS_RECORD.value)

    def _suggest(self) -> None:
        """Fill the line in, unless the operator has written another."""
        line = self._field("/display")
        if line.value in {None, self._suggested}:
            kind = str(self._field("/hi_type").value)
            self._suggested = display_for(kind, self._field("/date").value)
            line.put(self._suggested)

    def _field(self, pointer: str) -> Field:
        return next(field for field in self.query(Field) if field.pointer == pointer)
