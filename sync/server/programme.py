"""The programme as this server issues it: each change makes a new serial, signed and announced."""

from __future__ import annotations

from dataclasses import asdict
from importlib.resources import files
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select

import schemas
from sync.errors import EnvelopeInvalid
from sync.programme import (
    Programme,
    ProgrammeAnchor,
    ProgrammeDevice,
    Wording,
    open_programme,
    sign_programme,
)
from sync.protocol import LIMITS, DeviceState
from sync.sealing import VerifyKey
from sync.server import feed
from sync.server.errors import ServerNotInitialised, WordingInvalid
from sync.server.keys import ServerKeys
from sync.server.store import insert_once
from sync.server.store.tables import anchors, consents, devices, meta, programmes

__all__ = [
    "CONSENT_CODE",
    "install_own_wordings",
    "keep_practice",
    "newest_programme",
    "publish",
    "publish_practice",
    "read_meta",
    "set_wording",
]

CONSENT_CODE: Final = "abha-enrollment"
"""ABDM's name of this consent."""

_OWN_VERSION: Final = "1.4"
_OWN_LANGUAGES: Final = ("en", "hi")
_PRACTICE: Final = "practice"


def publish(connection: Connection, keys: ServerKeys, *, now: int) -> Programme:
    """Issue a new programme of what the tables say now and tell the approved devices."""
    newest = connection.execute(select(func.max(programmes.c.serial))).scalar_one() or 0
    known = read_meta(connection)
    programme = Programme(
        name=known["name"],
        url=known["url"],
        serial=_next_serial(newest, now),
        issued=now,
        signing=keys.signing.public,
        ingest=keys.ingest.public,
        vault=keys.vault,
        recovery=keys.recovery.public,
        consents=_wordings(connection),
        devices=_devices(connection),
        practice=_is_practice(connection),
        anchors=_anchors(connection),
    )
    signed = sign_programme(programme, keys.signing)
    if len(signed) > LIMITS.programme_bytes_max:
        raise EnvelopeInvalid("programme too large")
    connection.execute(
        insert(programmes).values(serial=programme.serial, issued=now, signed=signed)
    )
    feed.announce_programme(connection, at=now)
    return programme


def _next_serial(newest: int, now: int) -> int:
    """Give 1 to the first programme, and to a later one the time, unless that was given already.

    A database that was restored has forgotten serials which laptops remember: were it to count on
    from its newest, they would pass over what it issues, and never hear of a laptop shut out.
    """
    return max(newest + 1, now) if newest else 1


def newest_programme(connection: Connection) -> tuple[int, bytes]:
    """Give the newest serial and its signed file; ``ServerNotInitialised`` without one."""
    newest = select(programmes).order_by(programmes.c.serial.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    if row is None:
        raise ServerNotInitialised("no programme")
    return row.serial, row.signed


def read_meta(connection: Connection) -> dict[str, str]:
    """Give ``name``, ``url``, ``epoch`` and ``practice`` if it is one; empty before ``init``."""
    return {row.name: row.value for row in connection.execute(select(meta))}


def keep_practice(connection: Connection, *, practice: bool) -> None:
    """Remember whether the ABHA numbers are a sandbox's; the next programme tells the laptops."""
    if practice != _is_practice(connection):
        connection.execute(delete(meta).where(meta.c.name == _PRACTICE))
        if practice:
            connection.execute(insert(meta).values(name=_PRACTICE, value="yes"))


def publish_practice(connection: Connection, keys: ServerKeys, *, now: int) -> Programme | None:
    """Issue a new programme if the newest is wrong about practice; ``None`` if it is right."""
    _, signed = newest_programme(connection)
    said = open_programme(signed, keys.signing.public).practice
    return publish(connection, keys, now=now) if said != _is_practice(connection) else None


def _is_practice(connection: Connection) -> bool:
    return _PRACTICE in read_meta(connection)


def install_own_wordings(connection: Connection, *, now: int) -> None:
    """Install our own words of the consent, marked as not NHA's; what is there stays."""
    for language in _OWN_LANGUAGES:
        name = f"consent-{_OWN_VERSION}-{language}.txt"
        text = (files("sync.server") / "data" / name).read_text(encoding="utf-8").strip()
        wording = Wording(
            code=CONSENT_CODE, version=_OWN_VERSION, language=language, text=text, official=False
        )
        insert_once(connection, consents, _row(wording, now))


def set_wording(connection: Connection, wording: Wording, *, now: int) -> None:
    """Put a wording in the place of what was there; ``WordingInvalid`` names the fault."""
    shape = schemas.load("programme-1")["properties"]["consents"]["items"]
    found = schemas.Validator({**shape, "$defs": schemas.load("programme-1")["$defs"]}).faults(
        asdict(wording)
    )
    if found or not wording.text.strip() or not wording.version.strip():
        raise WordingInvalid(found[0].pointer.strip("/") if found else "empty")
    connection.execute(
        delete(consents).where(
            consents.c.code == wording.code,
            consents.c.version == wording.version,
            consents.c.language == wording.language,
        )
    )
    connection.execute(insert(consents).values(_row(wording, now)))


def _row(wording: Wording, now: int) -> dict[str, str | bool | int]:
    return {**asdict(wording), "installed_at": now}


def _wordings(connection: Connection) -> tuple[Wording, ...]:
    order = (consents.c.code, consents.c.version, consents.c.language)
    return tuple(
        Wording(
            code=row.code,
            version=row.version,
            language=row.language,
            text=row.text,
            official=bool(row.official),
        )
        for row in connection.execute(select(consents).order_by(*order))
    )


def _devices(connection: Connection) -> tuple[ProgrammeDevice, ...]:
    decided = devices.c.state != DeviceState.PENDING.value
    return tuple(
        ProgrammeDevice(key=VerifyKey(row.public_key), state=DeviceState(row.state))
        for row in connection.execute(select(devices).where(decided).order_by(devices.c.device))
    )


def _anchors(connection: Connection) -> tuple[ProgrammeAnchor, ...]:
    return tuple(
        ProgrammeAnchor(certificate=row.certificate, source=row.source)
        for row in connection.execute(select(anchors).order_by(anchors.c.fingerprint))
    )
