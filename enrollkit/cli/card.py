"""``enrollkit card``: cards as PDF or PNG."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from enrollkit.cli.console import PRACTICE, AsJson, say, say_json, say_progress, unlocked_kit
from enrollkit.locale import _, ngettext


class AbhaCode(StrEnum):
    """Whose spelling the code for hospital desks has."""

    CARD = "card"
    APP = "app"


class Layout(StrEnum):
    """How cards lie on paper."""

    CR80 = "cr80"
    A4 = "a4"


def run(
    output: Annotated[Path, typer.Option("-o", "--output", help="OUT.pdf or OUT.png.")],
    idents: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID…", help="Record ids, provisional or ABHA numbers."),
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Everybody on this laptop.")] = False,  # noqa: FBT002 - an option of the command line
    *,
    layout: Annotated[
        Layout, typer.Option("--layout", help="One card a page, or ten on an A4 sheet.")
    ] = Layout.CR80,
    abha_code: Annotated[
        AbhaCode,
        typer.Option(
            "--abha-code",
            help="Spelling of the code for hospital desks: as on NHA's cards, or in the ABHA app.",
        ),
    ] = AbhaCode.CARD,
    as_json: AsJson = False,
) -> None:
    """Make cards with a signed QR code; any laptop of the programme can check them offline."""
    if bool(idents) == everyone:
        raise typer.BadParameter(_("Give either the people's IDs or --all."))
    if output.suffix.lower() not in {".pdf", ".png"}:
        raise typer.BadParameter(_("The file must end in .pdf or .png."))
    with unlocked_kit() as kit:
        printed = kit.cards.render(
            idents if not everyone else None,
            layout=layout.value,
            out=output,
            spelling=abha_code.value,
            on_progress=lambda done, total: say_progress(f"{done} / {total}"),
        )
        practice = kit.programme.practice
    say_progress("")
    if as_json:
        say_json(printed)
        return
    words = ngettext("{count} card", "{count} cards", printed.cards).format(count=printed.cards)
    say(f"{PRACTICE}: {words}" if practice else words)
    for file in printed.files:
        say(f"  {file}")
