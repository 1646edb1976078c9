"""Where SQLite's errors become ours: the one place that knows both."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlcipher3 import dbapi2

from enrollkit.errors import StoreBusy, StoreDamaged, StoreError, StoreFull

__all__ = ["mapped", "store_fault"]

# Primary result codes (sqlite.org/rescode.html); an extended code's low byte is its primary.
_BUSY: Final = {5, 6}
_FULL: Final = 13
_DAMAGED: Final = {11, 26}
_NO_SPACE: Final = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def mapped() -> Iterator[None]:
    """Turn SQLite's and the disk's errors into :class:`StoreError`; others pass as they are."""
    try:
        yield
    except dbapi2.IntegrityError:
        # A broken constraint is a mistake in the program, and its traceback must show where.
        raise
    except (dbapi2.OperationalError, dbapi2.DatabaseError) as error:
        fault = store_fault(error)
        if fault is None:
            raise
        raise fault from error
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "?")
        raise (StoreFull if error.errno in _NO_SPACE else StoreError)(name) from error


def store_fault(error: Any) -> StoreError | None:
    """Give the operator's error for a SQLite error; ``None`` for a mistake in our SQL.

    Only the result code's name is kept: SQLite's message may quote a value.
    """
    code = getattr(error, "sqlite_errorcode", None)
    name = getattr(error, "sqlite_errorname", None) or "no code"
    if code is None:
        return None
    primary = code & 0xFF
    if primary in _BUSY:
        return StoreBusy(name)
    if primary == _FULL:
        return StoreFull(name)
    if primary in _DAMAGED:
        return StoreDamaged(name)
    # 1 ERROR, 19 CONSTRAINT, 20 MISMATCH, 21 MISUSE, 25 RANGE: ours to repair, not the operator's.
    if primary in {1, 19, 20, 21, 25}:
        return None
    return StoreError(name)
