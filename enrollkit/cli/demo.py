"""``enrollkit demo``: the whole road once, with invented people, on this machine alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enrollkit.cli.console import AsJson, hint, say, say_json
from enrollkit.locale import _

if TYPE_CHECKING:
    from enrollkit.cli.stage.outcome import Outcome


def run(
    output: Annotated[
        Path, typer.Option("--output", help="Where the demo may put its files.")
    ] = Path("demo-output"),
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> int:
    """Show the whole road: two laptops, a server, a line that breaks, signatures, cards.

    Twelve invented people are enrolled, one laptop through the app and one from a file; they are
    delivered to a real server process, signed for, and their cards printed, read back and
    verified. Exit code 1 when any count differs.
    """
    from enrollkit.cli.stage.run import perform  # noqa: PLC0415 - no other command waits for it

    outcome = perform(output, tell=hint if as_json else say)
    if as_json:
        say_json(outcome.counts())
    else:
        for line in outcome.table():
            say(line)
    if not as_json and sys.stdin.isatty() and sys.stdout.isatty():
        _offer_the_app(outcome)
    return 0 if outcome.is_whole else 1


def _offer_the_app(outcome: Outcome) -> None:
    """Let a person who sits at a terminal look around in laptop A."""
    say("")
    say(_("The passphrase of both demo laptops is: {text}").format(text=outcome.passphrase))
    answer = input(_("Open laptop A in the app now? [Y/n] "))
    if answer.strip().lower() not in {"", "y", "yes"}:
        return
    from enrollkit.app.kit import Kit  # noqa: PLC0415 - `--help` must not wait for the store
    from enrollkit.tui.app import make_app  # noqa: PLC0415

    kit = Kit.at(outcome.laptop)
    try:
        make_app(kit).run()
    finally:
        kit.close()
