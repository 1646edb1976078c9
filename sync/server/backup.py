"""Backups of the server: a copy that is checked before anybody relies on it, and the way back.

What lies in a checked backup is *durable*: laptops are told, and may let go of it one day. So the
mark moves only after the copy was written, synchronised, renamed and read back whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlcipher3
from sqlalchemy import select, update

from sync.server.errors import BackupDamaged, DatabaseForeign, FileUnusable
from sync.server.lives import whole_chains
from sync.server.programme import read_meta
from sync.server.settings import FILE_NAME, Settings
from sync.server.site import open_store
from sync.server.store import Store, database_file, open_copy
from sync.server.store.tables import chains, enrollments

__all__ = [
    "DATABASE_NAME",
    "KEY_NAMES",
    "BackedUp",
    "backup",
    "checked_files",
    "digest_of",
    "newest_backup",
]

DATABASE_NAME: Final = "enrollkit-server.db"
KEY_NAMES: Final = ("keys.json", "vault.json")
_LIST_NAME: Final = "backup.json"
_PIECE_BYTES: Final = 1024 * 1024
_LIST_BYTES_MAX: Final = 64 * 1024

_Mark = tuple[str, str, int]
"""Device, life, and up to which batch the copy holds that life without a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """A backup that was checked. ``durable`` counts the batches that laptops may rely on now and
    could not before. ``is_same_disk``: it would be lost together with the database.
    """

    folder: Path
    files: tuple[str, ...]
    bytes: int
    enrollments: int
    durable: int
    is_same_disk: bool


def backup(settings: Settings, dest: Path, *, now: int) -> BackedUp:
    """Copy database and keys into a new folder inside ``dest``, while the server goes on.

    The new folder is called after the time (UTC), so that names sort. ``DatabaseForeign`` for
    PostgreSQL, ``FileUnusable`` when it cannot be written or is there already, ``BackupDamaged``
    when the copy is not what was written. In each case no laptop is told anything.
    """
    source = database_file(settings.db)
    if source is None:
        raise DatabaseForeign
    moment = datetime.fromtimestamp(now, tz=UTC)
    dest = dest.expanduser().absolute() / f"{moment:%Y-%m-%dT%H%M%SZ}"
    with open_store(settings) as store:
        with _draft_of(dest) as draft:
            _copy_database(source, draft / DATABASE_NAME)
            names = [DATABASE_NAME, *_copy_small_files(settings.home, draft)]
            _write_list(draft, names)
        files = checked_files(dest)
        marks, people = _contents(dest / DATABASE_NAME)
        durable = _mark(store, marks)
    return BackedUp(
        folder=dest,
        files=tuple(files),
        bytes=sum(path.stat().st_size for path in files.values()),
        enrollments=people,
        durable=durable,
        is_same_disk=dest.stat().st_dev == source.stat().st_dev,
    )


def newest_backup(folder: Path) -> Path:
    """Give the newest backup in a folder; the folder itself when it is one."""
    if (folder / _LIST_NAME).exists():
        return folder
    found = sorted(path.parent for path in folder.glob(f"*/{_LIST_NAME}"))
    return found[-1] if found else folder


def checked_files(folder: Path) -> dict[str, Path]:
    """Give the files of a backup by name, each read whole; ``BackupDamaged`` names a bad one."""
    try:
        with (folder / _LIST_NAME).open("rb") as file:
            listed = json.loads(file.read(_LIST_BYTES_MAX))["files"]
        known = {str(name): str(digest) for name, digest in listed.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupDamaged(_LIST_NAME) from error
    if DATABASE_NAME not in known or not known.keys() <= {DATABASE_NAME, *KEY_NAMES, FILE_NAME}:
        raise BackupDamaged(_LIST_NAME)
    for name, digest in known.items():
        try:
            found = digest_of(folder / name)
        except OSError as error:
            raise BackupDamaged(name) from error
        if found != digest:
            raise BackupDamaged(name)
    return {name: folder / name for name in known}


def digest_of(path: Path) -> str:
    """Give the SHA-256 of a file as it lies on the disk, past the page cache where one can ask."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while piece := file.read(_PIECE_BYTES):
            whole.update(piece)
    return whole.hexdigest()


@contextmanager
def _draft_of(dest: Path) -> Iterator[Path]:
    """Give a folder to write into, which takes its name when all of it is on the disk."""
    draft = dest.with_name(f".{dest.name}.{secrets.token_hex(4)}")
    try:
        if dest.exists():
            raise FileUnusable("backup folder is there already")
        draft.mkdir(mode=0o700, parents=True)
        yield draft
        _synchronise(draft)
        draft.rename(dest)
        _synchronise(dest.parent)
    except (OSError, sqlcipher3.dbapi2.Error) as error:
        raise FileUnusable("backup") from error
    finally:
        with suppress(OSError):
            shutil.rmtree(draft)


def _copy_database(source: Path, target: Path) -> None:
    """Copy the database as it is at one moment; writers go on beside it."""
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with (
        closing(sqlcipher3.dbapi2.connect(str(source))) as live,
        closing(sqlcipher3.dbapi2.connect(str(target))) as copy,
    ):
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        if copy.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            raise BackupDamaged(target.name)
    _synchronise(target)


def _copy_small_files(home: Path, draft: Path) -> list[str]:
    """Copy keys and settings, for their owner alone. The vault key may be kept elsewhere."""
    copied = []
    for name in (*KEY_NAMES, FILE_NAME):
        if (home / name).exists():
            data = (home / name).read_bytes()
            with os.fdopen(
                os.open(draft / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
            ) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            copied.append(name)
    return copied


def _write_list(draft: Path, names: list[str]) -> None:
    listed = {"files": {name: digest_of(draft / name) for name in names}}
    path = draft / _LIST_NAME
    path.write_text(json.dumps(listed, indent=1), encoding="utf-8")
    path.chmod(0o600)
    _synchronise(path)


def _contents(copy: Path) -> tuple[list[_Mark], int]:
    """Read from the copy itself how far it holds each life, and how many people."""
    with open_copy(copy) as connection:
        if not read_meta(connection):
            raise BackupDamaged(copy.name)
        whole = whole_chains(connection)
        marks = [(chain.device, chain.life, chain.held_upto) for chain in whole]
        people = len(connection.execute(select(enrollments.c.enrollment)).all())
    return marks, people


def _mark(store: Store, marks: list[_Mark]) -> int:
    """Let laptops know from now on; give how many batches became durable."""
    durable = 0
    with store.write() as connection:
        for device, life, upto in marks:
            mine: Any = (chains.c.device == device) & (chains.c.life == life)
            before = connection.execute(
                select(chains.c.durable_upto, chains.c.base_number).where(
                    mine, chains.c.durable_upto < upto, chains.c.held_upto >= upto
                )
            ).one_or_none()
            if before is None:
                continue
            durable += upto - max(before.durable_upto, before.base_number)
            connection.execute(update(chains).where(mine).values(durable_upto=upto))
    return durable


def _synchronise(path: Path) -> None:
    """Have a file or folder written to the disk; some systems know no folders here."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
