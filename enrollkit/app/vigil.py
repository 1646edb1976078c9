"""The loop of ``sync --watch``: looks, decides by :mod:`enrollkit.app.watching`, sends, tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from enrollkit.app.desk import Desk
from enrollkit.app.outgoing import outbox_of
from enrollkit.app.results import Summary
from enrollkit.app.system import local_time
from enrollkit.app.watching import (
    Outcome,
    Sight,
    first_watch,
    look,
    nap_seconds,
    rest_after,
)
from enrollkit.errors import OperatorError
from sync.engine.pacing import Pacing
from sync.errors import ServerUnavailable, SyncBusy

__all__ = ["Round", "Vigil"]

_PACING: Final = Pacing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One session that was tried. ``summary`` is missing when the laptop itself stood in its way.

    ``spent``: the day's allowance was used up before, so nothing was sent. ``rest_seconds``: how
    long until the next one unless a network or people come. ``waiting``: what has no receipt.
    """

    summary: Summary | None
    error: OperatorError | None
    rest_seconds: float
    waiting: int
    spent: bool = False


class Vigil:
    """Runs sessions until it is told to stop; there is never a second one at the same time."""

    def __init__(
        self,
        desk: Desk,
        *,
        run: Callable[[], Summary],
        is_stopping: Callable[[], bool],
        is_spent: Callable[[], bool],
    ) -> None:
        self._desk = desk
        self._run = run
        self._is_stopping = is_stopping
        self._is_spent = is_spent
        self._host = urlsplit(desk.programme.url).hostname or ""

    def keep(self, tell: Callable[[Round], None]) -> None:
        """Watch until it is told to stop.

        Raises what trying again cannot help and is no matter of the road: a damaged data file.
        """
        sight = self._sight()
        watch = first_watch(sight)
        while not self._is_stopping():
            sight = self._sight()
            watch, is_due = look(watch, sight)
            if not is_due:
                self._desk.system.sleep(nap_seconds(watch, sight))
                continue
            spent, summary, error = self._session()
            sight = self._sight()
            watch = rest_after(
                watch,
                sight,
                _outcome(summary, error, spent=spent),
                pacing=_PACING,
                dice=self._desk.system.token(8),
            )
            tell(
                Round(
                    summary=summary,
                    error=error,
                    rest_seconds=watch.wake_at - sight.seconds,
                    waiting=sight.waiting,
                    spent=spent,
                )
            )

    def _session(self) -> tuple[bool, Summary | None, OperatorError | None]:
        if self._is_spent():
            return True, None, None
        try:
            summary = self._run()
        except OperatorError as error:
            if not error.retryable:
                raise
            return False, None, error
        return False, summary, summary.error

    def _sight(self) -> Sight:
        system = self._desk.system
        here = local_time(system.now())
        midnight = here.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return Sight(
            seconds=system.monotonic(),
            road=system.road(self._host),
            waiting=outbox_of(self._desk).waiting(),
            to_midnight=(midnight - here).total_seconds(),
        )


def _outcome(summary: Summary | None, error: OperatorError | None, *, spent: bool) -> Outcome:
    if spent:
        return Outcome(limited=True)
    if isinstance(error, SyncBusy):
        return Outcome(busy=True)
    if error is not None:
        asked = error.retry_after_seconds if isinstance(error, ServerUnavailable) else None
        return Outcome(failed=True, hopeless=not error.retryable, retry_after=asked)
    if summary is None:
        return Outcome(failed=True)
    return Outcome(limited=summary.limited, moved=bool(summary.sent or summary.feed))
