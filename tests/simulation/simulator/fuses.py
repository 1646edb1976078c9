"""Where a run is made to break off: the k-th commit or the k-th word on the road, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from enrollkit.errors import StoreBusy, StoreFull, VaultLocked
from enrollkit.store.database import Database, Tx
from enrollkit.store.faults import mapped

__all__ = ["FragileDatabase", "Fuse", "PowerCut"]

_T = TypeVar("_T")


class PowerCut(BaseException):
    """The machine is off: nothing of the program catches this."""


@dataclass(slots=True)
class Fuse:
    """Blows at the ``left``-th point where it is asked, once; never while ``left`` is 0.

    ``how``: ``before`` or ``after`` a commit, ``full`` (the disk has no room), ``busy`` (another
    program holds the database).
    """

    left: int = 0
    how: str = "before"
    blown: bool = False

    def is_due(self) -> bool:
        """Count one point; say whether it is the one."""
        if self.left == 0 or self.blown:
            return False
        self.left -= 1
        self.blown = self.left == 0
        return self.blown

    def pass_point(self) -> None:
        """Count a point where only the power can fail."""
        if self.how in {"before", "after"} and self.is_due():
            raise PowerCut


class FragileDatabase(Database):
    """The real store, whose commits can be the last thing that happens.

    Its jobs run in the caller's thread: nothing else runs here, and a seed makes a thousand.
    """

    def __init__(self, path: Path, key: bytes, **options: Any) -> None:
        self.fuse = Fuse()
        super().__init__(path, key, **options)

    def write(self, work: Callable[[Tx], _T]) -> _T:
        """Commit as the store does, unless the fuse blows before or after."""
        if not self.fuse.is_due():
            return super().write(work)
        if self.fuse.how == "full":
            raise StoreFull("simulated")
        if self.fuse.how == "busy":
            raise StoreBusy("simulated")
        if self.fuse.how == "after":
            super().write(work)
        raise PowerCut

    def close(self) -> None:
        """Fold the log into the file and close."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
        self._disconnect()
        self._jobs.put(None)
        self._thread.join()

    def _ask(self, job: Callable[[], Any]) -> Any:
        if self._closed:
            raise VaultLocked("the database is closed")
        with mapped():
            return job()

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Give what a question to the database answers: for the oracles."""
        return self.read(lambda tx: tx.execute(sql, values).fetchall())
