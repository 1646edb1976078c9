"""Steps of people who stand there with their telephone, done beside the worker's long list.

They have threads of their own: ten thousand people who wait for nobody must not stand before the
one who waits for a code.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final, Generic, TypeVar

from sync.server.errors import DatabaseBusy
from sync.server.logs import Log

__all__ = ["Attendant"]

T = TypeVar("T")

_POLL_SECONDS: Final = 0.3
_REST_SECONDS: Final = 3.0
"""After a fault of the program itself, so that it does not fill the log."""
_WIDTH: Final = 4


class Attendant(Generic[T]):
    """``claim`` takes up to so many steps by lease; ``advance`` does one."""

    def __init__(
        self,
        claim: Callable[[int], Sequence[T]],
        advance: Callable[[T], object],
        *,
        log: Log,
        width: int = _WIDTH,
        rest_seconds: float = _REST_SECONDS,
    ) -> None:
        self._claim = claim
        self._advance = advance
        self._log = log
        self._width = width
        self._rest_seconds = rest_seconds
        self._end = threading.Event()

    def stop(self) -> None:
        """End, once the steps in work are done."""
        self._end.set()

    def run(self) -> None:
        """Do steps as they come, until told to end."""
        with ThreadPoolExecutor(self._width, thread_name_prefix="steps") as pool:
            in_work: set[Future[None]] = set()
            while not self._end.wait(_POLL_SECONDS):
                in_work = {future for future in in_work if not future.done()}
                in_work |= self._begin(pool, self._width - len(in_work))

    def drain(self) -> None:
        """Do what is there now."""
        with ThreadPoolExecutor(self._width, thread_name_prefix="steps") as pool:
            while begun := self._begin(pool, self._width):
                wait(begun)

    def _begin(self, pool: ThreadPoolExecutor, room: int) -> set[Future[None]]:
        try:
            claims = self._claim(room) if room else ()
        except DatabaseBusy:
            self._log.warning("database-busy")
            return set()
        except Exception as error:  # noqa: BLE001 - whoever waits for a code needs this thread
            self._log.crash(error)
            self._end.wait(self._rest_seconds)
            return set()
        return {pool.submit(self._take, claim) for claim in claims}

    def _take(self, claim: T) -> None:
        try:
            self._advance(claim)
        except DatabaseBusy:
            self._log.warning("database-busy")
        except Exception as error:  # noqa: BLE001 - one step's fault must not end all others
            self._log.crash(error)
