"""The command ``exchanges`` of ``enrollkit-server``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from sync.server.abdm.exchange_view import exchange_lines, read_exchanges
from sync.server.settings import Settings
from sync.server.site import open_store

__all__ = ["add_exchange_commands"]

Home = Annotated[
    Path | None,
    typer.Option(help="The server's folder; or set ENROLLKIT_SERVER_HOME.", show_default=False),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print JSON for programs; moments are in milliseconds.")
]
Person = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The person's record id, or the provisional number on their card."
    ),
]


def add_exchange_commands(cli: typer.Typer, settings: Callable[[Path | None], Settings]) -> None:
    """Add the command; ``settings`` finds the server's settings from ``--home``."""

    @cli.command("exchanges")
    def exchanges(person: Person, home: Home = None, as_json: Json = False) -> None:  # noqa: FBT002 - typer's flag
        """Show all that was asked of ABDM about one person: step, when, ending, status and code.

        Nothing of the person's is shown. The request id is what NHA's support asks for (--json).
        """
        with open_store(settings(home)) as store, store.read() as connection:
            found = read_exchanges(connection, person)
        if as_json:
            typer.echo(json.dumps([dataclasses.asdict(one) for one in found], ensure_ascii=False))
        else:
            typer.echo("\n".join(exchange_lines(found)))
