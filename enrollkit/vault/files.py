"""Small secret files: read with a bound, replaced whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path
from typing import Final

from enrollkit.errors import SealBroken, StoreFull, VaultError

__all__ = ["read_bounded", "replace_file", "sync_folder"]

_NO_SPACE: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def read_bounded(path: Path, *, bytes_max: int) -> bytes:
    """Read a file of at most ``bytes_max``; ``SealBroken`` if it is away, larger or unreadable."""
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except OSError as error:
        raise SealBroken(f"{path.name}: {errno.errorcode.get(error.errno or 0, '?')}") from error
    if len(data) > bytes_max:
        raise SealBroken(f"{path.name}: larger than {bytes_max} bytes")
    return data


def replace_file(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` (mode 0600): after a power cut there is the old file or the new.

    ``StoreFull`` when the disk is full; the old file stands then.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    try:
        _write_synced(fresh, data)
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        if error.errno in _NO_SPACE:
            raise StoreFull(path.name) from error
        raise VaultError(f"{path.name}: {errno.errorcode.get(error.errno or 0, '?')}") from error


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder last through a power cut. Windows has no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_synced(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "wb") as file:  # noqa: PTH123 - a handle, opened with its mode
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
