"""``enrollkit export``: what waits, written to a stick."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enrollkit.cli.console import AsJson, say, say_json, unlocked_kit
from enrollkit.locale import _, ngettext

if TYPE_CHECKING:
    from enrollkit.app.sticks import Exported


def run(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The stick's folder.")],
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> None:
    """Write everything that the server has not signed for to a stick, sealed.

    Run it as often as you like, on as many sticks as you like: nothing is doubled, and a lost stick
    loses nothing. Files and answers that this laptop carries for others are written too. Several
    laptops may share one stick. The office reads it with: enrollkit-server receive FILE

    JSON: files, operations, people, links, carried (files of other laptops), sticks (numbers to
    write on the stick).
    """
    with unlocked_kit() as kit:
        exported = kit.sticks.export(folder)
    if as_json:
        say_json(exported)
        return
    _print(exported)


def _print(exported: Exported) -> None:
    if exported.operations:
        words = ngettext(
            "{people} person and {links} records are on the stick, sealed.",
            "{people} people and {links} records are on the stick, sealed.",
            exported.people,
        )
        say(words.format(people=exported.people, links=exported.links))
        say(_("They count as signed for when the answer came home, not before."))
    else:
        say(_("Nothing waits here. The stick asks the office for signatures and news."))
    if exported.carried:
        say(_("Carried for other laptops: {count} files.").format(count=exported.carried))
    numbers = ", ".join(str(number) for number in exported.sticks)
    say(_("Write on the stick: {numbers}").format(numbers=numbers))
    for file in exported.files:
        say(f"  {file}")
