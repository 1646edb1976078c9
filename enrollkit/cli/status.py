"""``enrollkit status``: counts that are so, and the statement at a day's end."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enrollkit.app.system import local_time
from enrollkit.app.words import mark_of
from enrollkit.cli.console import PRACTICE, AsJson, say, say_json, say_table, unlocked_kit
from enrollkit.locale import _

if TYPE_CHECKING:
    from enrollkit.app.results import Standing
    from enrollkit.reports.statement import Statement


def run(
    statement: Annotated[  # noqa: FBT002 - an option of the command line
        bool, typer.Option("--statement", help="Where everybody is, to the last one.")
    ] = False,
    date: Annotated[
        str | None,
        typer.Option("--date", help="With --statement: only those saved on YYYY-MM-DD."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="With --statement: print it to FILE.pdf as well."),
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> None:
    """Count the people on this laptop: in which state, waiting, signed for by the server.

    With --statement: every person captured here is in exactly one place, and the sum is checked:
    only on this laptop, on stick n, signed for, returned for correction, or withdrawn.

    JSON of a statement: day, made_at, programme, device, operator, camps, total, on_laptop,
    on_sticks [{n, name, written_at, people, links}], signed_for, held and durable (contained in
    signed_for), returned, withdrawn, links {total, on_laptop, on_sticks, signed_for, held,
    durable, returned, withdrawn}, drafts (not enrolled, in no sum), adds_up, files.
    """
    if not statement and (date is not None or output is not None):
        raise typer.BadParameter(_("--date and -o belong to --statement."))
    if output is not None and output.suffix.lower() != ".pdf":
        raise typer.BadParameter(_("The file must end in .pdf."))
    if statement:
        _state(date, output, as_json=as_json)
        return
    with unlocked_kit() as kit:
        standing, practice = kit.standing(), kit.programme.practice
    if as_json:
        say_json(asdict(standing) | ({"practice": True} if practice else {}))
        return
    if practice:
        say(_("{practice}: nobody counted here gets a real number.").format(practice=PRACTICE))
    _print_standing(standing)


def _state(day_text: str | None, output: Path | None, *, as_json: bool) -> None:
    day = None
    if day_text is not None:
        try:
            day = datetime.strptime(day_text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no time zone
        except ValueError as error:
            raise typer.BadParameter(_("A date is written like 2026-11-22.")) from error
    with unlocked_kit() as kit:
        statement, practice = kit.statement(day), kit.programme.practice
        files = kit.print_statement(output, day).files if output is not None else ()
    if as_json:
        practised = {"practice": True} if practice else {}
        say_json({**statement.figures(), **practised, "files": files})
        return
    if practice:
        say(PRACTICE)
    _print_statement(statement)
    for file in files:
        say(f"  {file}")


def _print_statement(statement: Statement) -> None:
    from enrollkit.app.statement import drafts_words, statement_lines  # noqa: PLC0415 - `--help` does without

    if statement.day is not None:
        say(_("People of {day}").format(day=f"{statement.day:%d %b %Y}"))
    rows = [("", _("People"), _("Records"))]
    rows += [
        (("  " if thereof else "") + words, str(people), str(papers))
        for words, people, papers, thereof in statement_lines(statement)
    ]
    rows.append((
        _("Captured on this laptop"), str(statement.people.total), str(statement.links.total)
    ))  # fmt: skip
    say_table(rows)
    say(drafts_words(statement))


def _print_standing(standing: Standing) -> None:
    rows = [(_("People enrolled here"), str(standing.total))]
    rows += [
        ("  " + mark_of(name).line(), str(count))
        for name, count in standing.by_state.items()
        if count
    ]
    rows += [
        (_("Waiting to be sent"), str(standing.waiting)),
        (_("Records waiting"), str(standing.links_waiting)),
        (_("Signed for by the server"), str(standing.signed_for)),
        (_("Held at the office for a look"), str(standing.held)),
        (_("People who need correction"), str(standing.returned)),
        (_("Records that need correction"), str(standing.links_returned)),
        (_("Drafts"), str(standing.drafts)),
    ]
    say_table(rows)
    if standing.last_receipt_at is None:
        say(_("The server has signed for nothing yet."))
    else:
        when = local_time(standing.last_receipt_at)
        say(_("Last signature: {when}").format(when=f"{when:%d %b %Y, %H:%M}"))
