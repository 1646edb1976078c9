"""The commands ``backup`` and ``restore`` of ``enrollkit-server``."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from sync.server.backup import backup
from sync.server.restoring import restore
from sync.server.settings import Settings

__all__ = ["add_backup_commands"]

Home = Annotated[
    Path | None,
    typer.Option(help="The server's folder; or set ENROLLKIT_SERVER_HOME.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Dest = Annotated[
    Path, typer.Argument(help="A folder on another disk; each backup is a folder in it.")
]
Source = Annotated[Path, typer.Argument(help="A backup, or a folder of them: then its newest.")]


def add_backup_commands(cli: typer.Typer, settings: Callable[[Path | None], Settings]) -> None:
    """Add both commands; ``settings`` finds the server's settings from ``--home``."""

    @cli.command("backup")
    def back_up(dest: Dest, home: Home = None, as_json: Json = False) -> None:  # noqa: FBT002 - typer's flag
        """Copy database and keys, and read the copy back. The server may run.

        What lies in it is durable from then on, and laptops are told so. Guard it like the server.
        """
        done = backup(settings(home), dest, now=int(time.time()))
        lines = [f"{done.enrollments} people, {done.bytes} bytes, checked: {done.folder}"]
        if done.is_same_disk:
            lines.append("It lies on the same disk as the database. Copy it to another one.")
        _print({**dataclasses.asdict(done), "folder": str(done.folder)}, lines, as_json=as_json)

    @cli.command("restore")
    def put_back(source: Source, home: Home = None, as_json: Json = False) -> None:  # noqa: FBT002 - typer's flag
        """Put a backup in the place of the database; no server may run. The old one is kept aside.

        Laptops notice by themselves and send again what the backup does not hold.
        """
        done = restore(settings(home), source, now=int(time.time()))
        lines = [f"{done.enrollments} people are back. Epoch: {done.epoch}"]
        replaced = None if done.replaced is None else str(done.replaced)
        if replaced:
            lines.append(f"The database that was there: {replaced}")
        _print({**dataclasses.asdict(done), "replaced": replaced}, lines, as_json=as_json)


def _print(value: object, lines: list[str], *, as_json: bool) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False) if as_json else "\n".join(lines))
