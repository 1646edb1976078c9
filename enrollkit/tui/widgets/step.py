"""A step of the wizard: fields in a row of their own, Enter walks through them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.containers import Vertical

from enrollkit.tui.messages import FieldDone, FieldLeft, StepDone
from enrollkit.tui.widgets.field import Field
from schemas.pointers import value_at

__all__ = ["Step"]


class Step(Vertical):
    """A container of fields that reads and writes the row. ``name`` is the step's word."""

    WORD = ""

    def fields(self) -> list[Field]:
        """Give the fields that are shown, from top to bottom."""
        return [field for field in self.query(Field) if field.display]

    def fill(self, row: Mapping[str, Any]) -> None:
        """Show the row's values."""
        for field in self.query(Field):
            field.put(value_at(row, field.pointer))

    def values(self) -> dict[str, Any]:
        """Give pointer and value of every field of this step."""
        return {field.pointer: field.value for field in self.query(Field)}

    def enter(self, pointer: str = "") -> None:
        """Put the cursor into the field that the pointer names or lies in, else the first."""
        fields = self.fields()
        named = [
            field
            for field in fields
            if pointer == field.pointer or pointer.startswith(field.pointer + "/")
        ]
        for field in (named or fields)[:1]:
            field.enter()

    def on_field_left(self, event: FieldLeft) -> None:
        """Let fields follow one another, such as the owner of a mobile number."""
        self.follow(event.field)

    def on_field_done(self, event: FieldDone) -> None:
        """Go to the next field, or say that the step is done."""
        event.stop()
        self.follow(event.field)
        fields = self.fields()
        place = fields.index(event.field) if event.field in fields else len(fields)
        if place + 1 < len(fields):
            fields[place + 1].enter()
        else:
            self.post_message(StepDone())

    def follow(self, field: Field) -> None:
        """Change other fields after this one; nothing to do in most steps."""
