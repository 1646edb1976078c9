"""The ``enrollkit`` command: registers the subcommands and is the one place where errors end.

Exit codes: 0 done; 1 done, but some rows or codes were refused; 2 wrong usage; 10–59 the kit
(:mod:`enrollkit.errors`); 60–79 the road (:mod:`sync.errors`); 99 a fault of the program, with a
crash file; 130 stopped with Ctrl+C. The table is in README.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from enrollkit.cli import (
    card,
    courier,
    demo,
    doctor,
    enroll,
    export,
    finish,
    init,
    link,
    receive,
    search,
    show,
    status,
    sync,
    trust,
    verify,
)
from enrollkit.cli.console import hint
from enrollkit.errors import OperatorError
from enrollkit.locale import _

__all__ = ["app", "main"]

SOME_REFUSED: Final = 1
USAGE: Final = 2
CRASHED: Final = 99
INTERRUPTED: Final = 130

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=_("Enroll people for ABHA where there is no network. Without a command: the app itself."),
)

for command in (
    init, enroll, search, show, link, card, verify, sync, finish, export, receive, courier, status,
    doctor, demo,
):  # fmt: skip
    app.command(command.__name__.rpartition(".")[2])(command.run)
app.add_typer(trust.commands, name="trust")


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help=_("Print the version."))] = False,
) -> None:
    """Open the app when no command is given."""
    if version:
        from importlib.metadata import version as installed  # noqa: PLC0415 - rarely asked for

        sys.stdout.write(installed("abha-enrollkit") + "\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        from enrollkit.cli import terminal  # noqa: PLC0415 - Textual is not for commands

        raise typer.Exit(terminal.run())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give its exit code. Every error ends here, in the operator's words."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A Windows console in code page 437 must not stop a command over a name in Hindi.
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        result = app(list(sys.argv[1:] if arguments is None else arguments), standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        hint(_("Stopped. What was saved stays saved."))
        return INTERRUPTED
    except typer.TyperException as error:
        return _refuse_usage(error)
    except OperatorError as error:
        hint(f"{error.text}  [{error.code}]")
        return error.exit_code
    except BrokenPipeError:
        return SOME_REFUSED
    except Exception as error:  # noqa: BLE001 - the last net: a crash file instead of a traceback
        return _crash(error)
    return result if isinstance(result, int) else 0


def _refuse_usage(error: typer.TyperException) -> int:
    """Say how the command is used, and what was wrong with what was typed."""
    context: typer.Context | None = getattr(error, "ctx", None)
    if context is not None:
        hint(context.get_usage())
    hint(error.format_message())
    return USAGE


def _crash(error: Exception) -> int:
    from enrollkit.app.crash import write_crash_report  # noqa: PLC0415 - only when it is needed
    from enrollkit.app.home import Home  # noqa: PLC0415

    path = write_crash_report(Home.chosen(), error)
    hint(
        _(
            "The program made a mistake and stopped. What was saved is safe. "
            "Please send this file to the office; it holds no names or numbers: {path}"
        ).format(path=path)
    )
    return CRASHED


if __name__ == "__main__":
    sys.exit(main())
