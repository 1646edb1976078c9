"""Looking over a laptop before a camp: what is fine, what needs care, what is bad."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import enrollkit
import schemas
import sync
from enrollkit.app.desk import Desk
from enrollkit.app.results import Finding, Level
from enrollkit.app.standing import take_stock
from enrollkit.app.system import local_time
from enrollkit.errors import OperatorError
from enrollkit.locale import _, ngettext
from enrollkit.store.audit import verify_audit
from enrollkit.store.database import Tx
from enrollkit.store.meta import Fact, find_number, find_text
from enrollkit.vault.keyring import Keyring
from sync.protocol import DeviceState

__all__ = ["examine"]

_DISK_BYTES_MIN: Final = 200_000_000
_CLOCK_SECONDS_MAX: Final = 10 * 60


def examine(desk: Desk) -> list[Finding]:
    """Look at everything; a finding never repeats a person's value."""
    return [
        *_packages(),
        *_consent(desk),
        *_programme(desk),
        *_clock(desk),
        *_keyring(desk),
        *_database(desk),
        *_disk(desk),
        *_queue(desk),
    ]


def _packages() -> Iterator[Finding]:
    """``sync`` and ``schemas`` are common names: another package of that name would hide ours."""
    root = Path(enrollkit.__file__ or "").parent.parent
    strangers = [
        module.__name__
        for module in (sync, schemas)
        if Path(module.__file__ or "").parent.parent != root
    ]
    if strangers:
        yield _bad(
            "packages",
            _(
                "Another program hides a part of the kit: {names}. "
                "Install the kit in a folder of its own."
            ).format(names=", ".join(strangers)),
        )
    else:
        yield _ok("packages", _("The program's three parts are its own."))


def _consent(desk: Desk) -> Iterator[Finding]:
    ours = sorted({w.language for w in desk.programme.consents if not w.official})
    official = sorted({w.language for w in desk.programme.consents if w.official})
    if ours:
        yield _warn(
            "consent-wording",
            _(
                "The consent wording in {languages} is the kit's own, not NHA's. "
                "The office should install the official one."
            ).format(languages=", ".join(ours)),
        )
    if official:
        yield _ok(
            "consent-wording",
            _("Official consent wording: {languages}.").format(languages=", ".join(official)),
        )


def _programme(desk: Desk) -> Iterator[Finding]:
    programme = desk.programme
    yield _ok(
        "programme",
        _("Works for {name}; fingerprint {text}.").format(
            name=programme.name, text=programme.fingerprint
        ),
    )
    address = urlsplit(programme.url)
    if address.scheme != "https":
        yield _warn(
            "server-address",
            _("The server's address is not https. It is good for practice on one machine only."),
        )
    state = desk.database.read(lambda tx: find_text(tx, Fact.DEVICE_STATE))
    if state == DeviceState.REVOKED.value:
        yield _bad("approval", _("The office has shut this laptop out. Call the office."))
    elif state == DeviceState.APPROVED.value:
        yield _ok("approval", _("The office has approved this laptop."))
    else:
        yield _warn(
            "approval", _("The office has not approved this laptop yet, as far as it knows.")
        )


def _clock(desk: Desk) -> Iterator[Finding]:
    now = desk.system.now()
    offset = desk.database.read(lambda tx: find_number(tx, Fact.SERVER_OFFSET))
    if now < desk.programme.issued:
        yield _warn(
            "clock",
            _(
                "The clock of this laptop is behind: it shows {when}. "
                "Records keep their order; please set it."
            ).format(when=f"{local_time(now):%d %b %Y}"),
        )
    elif offset is not None and abs(offset) > _CLOCK_SECONDS_MAX:
        yield _warn(
            "clock",
            _(
                "At the last contact the clock was {minutes} minutes off. "
                "Records keep their order; please set it."
            ).format(minutes=abs(offset) // 60),
        )
    else:
        yield _ok(
            "clock", _("The clock shows {when}.").format(when=f"{local_time(now):%d %b %Y, %H:%M}")
        )


def _keyring(desk: Desk) -> Iterator[Finding]:
    try:
        slots = Keyring.open(desk.home.keyring).slots()
    except OperatorError as error:
        yield _bad("keyring", error.text)
        return
    yield _ok(
        "keyring",
        ngettext(
            "Key file: {count} operator, and the office's recovery.",
            "Key file: {count} operators, and the office's recovery.",
            len(slots),
        ).format(count=len(slots)),
    )


def _database(desk: Desk) -> Iterator[Finding]:
    def work(tx: Tx) -> tuple[str, int | None]:
        return str(tx.execute("PRAGMA quick_check(1)").fetchone()[0]), verify_audit(tx)

    health, broken = desk.database.read(work)
    if health == "ok":
        yield _ok("database", _("The data file is sound."))
    else:
        yield _bad(
            "database",
            _("The data file is damaged. Copy the whole data folder away and call the office."),
        )
    if broken is None:
        yield _ok("audit", _("The record of who did what is unbroken."))
    else:
        yield _bad(
            "audit",
            _("The record of who did what is broken at entry {entry}. Call the office.").format(
                entry=broken
            ),
        )


def _disk(desk: Desk) -> Iterator[Finding]:
    free = shutil.disk_usage(desk.home.folder).free
    megabytes = free // 1_000_000
    if free < _DISK_BYTES_MIN:
        yield _bad(
            "disk",
            _("Only {size} MB are free on the disk. Make room before the camp.").format(
                size=megabytes
            ),
        )
    else:
        yield _ok("disk", _("{size} MB are free on the disk.").format(size=megabytes))


def _queue(desk: Desk) -> Iterator[Finding]:
    standing = take_stock(desk)
    if standing.waiting:
        yield _ok(
            "queue",
            _("{count} people wait to be sent; they are safe here.").format(count=standing.waiting),
        )
    if standing.returned:
        yield _warn(
            "returned", _("{count} people need a correction.").format(count=standing.returned)
        )


def _ok(code: str, text: str) -> Finding:
    return Finding(code=code, level=Level.OK, text=text)


def _warn(code: str, text: str) -> Finding:
    return Finding(code=code, level=Level.WARN, text=text)


def _bad(code: str, text: str) -> Finding:
    return Finding(code=code, level=Level.BAD, text=text)
