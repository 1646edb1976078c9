"""``enrollkit search``: find people by name, village or number."""

from __future__ import annotations

from typing import Annotated

import typer

from enrollkit.app.words import mark_of
from enrollkit.cli.console import AsJson, hint, say_json, say_table, unlocked_kit
from enrollkit.locale import _


def run(
    text: Annotated[str, typer.Argument(help="A piece of a name, a village or a number.")],
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most.")] = 50,
) -> int:
    """Find people enrolled on this laptop."""
    with unlocked_kit() as kit:
        people = kit.people.search(text, limit=limit)
    if as_json:
        for person in people:
            say_json(person)
        return 0
    if not people:
        hint(_("Nobody here fits that."))
        return 0
    say_table([
        (
            person.provisional, mark_of(person.state.value).line(), person.gender,
            str(person.age), person.village, person.name,
        )
        for person in people
    ])  # fmt: skip
    return 0
