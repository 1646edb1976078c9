"""``enrollkit trust``: the certificates that Aadhaar documents are checked with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enrollkit.app.system import local_time
from enrollkit.cli.console import AsJson, hint, say, say_json, unlocked_kit
from enrollkit.locale import _

if TYPE_CHECKING:
    from enrollkit.app.trust import AnchorRow

commands = typer.Typer(
    no_args_is_help=True, help=_("The certificates that Aadhaar documents are checked with.")
)

File = Annotated[Path, typer.Argument(help="One certificate of UIDAI, as .cer or .pem.")]
Source = Annotated[str, typer.Option(help="Where you have it from. Otherwise the file's name.")]
Expected = Annotated[
    str, typer.Option("--fingerprint", help="What it must be; otherwise nothing is added.")
]
Fingerprint = Annotated[
    str, typer.Argument(help="From: trust list. The first 16 digits are enough.")
]


@commands.command("add")
def add(file: File, source: Source = "", expected: Expected = "", as_json: AsJson = False) -> int:  # noqa: FBT002 - an option of the command line
    """Believe a certificate of UIDAI on this laptop. Only the supervisor may.

    Compare the fingerprint with the one that UIDAI publishes, by another way than the file came:
    on a terminal you are asked. Certificates of the programme come by themselves.
    """
    with unlocked_kit() as kit:
        offered = kit.trust.look(file)
        if expected:
            from sync.anchors import find_anchor  # noqa: PLC0415 - certificates load cryptography

            find_anchor([offered.fingerprint], expected)
        if not as_json:
            _say(offered)
        if not expected and not as_json and sys.stdin.isatty() and not _is_confirmed():
            return 1
        row, is_new = kit.trust.add(file, source=source, fingerprint=offered.fingerprint)
    if as_json:
        say_json(_object(row))
    else:
        say(_("This laptop believes it now.") if is_new else _("It was here already."))
    return 0


@commands.command("list")
def show(as_json: AsJson = False) -> None:  # noqa: FBT002 - an option of the command line
    """List the certificates of the programme and of this laptop, newest first."""
    with unlocked_kit() as kit:
        rows = kit.trust.list()
    if as_json:
        say_json([_object(row) for row in rows])
        return
    if not rows:
        say(_("No certificate yet: Aadhaar cards are read, and none is verified."))
    for row in rows:
        _say(row)


@commands.command("remove")
def remove(fingerprint: Fingerprint, as_json: AsJson = False) -> None:  # noqa: FBT002 - an option of the command line
    """Believe a certificate no more that was added on this laptop. Only the supervisor may."""
    with unlocked_kit() as kit:
        row = kit.trust.remove(fingerprint)
    if as_json:
        say_json(_object(row))
    else:
        say(_("Removed: {fingerprint}").format(fingerprint=_spelt(row)))


def _is_confirmed() -> bool:
    hint(_("Compare the fingerprint with the one that UIDAI publishes."))
    return typer.confirm(_("Is it the same?"), default=False)


def _say(row: AnchorRow) -> None:
    say(row.name)
    say("  " + _("fingerprint  {text}").format(text=_spelt(row)))
    if row.is_usable:
        days = f"{_day(row.begins)} – {_day(row.ends)}"
        say("  " + _("valid        {text}").format(text=days))
    else:
        say("  " + _("This laptop cannot read it; nothing is checked with it."))
    origin = _("the programme") if row.is_of_programme else _("this laptop")
    say("  " + _("from         {origin}: {text}").format(origin=origin, text=row.source))


def _spelt(row: AnchorRow) -> str:
    from sync.anchors import spelt  # noqa: PLC0415 - certificates load cryptography

    return spelt(row.fingerprint)


def _object(row: AnchorRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "fingerprint": row.fingerprint,
        "valid_from": _day(row.begins),
        "valid_to": _day(row.ends),
        "source": row.source,
        "of_programme": row.is_of_programme,
        "usable": row.is_usable,
        "added_at": row.added_at or None,
    }


def _day(moment: int) -> str:
    return f"{local_time(moment):%Y-%m-%d}"
