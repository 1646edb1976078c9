"""The command ``worker`` of ``enrollkit-server``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from sync.server.errors import AbdmHalted
from sync.server.settings import Settings
from sync.server.worker import Ended

__all__ = ["add_worker_commands"]

Home = Annotated[
    Path | None,
    typer.Option(help="The server's folder; or set ENROLLKIT_SERVER_HOME.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="With --once: print JSON for programs.")]
Once = Annotated[
    bool, typer.Option("--once", help="Do what is due now, then end. The rest stays for later.")
]


def add_worker_commands(cli: typer.Typer, settings: Callable[[Path | None], Settings]) -> None:
    """Add the command; ``settings`` finds the server's settings from ``--home``."""

    @cli.command("worker")
    def worker(once: Once = False, home: Home = None, as_json: Json = False) -> None:  # noqa: FBT002 - typer's flags
        """Take what laptops brought to ABDM, and bring ABHA numbers and reasons home.

        It needs vault.json and the settings of ABDM (server.toml, [abdm]). Several may run at once.
        It may be stopped at any moment: calls in work are ended first, and nothing is asked twice.
        """
        from sync.server.working import work  # noqa: PLC0415 - only this command needs a client

        ended = work(settings(home), reload=lambda: settings(home), once=once, say=_say_working)
        if once:
            typer.echo(json.dumps(_summary(ended)) if as_json else _words(ended))
        for code in ended.halts.values():
            raise AbdmHalted(code)


def _summary(ended: Ended) -> dict[str, Any]:
    return {
        "fates": {fate.value: count for fate, count in ended.fates.items()},
        "halted": {kind.value: code for kind, code in ended.halts.items()},
        "paused": ended.is_paused,
    }


def _words(ended: Ended) -> str:
    counts = ", ".join(f"{count} {fate.value}" for fate, count in sorted(ended.fates.items()))
    pause = (
        " ABDM does not answer as it should; the rest is tried later." if ended.is_paused else ""
    )
    return f"{sum(ended.fates.values())} jobs{f' ({counts})' if counts else ''}.{pause}"


def _say_working(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
