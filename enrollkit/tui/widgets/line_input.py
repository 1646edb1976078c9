"""A one-line input as this kit uses it: flat, with Enter shown in the footer."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

__all__ = ["LineInput"]


class LineInput(Input, inherit_bindings=False):
    """An input of one line without a border; selecting on focus would invite overwriting.

    It leaves the arrows up and down, which Textual gives to scrolling, to the list beneath it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(one for one in Binding.make_bindings(Input.BINDINGS) if one.key != "enter"),
        Binding("enter", "submit", "next", key_display="Enter", show=True),
    ]

    def __init__(
        self, value: str = "", *, length_max: int = 200, secret: bool = False, placeholder: str = ""
    ) -> None:
        super().__init__(
            value,
            placeholder=placeholder,
            password=secret,
            max_length=length_max,
            compact=True,
            select_on_focus=False,
        )
