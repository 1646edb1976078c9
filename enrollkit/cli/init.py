"""``enrollkit init``: keys, database and first operator of a new laptop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enrollkit.cli.console import AsJson, ask_new_passphrase, say, say_json
from enrollkit.errors import FileUnreadable
from enrollkit.locale import _


def run(
    programme: Annotated[
        Path, typer.Option("--programme", help="The programme file from the office.")
    ],
    operator: Annotated[str, typer.Option("--operator", help="Who works here first.")],
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> None:
    """Set up this laptop: make its keys and its encrypted database, and show the approval code.

    The passphrase is asked for, or taken from ENROLLKIT_PASSPHRASE.
    """
    from enrollkit.app.home import Home  # noqa: PLC0415 - `--help` must not wait for the store
    from enrollkit.app.kit import Kit  # noqa: PLC0415

    if not operator.strip():
        raise typer.BadParameter(_("Name the person who works here."), param_hint="--operator")
    try:
        raw = programme.read_bytes()
    except OSError as error:
        raise FileUnreadable(type(error).__name__) from error
    kit = Kit.at(Home.chosen().folder)
    kit.demand_fresh(raw)
    try:
        made = kit.initialise(raw, operator=operator.strip(), passphrase=ask_new_passphrase())
        name = kit.programme.name
    finally:
        kit.close()
    if as_json:
        say_json({"device": made.device, "approval_code": made.approval_code, "programme": name})
        return
    say(_("This laptop now works for: {name}").format(name=name))
    say(_("The office's fingerprint:   {text}").format(text=made.fingerprint))
    say(_("This laptop's id:           {text}").format(text=made.device))
    say("")
    say(_("Read this approval code to the office: {code}").format(code=made.approval_code))
    say(_("You can enroll people at once; sending works after the approval."))
