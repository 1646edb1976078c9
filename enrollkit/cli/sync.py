"""``enrollkit sync``: a whole session with the server."""

from __future__ import annotations

from typing import Annotated

import typer

from enrollkit.app.results import Progress, Summary
from enrollkit.cli.console import AsJson, hint, say, say_json, say_progress, unlocked_kit
from enrollkit.locale import _, ngettext
from sync.errors import ServerRolledBack


def run(
    limit_mb: Annotated[
        float | None,
        typer.Option("--limit-mb", min=0.1, help="Stop after so many megabytes, up and down."),
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> None:
    """Send what waits, check the server's signatures, and fetch the news.

    Only a signature of the server makes a record *signed for*. Nothing is ever sent twice in
    effect: run it as often as you like. The last line says how many people still wait.
    """
    with unlocked_kit() as kit:
        summary = kit.delivery.run(_show, limit_bytes=_bytes(limit_mb))
    say_progress("")
    if as_json:
        error = {"error": summary.error.code} if summary.error else {}
        say_json(summary.counters() | error)
    elif summary.error is None or summary.sent or summary.feed:
        _print(summary)
    if summary.error is not None:
        raise summary.error


def _print(summary: Summary) -> None:
    signed = summary.accepted + summary.duplicate
    if not (summary.sent or signed or summary.waiting):
        say(_("Nothing was waiting to be sent."))
    else:
        say(
            ngettext(
                "{count} person or record signed for by the server now.",
                "{count} people and records signed for by the server now.",
                signed,
            ).format(count=signed)
        )
    if summary.rolled_back:
        say(ServerRolledBack().text)
    if summary.limited:
        say(_("The allowance is used up; the rest waits on this laptop."))
    if summary.rejected:
        say(_("{count} came back for correction.").format(count=summary.rejected))
    if summary.held:
        say(_("{count} are held at the office for a look.").format(count=summary.held))
    say(
        _("Waiting to be sent: {waiting}   Used: {up} bytes up, {down} bytes down").format(
            waiting=summary.waiting, up=summary.bytes_up, down=summary.bytes_down
        )
    )


def _bytes(megabytes: float | None) -> int | None:
    return None if megabytes is None else int(megabytes * 1_000_000)


def _show(progress: Progress) -> None:
    """Show where it stands; a wait is told even where nobody sees the line rewritten."""
    if progress.phase == "waiting":
        say_progress("")
        hint(progress.text)
    else:
        say_progress(progress.text)
