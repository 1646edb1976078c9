"""The commands ``report incentive`` and ``calls`` of ``enrollkit-server``."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any, Final

import typer

from sync.server.calling import ToCall, call_lines, people_to_call
from sync.server.errors import SettingsInvalid
from sync.server.incentive import (
    MonthRow,
    RuleBook,
    count_linked,
    load_rules,
    read_facilities,
    report,
    rows_with_words,
)
from sync.server.refused import Refused, refused_lines, what_was_refused
from sync.server.settings import Settings
from sync.server.site import open_store

__all__ = ["add_report_commands"]

Home = Annotated[
    Path | None,
    typer.Option(help="The server's folder; or set ENROLLKIT_SERVER_HOME.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV for a spreadsheet.")]
Month = Annotated[str | None, typer.Option(help="One month only, as 2026-11.", show_default=False)]
Facilities = Annotated[
    Path | None,
    typer.Option(
        help="A CSV file with the columns facility, kind (hospital, laboratory, clinic or "
        "pharmacy) and beds; without it, facilities.csv in the server's folder.",
        show_default=False,
    ),
]
Camp = Annotated[str | None, typer.Option(help="One camp only.", show_default=False)]
OnlyRefused = Annotated[
    bool,
    typer.Option(
        "--refused",
        help="List instead what ABDM refused and no laptop can mend, and records not linked.",
    ),
]

_FACILITIES_FILE: Final = "facilities.csv"
_COLUMNS: Final = 80
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def add_report_commands(cli: typer.Typer, settings: Callable[[Path | None], Settings]) -> None:
    """Add both commands; ``settings`` finds the server's settings from ``--home``."""
    reports = typer.Typer(no_args_is_help=True, help="Figures about the programme's work.")
    cli.add_typer(reports, name="report")

    @reports.callback()
    def several() -> None:
        """Figures about the programme's work."""

    @reports.command("incentive")
    def incentive(
        month: Month = None,
        facilities: Facilities = None,
        home: Home = None,
        as_csv: Csv = False,  # noqa: FBT002 - typer's flag
        as_json: Json = False,  # noqa: FBT002 - typer's flag
    ) -> None:
        """Count linked records by facility and month against the base levels of the Digital Health
        Incentive Scheme. The rules and how far they are known are printed with the figures.
        """
        chosen = settings(home)
        rules, known = load_rules(), facilities or chosen.home / _FACILITIES_FILE
        if month is not None and re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", month) is None:
            raise SettingsInvalid("--month")
        is_there = facilities is not None or known.exists()
        register = read_facilities(known) if is_there else {}
        with open_store(chosen) as store, store.read() as connection:
            rows = report(count_linked(connection, month=month), register, rules)
        if as_json:
            typer.echo(json.dumps(_report_json(rows, rules), ensure_ascii=False))
        elif as_csv:
            typer.echo(_csv(MonthRow, rows), nl=False)
        else:
            typer.echo("\n".join(_report_lines(rows, rules, has_register=is_there)))

    @cli.command("calls")
    def calls(
        camp: Camp = None,
        home: Home = None,
        refused: OnlyRefused = False,  # noqa: FBT002 - typer's flag
        as_csv: Csv = False,  # noqa: FBT002 - typer's flag
        as_json: Json = False,  # noqa: FBT002 - typer's flag
    ) -> None:
        """List whom to call because ABDM wants the person to be there, with why and since when.

        The list names people and mobile numbers. Guard it like the people's own papers.
        """
        with open_store(settings(home)) as store, store.read() as connection:
            if refused:
                found = list(what_was_refused(connection, camp=camp))
                lines = refused_lines(found)
                text = "\n".join(lines) or "ABDM refused nothing that the office has to look at."
                _print_rows(Refused, found, text, as_csv=as_csv, as_json=as_json)
                return
            people = list(people_to_call(connection, camp=camp))
        text = "\n".join(call_lines(people)) or "Nobody has to be called."
        _print_rows(ToCall, people, text, as_csv=as_csv, as_json=as_json)


def _report_lines(
    rows: Sequence[MonthRow], rules: RuleBook, *, has_register: bool
) -> Iterable[str]:
    yield rules.scheme
    yield from rows_with_words(rows) if rows else ("No record is linked yet.",)
    if rows and not has_register:
        yield f"What the facilities are is not known here: write {_FACILITIES_FILE}, see --help."
    for note in rules.notes:
        yield from wrap(f"* {note}", _COLUMNS, subsequent_indent="  ")


def _report_json(rows: Sequence[MonthRow], rules: RuleBook) -> dict[str, Any]:
    return {
        "scheme": rules.scheme,
        "rules_known_until": rules.known_until.isoformat(),
        "notes": list(rules.notes),
        "rows": [dataclasses.asdict(row) for row in rows],
    }


def _print_rows(
    kind: type[Any], rows: Sequence[Any], text: str, *, as_csv: bool, as_json: bool
) -> None:
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(one) for one in rows], ensure_ascii=False))
    elif as_csv:
        typer.echo(_csv(kind, rows), nl=False)
    else:
        typer.echo(text)


def _csv(kind: type[Any], rows: Sequence[Any]) -> str:
    """Write rows with their fields as columns; no cell is a formula to a spreadsheet."""
    names = [each.name for each in dataclasses.fields(kind)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([_cell(getattr(row, name)) for name in names] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
