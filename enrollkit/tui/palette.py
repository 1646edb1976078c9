"""What Ctrl+P offers: the kit's own ways, by their names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from enrollkit.locale import _

if TYPE_CHECKING:
    from enrollkit.tui.app import KitApp

__all__ = ["commands_of"]


def commands_of(app: KitApp) -> Iterator[SystemCommand]:
    """Give what can be done now; a locked kit offers nothing about people."""
    ways = app.journey
    if app.operator is not None:
        yield SystemCommand(_("New enrollment"), _("Begin with the consent"), ways.new)
        yield SystemCommand(_("Find a person"), _("By name or number"), ways.find)
        yield SystemCommand(_("Send now"), _("To the central server"), ways.send)
        yield SystemCommand(_("Stick"), _("Write to one, read from one"), ways.sticks)
        yield SystemCommand(_("End of day"), _("Where everybody is"), ways.end_of_day)
        yield SystemCommand(_("Needs correction"), _("Who came back"), ways.corrections)
        yield SystemCommand(_("Call the person"), _("Who is needed"), ways.calls)
        yield SystemCommand(_("Drafts"), _("Go on where you stopped"), ways.drafts)
        yield SystemCommand(_("Lock"), _("Ask for the passphrase"), app.action_lock)
    yield SystemCommand(_("Colours"), _("Dark, light, strong contrast"), app.change_colours)
    yield SystemCommand(_("Leave"), _("Lock the kit and end"), app.action_leave)
