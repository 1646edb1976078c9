"""The field for the national id: a number goes in, four digits are shown, nothing comes out."""

from __future__ import annotations

import re
from typing import Any

from textual.widget import Widget
from textual.widgets import Input

from enrollkit.locale import _
from enrollkit.tui.messages import NumberTyped
from enrollkit.tui.widgets.field import Field
from enrollkit.tui.widgets.line_input import LineInput

__all__ = ["AadhaarField"]

_DIGITS = 12


class AadhaarField(Field):
    """Takes twelve digits and hands them over to be sealed; shows ``...1234`` afterwards.

    The number is never part of the row: ``value`` is always ``None``. Enter goes on once the
    number is sealed; after a refusal it says first that no number is kept, for hands that type
    without looking would otherwise leave a wrong number behind and believe it taken.
    """

    def __init__(self) -> None:
        super().__init__(
            "/aadhaar",
            _("Aadhaar number"),
            hint=_("Not a must. 12 digits, sealed at once"),
            help_text=_(
                "The number is sealed to the central server the moment it is complete. This "
                "laptop keeps the last four digits only and cannot open the rest. A person "
                "without Aadhaar is enrolled without it: just press Enter."
            ),
        )
        self._input = LineInput(length_max=20)
        self._last4: str | None = None
        self._handed_over = False
        self._goes_on = False
        self._refused = False

    def control(self) -> Widget:
        """Give the input."""
        return self._input

    @property
    def value(self) -> Any:
        """Nothing: the number does not go into the row."""
        return None

    @property
    def last4(self) -> str | None:
        """The digits that stay readable, once the number is sealed."""
        return self._last4

    def put(self, value: Any) -> None:
        """Show the last four digits of a sealed number, or an empty field."""
        self._last4 = value if isinstance(value, str) else None
        self._handed_over = self._refused = False
        with self.prevent(Input.Changed):
            self._input.value = ""
        self._input.placeholder = f"xxxx xxxx {self._last4}" if self._last4 else ""
        self.hint(
            _("Sealed. Enter goes on; type to change, Delete removes")
            if self._last4
            else _("Not a must. 12 digits, sealed at once")
        )

    def take(self, last4: str | None) -> None:
        """Show that the number is sealed, and go on if Enter was pressed meanwhile."""
        goes_on, self._goes_on = self._goes_on, False
        self.put(last4)
        if goes_on:
            self.done()

    def refuse(self, text: str) -> None:
        """Say why the number was not taken; it has to be typed again."""
        self.put(self._last4)
        self._goes_on, self._refused = False, True
        self.show_problem(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Hand the number over when it is complete."""
        event.stop()
        self.show_problem(None)
        digits = re.sub(r"[\s-]", "", event.value)
        if len(digits) >= _DIGITS and not self._handed_over:
            self._hand_over(digits)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on; a number that is not complete is refused in words."""
        event.stop()
        if self._input.value.strip():
            self._hand_over(re.sub(r"[\s-]", "", self._input.value))
        elif self._handed_over:
            self._goes_on = True
        elif self._refused:
            self._refused = False
            self.show_problem(_("Not kept. Type it again, or Enter goes on without it."))
        else:
            self.done()

    def _hand_over(self, digits: str) -> None:
        self._handed_over = True
        with self.prevent(Input.Changed):
            self._input.value = ""
        self.post_message(NumberTyped(digits))
