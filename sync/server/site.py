"""A server's home as a whole: how it is made once, and how it is opened ever after."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy import insert
from sqlalchemy.engine import make_url

from sync.address import read_address
from sync.errors import AddressUnsafe
from sync.programme import Programme
from sync.server.errors import (
    FileUnusable,
    ServerInitialised,
    ServerNotInitialised,
    SettingsInvalid,
)
from sync.server.keys import KdfCost, create_keys, keys_exist, open_keys
from sync.server.occupancy import at_work_in
from sync.server.programme import install_own_wordings, keep_practice, publish, read_meta
from sync.server.settings import Settings, write_settings
from sync.server.store import Store
from sync.server.store.tables import meta

__all__ = ["initialise", "open_store"]

_NAME_LETTERS_MAX: Final = 80
_URL_LETTERS_MAX: Final = 300
_EPOCH_BYTES: Final = 8


def initialise(
    settings: Settings, *, name: str, url: str, now: int, cost: KdfCost | None = None
) -> Programme:
    """Make keys, database and the first programme; ``ServerInitialised`` if there is one.

    Cut short by a power failure, it may be run again: keys that are there are used, and what makes
    a programme is one transaction. Nothing that exists is ever written over. Cut between its two
    key files it says ``KeysDamaged`` from then on, for it cannot know that nobody used the first;
    such a home holds nothing yet, and another folder will do.
    """
    name = _checked_name(name)
    _check_url(url)
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise FileUnusable("home") from error
    store = Store(settings.db)
    try:
        store.migrate()
        with store.read() as connection:
            if read_meta(connection):
                raise ServerInitialised
        has_keys = keys_exist(settings.home)
        keys = (
            open_keys(settings.home, settings.passphrase)
            if has_keys
            else create_keys(settings.home, settings.passphrase, cost)
        )
        write_settings(settings.home)
        with store.write() as connection:
            if read_meta(connection):
                raise ServerInitialised
            for key, value in {
                "name": name,
                "url": url,
                "epoch": secrets.token_hex(_EPOCH_BYTES),
            }.items():
                connection.execute(insert(meta).values(name=key, value=value))
            install_own_wordings(connection, now=now)
            keep_practice(connection, practice=_practice_of(settings) or False)
            return publish(connection, keys, now=now)
    finally:
        store.close()


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """Open the database of a home that has its programme; ``ServerNotInitialised`` otherwise.

    ``HomeOccupied`` while the database is being replaced; nobody replaces it before this ends.
    """
    if not keys_exist(settings.home) or _is_missing_file(settings.db):
        raise ServerNotInitialised
    with at_work_in(settings.home):
        store = Store(settings.db)
        try:
            store.migrate()
            with store.read() as connection:
                known = read_meta(connection)
            if not known:
                raise ServerNotInitialised
            _note_practice(store, settings, known)
            yield store
        finally:
            store.close()


def _note_practice(store: Store, settings: Settings, known: Mapping[str, str]) -> None:
    """Keep what the settings say of practice, when they say something else than before."""
    practice = _practice_of(settings)
    if practice is not None and practice != ("practice" in known):
        with store.write() as connection:
            keep_practice(connection, practice=practice)


def _practice_of(settings: Settings) -> bool | None:
    """Whether the numbers are not real; ``None`` where no ABDM is named.

    A process that has nothing to do with ABDM does not decide it for the one that has, and people
    enrolled before ABDM is set up are real people.
    """
    return settings.abdm.is_practice if settings.abdm.gateway_url else None


def _is_missing_file(db: str) -> bool:
    """Whether the address is an SQLite file that is not there: opening it would make an empty one.

    Only the plain form is looked at; anything else is the driver's to refuse.
    """
    prefix = "sqlite:///"
    if not db.startswith(prefix):
        return False
    path = make_url(db).database
    return path is not None and path != ":memory:" and not _exists(path)


def _exists(path: str) -> bool:
    try:
        with open(path, "rb"):  # noqa: PTH123 - the database's path, as the driver reads it
            return True
    except OSError:
        return False


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= _NAME_LETTERS_MAX or not name.isprintable():
        raise SettingsInvalid("--name")
    return name


def _check_url(url: str) -> None:
    """Refuse what a laptop would refuse: plain http to another machine, a query, a password."""
    if len(url) > _URL_LETTERS_MAX:
        raise SettingsInvalid("--url")
    try:
        read_address(url)
    except AddressUnsafe as error:
        raise SettingsInvalid(f"--url ({error.detail})") from error
