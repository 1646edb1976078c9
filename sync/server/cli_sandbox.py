"""The command ``sandbox`` of ``enrollkit-server``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from sync.server.errors import FileUnusable, SettingsInvalid
from sync.server.sandbox.rules import rule_lines

__all__ = ["add_sandbox_commands"]

_LEVELS: Final = ("none", "some", "many")
_HELP: Final = """Run a practice ABDM, for training. It is not ABDM: its numbers begin with 00.

Everything is in memory and forgotten when it ends. Never type the Aadhaar number of a real person.

Whoever is not in this list gets a number:

\b
"""

_INTRODUCTION: Final = """\
# PRACTICE ABDM, for training only. Add these lines to the server's server.toml:
[abdm]
gateway_url = "{url}"
abha_url = "{abha_url}"
cm_id = "{cm_id}"
client_id = "{client_id}"
client_secret = "{client_secret}"
benefit = "{benefit}"
# One-time codes are shown at {url}/practice/otp
# Then start (or restart) run, and export the programme file again:
# laptops say PRACTICE from then on.

listening on {url}"""
"""All but the last line may be pasted as it is."""


def add_sandbox_commands(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("sandbox", help=_HELP + "\n".join(rule_lines()))(_run)


def _run(
    *,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)
    ] = 8700,
    seed: Annotated[int, typer.Option(help="Decides which calls go wrong.")] = 0,
    faults: Annotated[
        str, typer.Option(help="How many calls go wrong: none, some or many.")
    ] = "none",
    latency_ms: Annotated[
        int, typer.Option(help="How long each reply takes.", min=0, max=60_000)
    ] = 0,
    callback: Annotated[
        str, typer.Option(help="Where the programme's server listens for answers on linking.")
    ] = "",
    journal: Annotated[
        Path | None,
        typer.Option(help="Write each call to this file too; it names nobody.", show_default=False),
    ] = None,
) -> None:
    from sync.server.sandbox.app import ABHA_PATH, create_sandbox  # noqa: PLC0415 - this one needs them
    from sync.server.sandbox.faults import FaultPlan  # noqa: PLC0415 - the same
    from sync.server.sandbox.keys import CertificateKeys  # noqa: PLC0415 - the same
    from sync.server.sandbox.serving import listen, serve_practice  # noqa: PLC0415 - the same

    if faults not in _LEVELS:
        raise SettingsInvalid("--faults")
    with listen(host, port) as listener:
        try:
            sandbox = create_sandbox(
                keys=CertificateKeys.generate(),
                faults=FaultPlan(level=faults, seed=seed, latency_ms=latency_ms),
                clock=time.time,
                tell=_say,
                callback_url=callback,
                journal_file=journal,
            )
        except OSError as error:
            raise FileUnusable("journal") from error
        except ValueError as error:
            raise SettingsInvalid("--callback") from error
        url = _address(host, listener.getsockname()[1])
        shown = sandbox.credentials
        _say(
            _INTRODUCTION.format(
                url=url,
                abha_url=url + ABHA_PATH,
                cm_id=shown.cm_id,
                client_id=shown.client_id,
                client_secret=shown.client_secret,
                benefit=shown.benefit,
            )
        )
        serve_practice(sandbox, listener)


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
