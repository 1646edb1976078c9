"""``enrollkit sync``: a whole session with the server, or one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from enrollkit.app.results import Progress, Summary
from enrollkit.cli.console import AsJson, hint, say, say_json, say_progress, unlocked_kit
from enrollkit.cli.stopping import Stop, stop_on_interrupt
from enrollkit.locale import _

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit
    from enrollkit.app.vigil import Round

_INTERRUPTED: Final = 130
_KB: Final = 1024


def run(
    watch: Annotated[  # noqa: FBT002 - an option of the command line
        bool,
        typer.Option("--watch", help="Go on: send whenever there is a network and people wait."),
    ] = False,
    limit_mb: Annotated[
        float | None,
        typer.Option(
            "--limit-mb",
            min=0.1,
            help="Stop after so many megabytes, up and down; with --watch, so many a day.",
        ),
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> int:
    """Send what waits, check the server's signatures, and fetch the news.

    Only a signature of the server makes a record *signed for*. Nothing is ever sent twice in
    effect: run it as often as you like. The last line says how many people still wait. Ctrl+C
    ends it after the batch that is under way; what was signed for stays so.

    --watch goes on until Ctrl+C and prints a line when something changes; with --json one object
    for each session.
    """
    limit_bytes = None if limit_mb is None else int(limit_mb * 1_000_000)
    with unlocked_kit() as kit, stop_on_interrupt() as stop:
        if watch:
            _watch(kit, stop, limit_bytes, as_json=as_json)
            return 0
        return _once(kit, stop, limit_bytes, as_json=as_json)


def _once(kit: Kit, stop: Stop, limit_bytes: int | None, *, as_json: bool) -> int:
    before = kit.standing().issued
    summary = kit.delivery.run(_show, limit_bytes=limit_bytes, is_stopping=stop)
    used_today = kit.delivery.bytes_used_today()
    say_progress("")
    if as_json:
        say_json(_object(summary) | {"used_today": used_today})
    elif summary.error is None or summary.sent or summary.feed:
        _print(summary, used_today, kit.standing().issued - before)
    if summary.error is not None:
        raise summary.error
    return _INTERRUPTED if summary.stopped else 0


def _watch(kit: Kit, stop: Stop, limit_bytes: int | None, *, as_json: bool) -> None:
    from enrollkit.app.system import System, local_time  # noqa: PLC0415 - not for --help
    from enrollkit.cli.diary import Diary  # noqa: PLC0415

    diary = Diary(lambda: local_time(System().now()))

    def note(done: Round) -> None:
        say_progress("")
        if not as_json:
            diary.note(done)
        elif done.summary is not None:
            say_json(_object(done.summary) | {"rest_seconds": round(done.rest_seconds, 1)})

    if not as_json:
        diary.open()
    kit.delivery.watch(
        note,
        on_progress=lambda progress: say_progress(progress.text),
        is_stopping=stop,
        limit_bytes=limit_bytes,
    )
    if not as_json:
        diary.close()


def _object(summary: Summary) -> dict[str, Any]:
    error = {"error": summary.error.code} if summary.error else {}
    carried = {"carried": summary.carried, "carried_waiting": summary.carried_waiting}
    if summary.carried_error is not None:
        error["carried_error"] = summary.carried_error.code
    return summary.counters() | carried | error


def _print(summary: Summary, used_today: int, numbers: int = 0) -> None:
    from enrollkit.cli.diary import news_of  # noqa: PLC0415 - not for --help

    lines = list(news_of(summary, numbers))
    if not (summary.sent or lines or summary.waiting):
        lines = [_("Nothing was waiting to be sent.")]
    if summary.limited:
        lines.append(_("The allowance is used up; the rest waits on this laptop."))
    if summary.stopped:
        lines.append(_("Stopped, as you asked; the rest waits on this laptop."))
    if summary.carried_waiting:
        words = _("{count} files of other laptops still wait to be handed in.")
        lines.append(words.format(count=summary.carried_waiting))
    if summary.carried_error is not None:
        lines.append(_(summary.carried_error.text))
    lines.append(
        _("Waiting to be sent: {waiting}   Used: {up} bytes up, {down} bytes down").format(
            waiting=summary.waiting, up=summary.bytes_up, down=summary.bytes_down
        )
        + "   "
        + _("today: {count} KB").format(count=round(used_today / _KB))
    )
    for line in lines:
        say(line)


def _show(progress: Progress) -> None:
    """Show where it stands; a wait is told even where nobody sees the line rewritten."""
    if progress.phase == "waiting":
        say_progress("")
        hint(progress.text)
    else:
        say_progress(progress.text)
