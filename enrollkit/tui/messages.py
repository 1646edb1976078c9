"""What widgets tell their screens, and background work tells the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import rich.repr
from textual.message import Message

if TYPE_CHECKING:
    from enrollkit.tui.widgets.field import Field

__all__ = ["DeliveryMoved", "FieldDone", "FieldLeft", "NumberTyped", "StepDone"]


@dataclass
class FieldLeft(Message):
    """The cursor left a field: what it holds is worth keeping."""

    field: Field


@dataclass
class FieldDone(Message):
    """Enter was pressed in a field: go on to the next."""

    field: Field


@dataclass
class StepDone(Message):
    """A step of the wizard has all it asks for."""


class NumberTyped(Message):
    """A complete Aadhaar number was typed; whoever takes it seals it at once.

    The number is no public attribute and never printed: messages are logged by developers' tools.
    """

    def __init__(self, number: str) -> None:
        super().__init__()
        self._number = number

    def take(self) -> str:
        """Give the number once and forget it."""
        number, self._number = self._number, ""
        return number

    def __repr__(self) -> str:
        return "NumberTyped(<withheld>)"

    def __rich_repr__(self) -> rich.repr.Result:
        """Give nothing to developers' tools."""
        yield from ()


@dataclass
class DeliveryMoved(Message):
    """Sending made progress, ended or failed; the state stands in ``app.delivery``."""

    def can_replace(self, message: Message) -> bool:
        """A flood of progress collapses into its newest."""
        return isinstance(message, DeliveryMoved)
