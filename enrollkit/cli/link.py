"""``enrollkit link``: health records linked to people, one or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from enrollkit.app.results import LinkResult
from enrollkit.cli.console import AsJson, say, say_json, unlocked_kit
from enrollkit.cli.problems import problems_json, say_problem
from enrollkit.locale import _


def run(  # noqa: PLR0917 - Typer reads options from parameters
    ident: Annotated[
        str | None, typer.Argument(metavar="ID", help="Record id, provisional or ABHA number.")
    ] = None,
    hi_type: Annotated[
        str | None, typer.Option("--hi-type", help="ABDM's type, such as WellnessRecord.")
    ] = None,
    facility: Annotated[str | None, typer.Option("--facility", help="HFR id.")] = None,
    date: Annotated[
        str | None, typer.Option("--date", help="Day of the visit, YYYY-MM-DD.")
    ] = None,
    display: Annotated[
        str | None, typer.Option("--display", help="What the person sees; never a diagnosis.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option("--reference", help="The facility's own number of the visit.")
    ] = None,
    professional: Annotated[str | None, typer.Option("--professional", help="HPR id.")] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from", help="Record links, one JSON object per line.")
    ] = None,
    people: Annotated[
        Path | None,
        typer.Option("--people", help="The enrolled file whose lines `person_row` counts."),
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> int:
    """Add record links: one by its options, or every row of a file with --from.

    A bad row is reported and the rest goes on. Running it again links nothing twice. Exit code 1
    when any row was not saved.
    """
    if (ident is None) == (from_file is None):
        raise typer.BadParameter(_("Give either a person's ID or --from FILE."))
    refused = 0
    with unlocked_kit() as kit:
        if from_file is not None:
            for result in kit.links.add_file(from_file, people_file=people):
                refused += not result.ok
                _report(result, as_json=as_json)
        elif ident is not None:
            row = _row(
                hi_type=hi_type, facility=facility, date=date, display=display,
                reference=reference, professional=professional,
            )  # fmt: skip
            result = kit.links.add(ident, row)
            refused += not result.ok
            _report(result, as_json=as_json)
    return 1 if refused else 0


def _row(**fields: str | None) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _report(result: LinkResult, *, as_json: bool) -> None:
    if as_json:
        answer: dict[str, Any] = {"row": result.row, "ok": result.ok}
        if result.ok:
            answer |= {"id": result.id, "reference": result.reference}
            answer |= {"already": True} if result.already else {}
        else:
            answer["problems"] = problems_json(result.problems)
        if result.notes:
            answer["notes"] = problems_json(result.notes)
        say_json(answer)
        return
    if result.ok:
        word = _("saved before") if result.already else _("saved")
        say(f"{result.row:>5}  {word}  {result.reference}")
    else:
        say(f"{result.row:>5}  " + _("not saved"))
    for problem in (*result.problems, *result.notes):
        say_problem(problem)
