"""What the operator hears while a session runs: figures that are so, in short words."""

from __future__ import annotations

from collections.abc import Callable

from sync.engine.account import Account, Progress, Stage, Summary
from sync.errors import SyncError

__all__ = ["Teller", "Words"]

Words = Callable[[str], str]
"""Gives a text in the operator's language; ``gettext`` fits."""


class Teller:
    """Turns the account and the traffic into :class:`~sync.engine.account.Progress`."""

    def __init__(
        self,
        account: Account,
        traffic: Callable[[], tuple[int, int, int]],
        *,
        on_progress: Callable[[Progress], None],
        words: Words,
    ) -> None:
        self._account = account
        self._traffic = traffic
        self._on_progress = on_progress
        self._words = words

    def connecting(self) -> None:
        """Say that the server is called."""
        self._tell("connecting", self._words("Calling the server."))

    def people(self) -> None:
        """Say how many the server has signed for."""
        text = self._words("Signed for by the server: {signed} of {total}.")
        self._tell("people", text.format(signed=self._account.signed, total=self._account.total))

    def news(self) -> None:
        """Say that news are asked for."""
        self._tell("news", self._words("Asking for news from the office."))

    def waiting(self, error: SyncError, seconds: float) -> None:
        """Say what went wrong and when the next try comes."""
        again = self._words("Trying again in {seconds} seconds.").format(seconds=round(seconds))
        self._tell("waiting", f"{self._words(error.text)} {again}")

    def done(self, summary: Summary) -> None:
        """Say how it ended."""
        self._tell("done", self._last_words(summary))

    def _last_words(self, summary: Summary) -> str:
        if summary.error is not None:
            return self._words(summary.error.text)
        if summary.limited:
            text = self._words("The allowance is used up. Still waiting here: {waiting}.")
            return text.format(waiting=summary.waiting)
        if summary.waiting:
            text = self._words("Done. Enrolled meanwhile, for the next time: {waiting}.")
            return text.format(waiting=summary.waiting)
        return self._words("The server has signed for everything.")

    def _tell(self, phase: Stage, text: str) -> None:
        up, down, _requests = self._traffic()
        self._on_progress(
            Progress(
                phase=phase,
                people_total=self._account.total,
                people_signed=self._account.signed,
                bytes_up=up,
                bytes_down=down,
                text=text,
            )
        )
