"""What the operator hears while a session runs: figures that are so, in short words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sync.engine.account import Account, Progress, Stage, Summary
from sync.errors import Offline, ServerRolledBack, SyncError, Timeout

__all__ = ["Left", "Teller", "Words"]

Words = Callable[[str], str]
"""Gives a text in the operator's language; ``gettext`` fits."""

Left = Callable[[], tuple[int, int | None]]
"""Gives about how many bytes have still to travel, and how many seconds that takes, if known."""

_KB: Final = 1024
_MINUTE: Final = 60
_SECONDS_SAID_MAX: Final = 90
"""Up to here seconds are said, beyond it minutes."""


class Teller:
    """Turns the account and the traffic into :class:`~sync.engine.account.Progress`.

    ``monotonic`` gives the seconds by which a broken connection is measured.
    """

    def __init__(
        self,
        account: Account,
        traffic: Callable[[], tuple[int, int, int]],
        *,
        left: Left,
        monotonic: Callable[[], float],
        on_progress: Callable[[Progress], None],
        words: Words,
    ) -> None:
        self._account = account
        self._traffic = traffic
        self._left = left
        self._monotonic = monotonic
        self._on_progress = on_progress
        self._words = words
        self._heard_at: float | None = None
        self._is_lost = False

    def connecting(self) -> None:
        """Say that the server is called."""
        self._tell("connecting", self._words("Calling the server."))

    def heard(self) -> None:
        """Note a verified word of the server; say so when the connection had been lost."""
        now = self._monotonic()
        if self._is_lost and self._heard_at is not None:
            text = self._words("Connection lost for {time} – nothing lost, connected again.")
            self._tell("connecting", text.format(time=self._time(round(now - self._heard_at))))
        self._heard_at, self._is_lost = now, False

    def people(self) -> None:
        """Say how many the server has signed for, and how long the rest may take."""
        text = self._words("Signed for by the server: {signed} of {total}.")
        said = text.format(signed=self._account.signed, total=self._account.total)
        size, seconds = self._left()
        if size and seconds is not None:
            more = self._words("About {time} left, {size}.")
            said += " " + more.format(time=self._time(seconds), size=self._size(size))
        elif size:
            said += " " + self._words("{size} left.").format(size=self._size(size))
        self._tell("people", said)

    def news(self) -> None:
        """Say that news are asked for."""
        self._tell("news", self._words("Asking for news from the office."))

    def rolled_back(self) -> None:
        """Say that the server forgot what it had signed for, and is offered it again."""
        self._tell("connecting", self._words(ServerRolledBack().text))

    def new_life(self) -> None:
        """Say that the server knows other records of this laptop, and that both are kept."""
        self._tell(
            "connecting",
            self._words(
                "The server knows other records under this laptop's name; perhaps its disk was "
                "copied or restored. Both are kept."
            ),
        )

    def waiting(self, error: SyncError, seconds: float) -> None:
        """Say what went wrong and when the next try comes."""
        self._is_lost = self._is_lost or isinstance(error, Offline | Timeout)
        again = self._words("Trying again in {time}.").format(time=self._time(round(seconds)))
        self._tell("waiting", f"{self._words(error.text)} {again}")

    def done(self, summary: Summary) -> None:
        """Say how it ended."""
        self._tell("done", self._last_words(summary))

    def _last_words(self, summary: Summary) -> str:
        if summary.error is not None:
            return self._words(summary.error.text)
        if summary.stopped:
            text = self._words("Stopped, as you asked. Still waiting here: {waiting}.")
            return text.format(waiting=summary.waiting)
        if summary.limited:
            text = self._words("The allowance is used up. Still waiting here: {waiting}.")
            return text.format(waiting=summary.waiting)
        if summary.waiting:
            text = self._words("Done. Enrolled meanwhile, for the next time: {waiting}.")
            return text.format(waiting=summary.waiting)
        return self._words("The server has signed for everything.")

    def _time(self, seconds: int) -> str:
        if seconds < _SECONDS_SAID_MAX:
            return self._words("{count} s").format(count=max(seconds, 1))
        return self._words("{count} min").format(count=round(seconds / _MINUTE))

    def _size(self, size: int) -> str:
        if size < _KB * _KB:
            return self._words("{count} KB").format(count=max(1, round(size / _KB)))
        return self._words("{count} MB").format(count=f"{size / _KB / _KB:.1f}")

    def _tell(self, phase: Stage, text: str) -> None:
        up, down, _requests = self._traffic()
        size, seconds = self._left()
        self._on_progress(
            Progress(
                phase=phase,
                people_total=self._account.total,
                people_signed=self._account.signed,
                bytes_up=up,
                bytes_down=down,
                text=text,
                bytes_left=size,
                seconds_left=seconds,
            )
        )
