"""The commands ``trust add``, ``trust list`` and ``trust remove`` of ``enrollkit-server``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from sync.anchors import FILE_BYTES_MAX, SOURCE_MAX, TrustAnchor, spelt
from sync.server.errors import FileUnusable
from sync.server.keys import open_keys
from sync.server.programme import publish
from sync.server.settings import Settings
from sync.server.site import open_store
from sync.server.trusting import install_anchor, list_anchors, remove_anchor

__all__ = ["add_trust_commands"]

Home = Annotated[
    Path | None,
    typer.Option(help="The server's folder; or set ENROLLKIT_SERVER_HOME.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
File = Annotated[Path, typer.Argument(help="One certificate of UIDAI, as .cer or .pem.")]
Source = Annotated[
    str, typer.Option(help="Where you have it from; laptops show it. Otherwise the file's name.")
]
Fingerprint = Annotated[
    str, typer.Argument(help="Its fingerprint, from: trust list. The first 16 digits are enough.")
]
_COMPARE: Final = (
    "Compare the fingerprint with the one that UIDAI publishes, by another way than the file came."
)


def add_trust_commands(cli: typer.Typer, settings: Callable[[Path | None], Settings]) -> None:
    """Add the three; ``settings`` finds the server's settings from ``--home``."""
    commands = typer.Typer(
        no_args_is_help=True, help="The certificates that Aadhaar documents are checked with."
    )
    cli.add_typer(commands, name="trust")

    @commands.command("add")
    def add(file: File, source: Source = "", home: Home = None, as_json: Json = False) -> None:  # noqa: FBT002 - typer's flag
        """Believe a certificate of UIDAI, on all laptops, from the next programme on.

        Several stand side by side: a card is checked with all of them, however old it is.
        """
        found = settings(home)
        keys, now = open_keys(found.home, found.passphrase), int(time.time())
        with open_store(found) as store, store.write() as connection:
            anchor, is_new = install_anchor(
                connection, _bytes(file), source=(source or file.name)[:SOURCE_MAX], now=now
            )
            if is_new:
                publish(connection, keys, now=now)
        heard = "Laptops get it with their next contact." if is_new else "It was here already."
        _print([anchor], [*_lines(anchor), _COMPARE, heard], as_json=as_json)

    @commands.command("list")
    def show(home: Home = None, as_json: Json = False) -> None:  # noqa: FBT002 - typer's flag
        """List the certificates that laptops are given, newest first."""
        with open_store(settings(home)) as store, store.read() as connection:
            anchors = list_anchors(connection)
        lines = [line for anchor in anchors for line in _lines(anchor)]
        _print(anchors, lines or ["No certificate yet."], as_json=as_json)

    @commands.command("remove")
    def remove(fingerprint: Fingerprint, home: Home = None, as_json: Json = False) -> None:  # noqa: FBT002 - typer's flag
        """Believe a certificate no more. Laptops hear of it with their next contact."""
        found = settings(home)
        keys = open_keys(found.home, found.passphrase)
        with open_store(found) as store, store.write() as connection:
            removed = remove_anchor(connection, fingerprint)
            publish(connection, keys, now=int(time.time()))
            left = list_anchors(connection)
        _print(left, [f"Removed: {spelt(removed)}"], as_json=as_json)


def _bytes(file: Path) -> bytes:
    """Read the file, and a byte more than is taken, so that a larger one is told."""
    try:
        with file.open("rb") as source:
            return source.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise FileUnusable("certificate") from error


def _lines(anchor: TrustAnchor) -> list[str]:
    return [
        anchor.name,
        f"  fingerprint  {spelt(anchor.fingerprint)}",
        f"  valid        {_day(anchor.begins)} to {_day(anchor.ends)}",
        f"  from         {anchor.source}",
    ]


def _print(anchors: list[TrustAnchor], lines: list[str], *, as_json: bool) -> None:
    rows = [
        {
            "name": anchor.name,
            "fingerprint": anchor.fingerprint,
            "valid_from": _day(anchor.begins),
            "valid_to": _day(anchor.ends),
            "source": anchor.source,
        }
        for anchor in anchors
    ]
    typer.echo(json.dumps(rows, ensure_ascii=False) if as_json else "\n".join(lines))


def _day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"
