"""Setting up a laptop, and opening it again: keyring, database, device keys, programme."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from enrollkit.app.desk import Desk, DeviceKeys
from enrollkit.app.home import Home
from enrollkit.app.results import Initialised, Operator
from enrollkit.app.system import System
from enrollkit.domain.identifiers import approval_code
from enrollkit.errors import (
    AlreadyInitialised,
    NotInitialised,
    OperatorError,
    ProgrammeForeign,
    ProgrammeInvalid,
    SealBroken,
    StoreBusy,
    StoreDamaged,
)
from enrollkit.reference.places import Places
from enrollkit.store.audit import append_audit
from enrollkit.store.database import Database, Tx
from enrollkit.store.lives import begin_life
from enrollkit.store.lock import SyncLock
from enrollkit.store.meta import Fact, find_fact, find_text, keep_fact
from enrollkit.store.operators import Role, add_operator, operator
from enrollkit.store.programmes import keep_programme, newest_programme
from enrollkit.vault.capture_seal import CaptureSession
from enrollkit.vault.kdf import KdfParameters, calibrate
from enrollkit.vault.keyring import Keyring
from sync.errors import SyncBusy, SyncError
from sync.programme import Programme, open_programme
from sync.sealing import OpeningKey, SigningKey

__all__ = ["demand_fresh", "initialise", "open_desk"]


def initialise(
    home: Home,
    system: System,
    programme_file: bytes,
    *,
    operator_name: str,
    passphrase: str,
    kdf: KdfParameters | None,
) -> Initialised:
    """Make keyring, database, device keys and first operator; nothing half-made is ever used.

    The database is made last: without both files the laptop counts as not set up, and a keyring
    left alone by a power cut is put aside, for it opens nothing.
    """
    programme = demand_fresh(home, programme_file)
    home.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(home):
        demand_fresh(home, programme_file)
        _put_aside_half_made(home)
        _, unlocked = Keyring.create(
            home.keyring,
            passphrase=passphrase,
            recovery=programme.recovery,
            kdf=kdf or calibrate(),
        )
        keys = DeviceKeys(
            signing=SigningKey.generate(),
            opening=OpeningKey.generate(),
            incarnation=system.token(8).hex(),
        )
        with Database.create(home.database, unlocked.key) as database:
            database.write(
                lambda tx: _first_rows(
                    tx,
                    now=system.now(),
                    slot=unlocked.slot,
                    name=operator_name,
                    keys=keys,
                    programme_file=programme_file,
                )
            )
    return Initialised(
        device=keys.id,
        approval_code=approval_code(keys.signing.public.digest()),
        fingerprint=programme.fingerprint,
    )


def demand_fresh(home: Home, programme_file: bytes) -> Programme:
    """Read the programme if this laptop works for none yet.

    Otherwise ``AlreadyInitialised``, or ``ProgrammeForeign`` when it works for another one: the key
    file is sealed to its programme's recovery key, which shows without a passphrase.
    """
    programme = _read_programme(programme_file)
    if not home.is_initialised:
        return programme
    if Keyring.open(home.keyring).recovery_key_id() != programme.recovery.id:
        raise ProgrammeForeign
    raise AlreadyInitialised


def open_desk(home: Home, system: System, passphrase: str) -> Desk:
    """Unlock: passphrase → key → database → device keys, programme and a fresh capture session."""
    if not home.is_initialised:
        raise NotInitialised
    unlocked = Keyring.open(home.keyring).unlock(passphrase)
    database = Database.open(home.database, unlocked.key, clock=system)
    try:
        keys, programme, person = database.read(lambda tx: _read(tx, unlocked.slot))
        database.write(
            lambda tx: append_audit(tx, at=system.now(), operator=person.slot, action="unlock")
        )
    except BaseException:
        database.close()
        raise
    return Desk(
        home=home,
        system=system,
        database=database,
        operator=person,
        keys=keys,
        programme=programme,
        capture=CaptureSession(programme.vault),
        places=Places.load(),
    )


def _read_programme(raw: bytes) -> Programme:
    """Read a first programme file; ``ProgrammeInvalid`` for anything else."""
    try:
        return open_programme(raw, None)
    except SyncError as error:
        raise ProgrammeInvalid(error.detail) from error


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Keep a second set-up out: one's key file would lie beside the other's database."""
    try:
        with SyncLock(home.sync_lock).exclusive():
            yield
    except SyncBusy as error:
        raise StoreBusy("set-up") from error


def _put_aside_half_made(home: Home) -> None:
    """Move away what an interrupted set-up left; never a database with people in it."""
    if home.database.exists():
        raise SealBroken("database without its key file")
    if home.keyring.exists():
        home.keyring.replace(home.keyring.with_suffix(".unfinished"))


def _first_rows(
    tx: Tx, *, now: int, slot: int, name: str, keys: DeviceKeys, programme_file: bytes
) -> None:
    keep_fact(tx, Fact.SIGNING_KEY, keys.signing.to_bytes())
    keep_fact(tx, Fact.OPENING_KEY, keys.opening.to_bytes())
    begin_life(tx, keys.incarnation, at=now)
    keep_programme(tx, programme_file, open_programme(programme_file, None).serial, at=now)
    add_operator(tx, slot, name=name, role=Role.SUPERVISOR, at=now)
    append_audit(tx, at=now, operator=slot, action="init")


def _read(tx: Tx, slot: int) -> tuple[DeviceKeys, Programme, Operator]:
    signing, opening = find_fact(tx, Fact.SIGNING_KEY), find_fact(tx, Fact.OPENING_KEY)
    incarnation, raw = find_text(tx, Fact.INCARNATION), newest_programme(tx)
    if signing is None or opening is None or incarnation is None or raw is None:
        raise StoreDamaged("device keys or programme missing")
    keys = DeviceKeys(
        signing=SigningKey(signing), opening=OpeningKey(opening), incarnation=incarnation
    )
    try:
        person = operator(tx, slot)
    except OperatorError as error:
        raise StoreDamaged("slot without operator") from error
    return keys, open_programme(raw, None), Operator(slot=slot, name=person.name)
