"""The way back from a backup: a new epoch begins, and what was there before is kept aside.

Laptops notice by themselves that the server holds less than it signed for, and offer the rest
again. Nobody has to tell them.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlcipher3

from sync.server.backup import DATABASE_NAME, KEY_NAMES, checked_files, digest_of, newest_backup
from sync.server.errors import BackupDamaged, BackupForeign, DatabaseForeign, FileUnusable
from sync.server.occupancy import alone_in
from sync.server.settings import FILE_NAME, Settings
from sync.server.store import database_file

__all__ = ["Restored", "restore"]

_EPOCH_BYTES: Final = 8
_SIDE_FILES: Final = ("-wal", "-shm", "")
"""In the order in which they are moved aside: a log is never left beside another database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A database that was put back. ``replaced`` is the one that was there, kept aside."""

    epoch: str
    enrollments: int
    replaced: Path | None


def restore(settings: Settings, src: Path, *, now: int) -> Restored:
    """Put a backup in the place of the database; give what is there now.

    ``src`` is one backup, or a folder of backups: then the newest is taken.
    ``HomeOccupied`` while a server runs here, ``BackupDamaged`` or ``BackupForeign`` when the
    backup must not be used, ``DatabaseForeign`` for PostgreSQL. In each case nothing changes.
    """
    target = database_file(settings.db)
    if target is None:
        raise DatabaseForeign
    files = checked_files(newest_backup(src.expanduser().absolute()))
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone_in(settings.home):
            _check_keys(settings.home, files)
            draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
            try:
                epoch, people = _prepare(files[DATABASE_NAME], draft)
                _copy_missing(settings.home, files)
                replaced = _put_aside(target, now)
                draft.replace(target)
                _synchronise_folder(target.parent)
            finally:
                for side in _SIDE_FILES:
                    with suppress(OSError):
                        Path(f"{draft}{side}").unlink()
    except OSError as error:
        raise FileUnusable("restore") from error
    return Restored(epoch=epoch, enrollments=people, replaced=replaced)


def _check_keys(home: Path, files: dict[str, Path]) -> None:
    """Refuse a backup that laptops of this home would not recognise."""
    for name in KEY_NAMES:
        if (
            (home / name).exists()
            and name in files
            and _public(home / name) != _public(files[name])
        ):
            raise BackupForeign(name)
    if not (home / KEY_NAMES[0]).exists() and KEY_NAMES[0] not in files:
        raise BackupDamaged(KEY_NAMES[0])


def _public(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())["public"]
    except (ValueError, KeyError, TypeError) as error:
        raise BackupDamaged(path.name) from error


def _prepare(copy: Path, draft: Path) -> tuple[str, int]:
    """Make the next database beside the present one: checked, and in an epoch of its own."""
    os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    shutil.copyfile(copy, draft)
    if digest_of(draft) != digest_of(copy):
        raise BackupDamaged(copy.name)
    epoch = secrets.token_hex(_EPOCH_BYTES)
    try:
        with closing(sqlcipher3.dbapi2.connect(str(draft))) as connection:
            if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise BackupDamaged(copy.name)
            changed = connection.execute(
                "UPDATE meta SET value = ? WHERE name = 'epoch'", (epoch,)
            ).rowcount
            people = connection.execute("SELECT count(*) FROM enrollments").fetchone()[0]
            connection.commit()
    except sqlcipher3.dbapi2.Error as error:
        raise BackupDamaged(copy.name) from error
    if changed != 1:
        raise BackupDamaged(copy.name)
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    return epoch, int(people)


def _copy_missing(home: Path, files: dict[str, Path]) -> None:
    """Bring keys and settings to a home that has none; what is there stays as it is."""
    for name in (*KEY_NAMES, FILE_NAME):
        if name not in files or (home / name).exists():
            continue
        draft = home / f".{name}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(files[name].read_bytes())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(home / name)


def _put_aside(target: Path, now: int) -> Path | None:
    """Keep the database that is there, with its log, under another name."""
    if not target.exists():
        return None
    with suppress(sqlcipher3.dbapi2.Error), closing(sqlcipher3.dbapi2.connect(str(target))) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    aside = target.with_name(f"{target.name}.replaced-{now}-{secrets.token_hex(2)}")
    for side in _SIDE_FILES:
        found = Path(f"{target}{side}")
        if found.exists():
            found.rename(f"{aside}{side}")
    return aside


def _synchronise_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
