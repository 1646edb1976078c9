"""What ``sync --watch`` prints: a line when something has changed, and silence while it has not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from enrollkit.app.results import Summary
from enrollkit.app.words import numbers_came
from enrollkit.cli.console import say
from enrollkit.locale import _, ngettext
from sync.errors import ChainForked, ServerRolledBack, ServerUnavailable, SyncBusy

if TYPE_CHECKING:
    from enrollkit.app.vigil import Round

__all__ = ["Diary", "cards_words", "news_of", "say_cards"]

_MINUTE: Final = 60


class Diary:
    """Remembers what it said last; ``now`` gives the time that stands before each line."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._said = ""

    def open(self) -> None:
        """Say that the watch has begun and how it is ended."""
        self._say(_("Watching for a network. Ctrl+C ends it; nothing is lost by that."))

    def note(self, done: Round) -> None:
        """Write down a session that was tried, if it changed anything."""
        if done.summary is not None:
            for line in news_of(done.summary):
                self._say(line)
        state, line = self._state(done)
        if state != self._said:
            self._said = state
            self._say(line)

    def close(self) -> None:
        """Say that the watch has ended."""
        self._say(_("The watch has ended."))

    def _state(self, done: Round) -> tuple[str, str]:
        """Give a name for how it stands, and the words for it."""
        waits = _("Waiting to be sent: {count}.").format(count=done.waiting)
        if done.spent or (done.summary is not None and done.summary.limited):
            words = _("The day's allowance is used up; the rest waits on this laptop.")
            return "limited", f"{words} {waits}"
        if isinstance(done.error, SyncBusy):
            return "busy", done.error.text
        if isinstance(done.error, ServerUnavailable):
            words = _("The server asks to be left alone; the next try comes in {count} min.")
            minutes = max(1, round(done.rest_seconds / _MINUTE))
            return "pushed-away", f"{words.format(count=minutes)} {waits}"
        if done.error is not None:
            return done.error.code, f"{_(done.error.text)} {waits}"
        return f"well-{done.waiting}", _("Connected.") + f" {waits}"

    def _say(self, line: str) -> None:
        say(f"{self._now():%H:%M}  {line}")


def cards_words(numbers: int) -> str:
    """Say how many ABHA numbers came, and how their cards are made."""
    return numbers_came(numbers) + " " + _("The cards: enrollkit card --all -o cards.pdf")


def say_cards(numbers: int) -> None:
    """Print that, if any came."""
    if numbers > 0:
        say(cards_words(numbers))


def news_of(summary: Summary, numbers: int = 0) -> Iterator[str]:
    """Say what a session brought forward; nothing for one that brought nothing.

    ``numbers`` are the people who got their ABHA number by it.
    """
    signed = summary.accepted + summary.duplicate
    if signed:
        yield ngettext(
            "{count} person or record signed for by the server now.",
            "{count} people and records signed for by the server now.",
            signed,
        ).format(count=signed)
    if summary.rolled_back:
        yield _(ServerRolledBack().text)
    if summary.forked:
        yield _(ChainForked().text)
    if summary.rejected:
        yield _("{count} came back for correction.").format(count=summary.rejected)
    if summary.held:
        yield ngettext(
            "{count} is held at the office for a look.",
            "{count} are held at the office for a look.",
            summary.held,
        ).format(count=summary.held)
    if summary.feed:
        yield ngettext(
            "{count} piece of news came.", "{count} pieces of news came.", summary.feed
        ).format(count=summary.feed)
    if numbers > 0:
        yield cards_words(numbers)
    if summary.carried:
        yield ngettext(
            "{count} file of another laptop was handed in.",
            "{count} files of other laptops were handed in.",
            summary.carried,
        ).format(count=summary.carried)
