"""``enrollkit receive``: what came home on a stick."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enrollkit.cli.console import AsJson, hint, say, say_json, unlocked_kit
from enrollkit.cli.diary import say_cards
from enrollkit.locale import _, ngettext

if TYPE_CHECKING:
    from enrollkit.app.returns import Received


def run(
    path: Annotated[
        Path,
        typer.Argument(metavar="FILE|DIR", help="A return file (.ekr), or the stick's folder."),
    ],
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> int:
    """Read the office's answer from a stick: its signatures, and the news.

    Any order will do, and any number of times. Answers to other laptops are taken along for them.
    Exit code 1 when a file in the folder could not be used, or was cut short.

    JSON: files, operations, accepted, duplicate, held, rejected, feed, taken (answers to other
    laptops), is_whole, rolled_back, forked, passed_over [{file, code, text}].
    """
    with unlocked_kit() as kit:
        before = kit.standing().issued
        received = kit.sticks.receive(path)
        numbers = kit.standing().issued - before
    if as_json:
        say_json(
            {
                "files": received.files, "operations": received.operations,
                "accepted": received.accepted, "duplicate": received.duplicate,
                "held": received.held, "rejected": received.rejected, "feed": received.feed,
                "taken": received.taken, "is_whole": received.is_whole,
                "rolled_back": received.rolled_back, "forked": received.forked,
                "passed_over": received.passed_over, "words": received.words,
            }
        )  # fmt: skip
    else:
        _print(received)
        say_cards(numbers)
    return 1 if received.passed_over or not received.is_whole else 0


def _print(received: Received) -> None:
    signed = received.accepted + received.duplicate
    if signed:
        words = ngettext(
            "{count} person or record signed for by the server now.",
            "{count} people and records signed for by the server now.",
            signed,
        )
        say(words.format(count=signed))
    elif received.files and not (received.rejected or received.held or received.feed):
        say(_("That is known here already; nothing is new."))
    elif not received.files and not received.taken and not received.passed_over:
        say(_("There is no answer of the office in that folder."))
    if received.rejected:
        say(_("{count} came back for correction.").format(count=received.rejected))
    if received.held:
        words = ngettext(
            "{count} is held at the office for a look.",
            "{count} are held at the office for a look.",
            received.held,
        )
        say(words.format(count=received.held))
    if received.feed:
        words = ngettext(
            "{count} piece of news came.", "{count} pieces of news came.", received.feed
        )
        say(words.format(count=received.feed))
    if received.taken:
        say(_("Answers to other laptops, taken along: {count}").format(count=received.taken))
    for words in received.words:
        say(words)
    for passed in received.passed_over:
        hint(f"{passed.file.name}: {passed.text}  [{passed.code}]")
