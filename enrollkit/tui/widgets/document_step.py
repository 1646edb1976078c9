"""Step 2: the Aadhaar number, which is not a must."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from enrollkit.locale import _
from enrollkit.tui.widgets.aadhaar_field import AadhaarField
from enrollkit.tui.widgets.step import Step

__all__ = ["DocumentStep"]


class DocumentStep(Step):
    """One field; what is sealed is told by its last four digits."""

    WORD = "document"

    def __init__(self, last4: str | None) -> None:
        super().__init__()
        self._last4 = last4

    def compose(self) -> ComposeResult:
        """Lay out the field and what becomes of the number."""
        yield AadhaarField()
        yield Static(
            Content(
                _(
                    "Without a number the person is enrolled all the same; the office will ask "
                    "for it, or for another document, later."
                )
            ),
            classes="aside",
        )

    def fill(self, row: Mapping[str, Any]) -> None:
        """Show the sealed number's last digits; the row never holds the number."""
        del row
        self.query_one(AadhaarField).put(self._last4)

    def values(self) -> dict[str, Any]:
        """Give nothing: the number is sealed beside the row."""
        return {}
