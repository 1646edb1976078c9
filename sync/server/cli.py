"""The command ``enrollkit-server``: what the office types. Help is the docstrings."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sync.errors import OperatorError
from sync.programme import Programme, Wording, open_programme
from sync.server.abdm.standing import read_abdm_standing, standing_lines
from sync.server.approval import approve_code, revoke_device
from sync.server.cli_backup import add_backup_commands
from sync.server.cli_exchanges import add_exchange_commands
from sync.server.cli_report import add_report_commands
from sync.server.cli_sandbox import add_sandbox_commands
from sync.server.cli_trust import add_trust_commands
from sync.server.cli_worker import add_worker_commands
from sync.server.devices import list_devices
from sync.server.errors import FileUnusable, SettingsInvalid, WordingInvalid
from sync.server.exports import enrollment_rows, link_rows, read_standing, write_lines
from sync.server.keys import open_keys
from sync.server.programme import CONSENT_CODE, newest_programme, publish, set_wording
from sync.server.receiving import find_bundles, receive_files
from sync.server.reports import show_progress, summary_of, words_of
from sync.server.settings import Settings, load_settings
from sync.server.site import initialise, open_store
from sync.server.wiring import make_receiver

__all__ = ["main"]

_WORDING_BYTES_MAX = 80_000
_STATE_WORDS: Final = {
    "ACCEPTED": "signed for",
    "ISSUED": "with an ABHA number",
    "RETURNED": "back for correction",
    "DUPLICATE": "had a number already",
    "NEEDS_PERSON": "to be called",
}

cli = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="The central server of a health programme that enrolls people for ABHA.",
)
programme_commands = typer.Typer(no_args_is_help=True, help="The file that a laptop starts from.")
consent_commands = typer.Typer(no_args_is_help=True, help="The words that are read out at camps.")
device_commands = typer.Typer(no_args_is_help=True, help="The laptops of the programme.")
cli.add_typer(programme_commands, name="programme")
cli.add_typer(consent_commands, name="consent")
cli.add_typer(device_commands, name="device")

Home = Annotated[
    Path | None,
    typer.Option(help="The server's folder; or set ENROLLKIT_SERVER_HOME.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="The file to write.")]


def main() -> None:
    """Run the command line; every expected failure ends here with its text and exit code."""
    os.umask(0o077)  # whatever is written here belongs to the server's user alone
    try:
        cli()
    except OperatorError as error:
        sys.stderr.write(f"{error.text}  [{error}]\n")
        sys.exit(error.exit_code)


@cli.command("init")
def init(
    name: Annotated[str, typer.Option(help="What the programme is called.")],
    url: Annotated[str, typer.Option(help="The address at which laptops find this server.")],
    home: Home = None,
    as_json: Json = False,  # noqa: FBT002 - typer reads flags so
) -> None:
    """Make keys, database and the first programme. Never over an existing one.

    Set ENROLLKIT_SERVER_PASSPHRASE first, so that the key files are locked with it.
    """
    programme = initialise(_settings(home), name=name, url=url, now=_now())
    _print({"programme": _described(programme)}, as_json=as_json, text=_introduced(programme))


@cli.command("run")
def run(
    home: Home = None,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)
    ] = 8000,
) -> None:
    """Serve the laptops until it is told to end; batches in work are finished first."""
    from sync.server.serving import serve  # noqa: PLC0415 - only this command needs a web server

    serve(_settings(home), host=host, port=port, say=_say_listening)


@programme_commands.command("export")
def programme_export(output: Output, home: Home = None) -> None:
    """Write the newest programme file. Compare its fingerprint by voice when you hand it over."""
    with open_store(_settings(home)) as store, store.read() as connection:
        _, signed = newest_programme(connection)
    try:
        output.write_bytes(signed)
    except OSError as error:
        raise FileUnusable("programme") from error
    typer.echo(_introduced(open_programme(signed, None)))


@consent_commands.command("set")
def consent_set(
    file: Annotated[Path, typer.Argument(help="The wording, as plain text in UTF-8.")],
    version: Annotated[str, typer.Option(help="NHA's version of the wording, such as 1.4.")],
    language: Annotated[str, typer.Option(help="Its language, such as hi.")],
    home: Home = None,
) -> None:
    """Install the official consent wording of one language, in place of what was there."""
    settings = _settings(home)
    wording = Wording(
        code=CONSENT_CODE, version=version, language=language, text=_text(file), official=True
    )
    keys = open_keys(settings.home, settings.passphrase)
    with open_store(settings) as store, store.write() as connection:
        set_wording(connection, wording, now=_now())
        programme = publish(connection, keys, now=_now())
    typer.echo(f"Installed. Laptops get it with programme {programme.serial}.")


@device_commands.command("list")
def device_list(home: Home = None, as_json: Json = False) -> None:  # noqa: FBT002 - typer's flag
    """List the laptops that have called, and how far each is held."""
    with open_store(_settings(home)) as store, store.read() as connection:
        found = list_devices(connection)
    lines = [f"{one.device}  {one.state:<8}  {one.approval_code}" for one in found]
    _print(
        [dataclasses.asdict(one) for one in found],
        as_json=as_json,
        text="\n".join(lines) or "No laptop has called yet.",
    )


@device_commands.command("approve")
def device_approve(
    code: Annotated[str, typer.Argument(help="The code that the operator reads out.")],
    home: Home = None,
    as_json: Json = False,  # noqa: FBT002 - typer's flag
) -> None:
    """Approve a laptop by its code, before or after its first call."""
    settings = _settings(home)
    keys = open_keys(settings.home, settings.passphrase)
    with open_store(settings) as store, store.write() as connection:
        device = approve_code(connection, keys, code, now=_now())
        found = [one for one in list_devices(connection) if one.device == device]
    _print(
        [dataclasses.asdict(one) for one in found],
        as_json=as_json,
        text=f"Approved: {device}"
        if device
        else "Noted. That laptop is approved when it first calls.",
    )


@device_commands.command("revoke")
def device_revoke(
    device: Annotated[str, typer.Argument(help="The laptop's id, from: device list")],
    home: Home = None,
    as_json: Json = False,  # noqa: FBT002 - typer's flag
) -> None:
    """Shut a laptop out. What it still sends is kept apart; it learns nothing new."""
    settings = _settings(home)
    keys = open_keys(settings.home, settings.passphrase)
    with open_store(settings) as store, store.write() as connection:
        revoke_device(connection, keys, device, now=_now())
        found = [one for one in list_devices(connection) if one.device == device]
    _print([dataclasses.asdict(one) for one in found], as_json=as_json, text=f"Shut out: {device}")


@cli.command("receive")
def receive(
    files: Annotated[
        list[Path], typer.Argument(help="Files from a stick, or folders that hold such files.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Where the answers go: a folder, or FILE.ekr for one."),
    ],
    home: Home = None,
    as_json: Json = False,  # noqa: FBT002 - typer's flag
) -> None:
    """Take in what laptops wrote to a stick, and write the answers that go home on it.

    In any order and any number of times: nothing is taken twice. A damaged file is used as far as
    it is whole.
    """
    settings = _settings(home)
    keys = open_keys(settings.home, settings.passphrase)
    with open_store(settings) as store:
        receiver = make_receiver(
            settings, store=store, keys=keys, clock=_now, note_taken=lambda _: None
        )
        reports = list(receive_files(receiver, find_bundles(files), output, show_progress))
    _print(summary_of(reports), as_json=as_json, text=words_of(reports))
    for report in reports:
        if report.problem is not None:
            raise typer.Exit(report.problem.exit_code)


@cli.command("status")
def status(home: Home = None, as_json: Json = False) -> None:  # noqa: FBT002 - typer's flag
    """Say how many people, links and laptops there are."""
    settings = _settings(home)
    lacks_benefit = settings.abdm.is_configured and not settings.abdm.benefit
    with open_store(settings) as store, store.read() as connection:
        standing = dataclasses.asdict(read_standing(connection))
        now = _now() * 1000
        standing["abdm"] = read_abdm_standing(connection, now=now, lacks_benefit=lacks_benefit)
    lines = [*_standing_lines(standing), *standing_lines(standing["abdm"])]
    _print(standing, as_json=as_json, text="\n".join(lines))


@cli.command("export")
def export(
    output: Output,
    home: Home = None,
    links: Annotated[bool, typer.Option(help="Write the record links instead.")] = False,  # noqa: FBT002 - typer's flag
) -> None:
    """Write the programme's own data, one person a line, as captured. Guard the file well."""
    with open_store(_settings(home)) as store, store.read() as connection:
        rows = link_rows(connection) if links else enrollment_rows(connection)
        count = write_lines(output, rows)
    typer.echo(f"{count} lines")


def _settings(home: Path | None) -> Settings:
    chosen = home or os.environ.get("ENROLLKIT_SERVER_HOME")
    if not chosen:
        raise SettingsInvalid("--home")
    return load_settings(Path(chosen), os.environ)


def _text(file: Path) -> str:
    try:
        with file.open("rb") as source:
            data = source.read(_WORDING_BYTES_MAX + 1)
        if len(data) > _WORDING_BYTES_MAX:
            raise WordingInvalid("too long")
        return data.decode("utf-8-sig").replace("\r\n", "\n").strip()
    except OSError as error:
        raise FileUnusable("wording") from error
    except UnicodeDecodeError as error:
        raise WordingInvalid("not UTF-8") from error


def _described(programme: Programme) -> dict[str, str | int]:
    return {
        "name": programme.name,
        "url": programme.url,
        "serial": programme.serial,
        "fingerprint": programme.fingerprint,
    }


def _introduced(programme: Programme) -> str:
    return f"Programme: {programme.name}\nAddress: {programme.url}\nFingerprint: " + (
        programme.fingerprint
    )


def _print(value: Any, *, as_json: bool, text: str) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False) if as_json else text)


def _standing_lines(standing: Mapping[str, Any]) -> Iterator[str]:
    """Say how it stands, in the words that laptops use."""
    yield f"People: {standing['enrollments']}{_thereof(standing['by_state'])}"
    yield f"Records: {standing['links']}"
    yield f"Held for a look: {standing['held']}"
    yield f"Laptops: {standing['devices']}{_thereof(standing['devices_by_state'])}"


def _thereof(counts: Mapping[str, int]) -> str:
    parts = [
        f"{count} {_STATE_WORDS.get(state, state.lower().replace('_', ' '))}"
        for state, count in counts.items()
    ]
    return f" ({', '.join(parts)})" if parts else ""


def _say_listening(address: str) -> None:
    sys.stdout.write(f"listening on {address}\n")
    sys.stdout.flush()


def _now() -> int:
    return int(time.time())


add_backup_commands(cli, _settings)
add_exchange_commands(cli, _settings)
add_report_commands(cli, _settings)
add_trust_commands(cli, _settings)
add_sandbox_commands(cli)
add_worker_commands(cli, _settings)
