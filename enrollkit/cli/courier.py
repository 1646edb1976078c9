"""``enrollkit courier``: another laptop's sealed file, carried for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enrollkit.cli.console import AsJson, hint, say, say_json, unlocked_kit
from enrollkit.locale import _


def run(
    path: Annotated[
        Path,
        typer.Argument(metavar="FILE|DIR", help="Another laptop's file, or a folder with some."),
    ],
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> int:
    """Take other laptops' sealed files along. This laptop can neither read nor change them.

    They are handed in at the next sync; export writes the answers to a stick for their laptop, and
    passes on what has no answer yet. Exit code 1 when a file in the folder could not be taken.

    JSON: files, operations (as their public headers count), taken [{file, device, operations,
    already, is_whole}], passed_over [{file, code, text}].
    """
    with unlocked_kit() as kit:
        taken = kit.sticks.carry_from(path)
    if as_json:
        say_json(
            {
                "files": [one.file for one in taken.files],
                "operations": sum(one.operations for one in taken.files),
                "taken": taken.files,
                "passed_over": taken.passed_over,
            }
        )
    for one in taken.files if not as_json else ():
        words = _("carried before") if one.already else _("taken along")
        say(f"{one.file.name}: {words} · {_('laptop')} {one.device}")
        if not one.is_whole:
            say(_("It was cut short or damaged. What is whole in it is carried."))
    for passed in taken.passed_over:
        hint(f"{passed.file.name}: {passed.text}  [{passed.code}]")
    if not as_json and not taken.files and not taken.passed_over:
        say(_("There is no file of another laptop in that folder."))
    return 1 if taken.passed_over else 0
