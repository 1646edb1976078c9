"""How commands speak: people on a terminal, programs with ``--json``, progress on stderr."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from enum import Enum
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enrollkit.domain.characters import shown
from enrollkit.errors import NotInitialised, WrongPassphrase
from enrollkit.locale import _

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = [
    "PRACTICE",
    "AsJson",
    "ask_new_passphrase",
    "ask_passphrase",
    "hint",
    "say",
    "say_json",
    "say_progress",
    "say_table",
    "unlocked_kit",
]

AsJson = Annotated[
    bool, typer.Option("--json", help="Print for programs: one JSON object, or one per line.")
]

PRACTICE = "PRACTICE"
"""Stands before every line about a programme or a number that is not real."""

_VARIABLE = "ENROLLKIT_PASSPHRASE"
_SHORT = 8
_STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What JSON lets stand and a terminal obeys: C1 controls, line ends, turns of direction."""


def say(text: str) -> None:
    """Print a line for people on stdout, at once; nothing in it can steer their terminal."""
    sys.stdout.write(shown(text) + "\n")
    sys.stdout.flush()


def say_json(value: Any) -> None:
    """Print one JSON object on one line, at once: a reader at the other end of a pipe sees it.

    What could steer a terminal is written as an escape of JSON: the value stays the same.
    """
    sys.stdout.write(_STEERING.sub(_escaped, json.dumps(_plain(value), ensure_ascii=False)) + "\n")
    sys.stdout.flush()


def say_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns; the last column is not padded, for a terminal may not know how wide
    its script is.
    """
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)]
    for row in rows:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        say("  ".join([*padded, row[-1]]).rstrip())


def hint(text: str) -> None:
    """Print a line for people on stderr, beside the data."""
    sys.stderr.write(text + "\n")


def say_progress(text: str) -> None:
    """Rewrite the progress line on stderr, when somebody is there to see it."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def ask_passphrase() -> str:
    """Take the passphrase from ``ENROLLKIT_PASSPHRASE``, or ask; never from the command line."""
    given = os.environ.get(_VARIABLE)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        hint(_("No passphrase: set ENROLLKIT_PASSPHRASE, or use a terminal."))
        raise WrongPassphrase("no terminal")
    return getpass(_("Passphrase: "))


def ask_new_passphrase() -> str:
    """Take a new passphrase, twice when a person types it."""
    given = os.environ.get(_VARIABLE)
    typed = given if given is not None else _typed_twice()
    if not typed:
        raise typer.BadParameter(_("The passphrase is empty."))
    if len(typed) < _SHORT:
        hint(_("A short passphrase protects badly. Four words are easy to keep in mind."))
    return typed


@contextmanager
def unlocked_kit() -> Iterator[Kit]:
    """Open the laptop's kit with the operator's passphrase; lock it again whatever happens."""
    from enrollkit.app.home import Home  # noqa: PLC0415 - `--help` must not wait for the store
    from enrollkit.app.kit import Kit  # noqa: PLC0415

    home = Home.chosen()
    if not home.is_initialised:
        raise NotInitialised
    kit = Kit.at(home.folder)
    try:
        kit.unlock(ask_passphrase())
        if kit.programme.practice:
            hint(_("PRACTICE: numbers and cards of this programme are not real."))
        yield kit
    finally:
        kit.close()


def _escaped(character: re.Match[str]) -> str:
    return f"\\u{ord(character[0]):04x}"


def _typed_twice() -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter(_("Set ENROLLKIT_PASSPHRASE, or use a terminal."))
    while True:
        first = getpass(_("New passphrase: "))
        if first == getpass(_("The same once more: ")):
            return first
        hint(_("The two differ. Please type it again."))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    return value
