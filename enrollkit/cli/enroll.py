"""``enrollkit enroll``: a file of people, row by row."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from enrollkit.app.results import RowResult
from enrollkit.cli.console import AsJson, hint, say, say_json, say_progress, unlocked_kit
from enrollkit.cli.problems import problems_json, say_problem
from enrollkit.locale import _, ngettext

SAME_NOTE_MAX: Final = 2
"""A note that fits every row is not printed at every row."""


def run(
    file: Annotated[Path, typer.Argument(help="People, one JSON object per line, or CSV.")],
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> int:
    """Check and save every row of a file; a bad row is reported and the rest goes on.

    Prints a line for each row: saved with its provisional number, or every problem with the field
    to blame. A row that a person should look at waits as a draft in the app. Running the same
    file again saves nobody twice. Exit code 1 when any row was not saved.
    """
    saved = refused = waiting = 0
    told: Counter[str] = Counter()
    with unlocked_kit() as kit:
        for result in kit.enrolling.submit_file(file):
            saved += result.ok
            refused += not result.ok
            waiting += not result.ok and bool(result.draft)
            if as_json:
                say_json(_row(result))
            else:
                _print(result, told)
                say_progress(_("{saved} saved, {refused} not").format(saved=saved, refused=refused))
    say_progress("")
    if not as_json:
        _print_rest(told)
        hint(_sum_up(saved, refused - waiting, waiting))
    return 1 if refused else 0


def _sum_up(saved: int, refused: int, waiting: int) -> str:
    """Tell how the rows of this file stand; the laptop may hold many others."""
    told = [
        ngettext(
            "{count} person of this file is saved.", "{count} people of this file are saved.", saved
        ).format(count=saved)
    ]
    if waiting:
        told.append(
            ngettext(
                "{count} row waits as a draft; look at it in the app.",
                "{count} rows wait as drafts; look at them in the app.",
                waiting,
            ).format(count=waiting)
        )
    if refused:
        told.append(
            ngettext("{count} row was not saved.", "{count} rows were not saved.", refused).format(
                count=refused
            )
        )
    return " ".join(told)


def _row(result: RowResult) -> dict[str, Any]:
    if result.ok:
        row: dict[str, Any] = {
            "row": result.row,
            "ok": True,
            "id": result.id,
            "provisional": result.provisional,
        }
        if result.already:
            row["already"] = True
    else:
        row = {"row": result.row, "ok": False, "problems": problems_json(result.problems)}
        if result.draft:
            row["draft"] = result.draft
    if result.notes:
        row["notes"] = problems_json(result.notes)
    return row


def _print(result: RowResult, told: Counter[str]) -> None:
    if result.ok:
        word = _("saved before") if result.already else _("saved")
        say(f"{result.row:>5}  {word}  {result.provisional}")
    else:
        word = _("look at it in the app") if result.draft else _("not saved")
        say(f"{result.row:>5}  {word}")
    for problem in result.problems:
        say_problem(problem)
    for note in result.notes:
        told[note.text] += 1
        if told[note.text] <= SAME_NOTE_MAX:
            say_problem(note)


def _print_rest(told: Counter[str]) -> None:
    """Count the notes that were not repeated at every row."""
    for text, times in told.items():
        if times > SAME_NOTE_MAX:
            say(_("{count} more times: {text}").format(count=times - SAME_NOTE_MAX, text=text))
