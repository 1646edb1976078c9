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
from enrollkit.app.findings import bad, clock_findings, ok, queue_findings, warn
from enrollkit.app.results import Finding
from enrollkit.errors import OperatorError
from enrollkit.locale import _, ngettext
from enrollkit.store.audit import verify_audit
from enrollkit.store.database import Tx
from enrollkit.store.meta import Fact, find_text
from enrollkit.store.search import read_index_anew
from enrollkit.vault.keyring import Keyring
from sync.protocol import DeviceState

__all__ = ["examine"]

_DISK_BYTES_MIN: Final = 200_000_000


def examine(desk: Desk) -> list[Finding]:
    """Look at everything; a finding never repeats a person's value."""
    return [
        *_packages(),
        *_consent(desk),
        *_programme(desk),
        *clock_findings(desk),
        *_keyring(desk),
        *_database(desk),
        *_disk(desk),
        *queue_findings(desk),
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
        yield bad(
            "packages",
            _(
                "Another program hides a part of the kit: {names}. "
                "Install the kit in a folder of its own."
            ).format(names=", ".join(strangers)),
        )
    else:
        yield ok("packages", _("The program's three parts are its own."))


def _consent(desk: Desk) -> Iterator[Finding]:
    ours = sorted({w.language for w in desk.programme.consents if not w.official})
    official = sorted({w.language for w in desk.programme.consents if w.official})
    if ours:
        yield warn(
            "consent-wording",
            _(
                "The consent wording in {languages} is the kit's own, not NHA's. "
                "The office should install the official one."
            ).format(languages=", ".join(ours)),
        )
    if official:
        yield ok(
            "consent-wording",
            _("Official consent wording: {languages}.").format(languages=", ".join(official)),
        )


def _programme(desk: Desk) -> Iterator[Finding]:
    programme = desk.programme
    yield ok(
        "programme",
        _("Works for {name}; fingerprint {text}.").format(
            name=programme.name, text=programme.fingerprint
        ),
    )
    address = urlsplit(programme.url)
    if address.scheme != "https":
        yield warn(
            "server-address",
            _("The server's address is not https. It is good for practice on one machine only."),
        )
    state = desk.database.read(lambda tx: find_text(tx, Fact.DEVICE_STATE))
    if state == DeviceState.REVOKED.value:
        yield bad("approval", _("The office has shut this laptop out. Call the office."))
    elif state == DeviceState.APPROVED.value:
        yield ok("approval", _("The office has approved this laptop."))
    else:
        yield warn(
            "approval", _("The office has not approved this laptop yet, as far as it knows.")
        )


def _keyring(desk: Desk) -> Iterator[Finding]:
    try:
        slots = Keyring.open(desk.home.keyring).slots()
    except OperatorError as error:
        yield bad("keyring", error.text)
        return
    yield ok(
        "keyring",
        ngettext(
            "Key file: {count} operator, and the office's recovery.",
            "Key file: {count} operators, and the office's recovery.",
            len(slots),
        ).format(count=len(slots)),
    )


def _database(desk: Desk) -> Iterator[Finding]:
    def work(tx: Tx) -> tuple[str, int | None]:
        read_index_anew(tx)
        return str(tx.execute("PRAGMA quick_check(1)").fetchone()[0]), verify_audit(tx)

    health, broken = desk.database.read(work)
    if health == "ok":
        yield ok("database", _("The data file is sound."))
    else:
        yield bad(
            "database",
            _("The data file is damaged. Copy the whole data folder away and call the office."),
        )
    if broken is None:
        yield ok("audit", _("The record of who did what is unbroken."))
    else:
        yield bad(
            "audit",
            _("The record of who did what is broken at entry {entry}. Call the office.").format(
                entry=broken
            ),
        )


def _disk(desk: Desk) -> Iterator[Finding]:
    free = shutil.disk_usage(desk.home.folder).free
    megabytes = free // 1_000_000
    if free < _DISK_BYTES_MIN:
        yield bad(
            "disk",
            _("Only {size} MB are free on the disk. Make room before the camp.").format(
                size=megabytes
            ),
        )
    else:
        yield ok("disk", _("{size} MB are free on the disk.").format(size=megabytes))
