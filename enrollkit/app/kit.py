"""``Kit``: what screens and commands hold in their hands, and the one composition root.

A kit is locked or unlocked. Unlocked, it has a :class:`~enrollkit.app.desk.Desk`, and each
property below gives the use cases of one subject. Every method may be called from any thread, and
blocks until what it promises is on disk.

The use cases are imported when they are first asked for: the lock screen must stand before the
store, the cryptography and the HTTP client are read from an old disk.
"""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from enrollkit.app.home import Home
from enrollkit.app.system import System
from enrollkit.domain.consent import ConsentWording
from enrollkit.errors import VaultLocked

if TYPE_CHECKING:
    from enrollkit.app.cards import Cards
    from enrollkit.app.checking import Checking
    from enrollkit.app.corrections import Corrections
    from enrollkit.app.delivery import Delivery
    from enrollkit.app.desk import Desk
    from enrollkit.app.drafts import Drafts
    from enrollkit.app.enrolling import Enrolling
    from enrollkit.app.finishing import Finishing
    from enrollkit.app.links import Links
    from enrollkit.app.people import People
    from enrollkit.app.results import Finding, Initialised, Operator, Printed, Standing
    from enrollkit.app.sticks import Sticks
    from enrollkit.app.trust import Trust
    from enrollkit.reference.places import Places
    from enrollkit.reports.statement import Statement
    from enrollkit.vault.kdf import KdfParameters
    from sync.programme import Programme

__all__ = ["Kit"]


class Kit:
    """The laptop's kit in one data folder."""

    def __init__(self, home: Home, system: System) -> None:
        self._home = home
        self._system = system
        self._desk: Desk | None = None
        self._gate = threading.Lock()

    @classmethod
    def at(cls, folder: Path, *, system: System | None = None) -> Kit:
        """Give the kit of a data folder, locked."""
        return cls(Home(folder), system or System())

    def __repr__(self) -> str:
        return f"Kit({'locked' if self.is_locked else 'unlocked'})"

    @property
    def is_initialised(self) -> bool:
        """Whether this laptop was set up."""
        return self._home.is_initialised

    @property
    def is_locked(self) -> bool:
        """Whether the keys are gone from memory."""
        return self._desk is None

    @property
    def operator(self) -> Operator | None:
        """Who unlocked the kit."""
        return self._desk.operator if self._desk else None

    def demand_fresh(self, programme_file: bytes) -> None:
        """Raise why this laptop cannot be set up with that file, before anything is asked."""
        from enrollkit.app.setup import demand_fresh

        demand_fresh(self._home, programme_file)

    def initialise(
        self,
        programme_file: bytes,
        *,
        operator: str,
        passphrase: str,
        kdf: KdfParameters | None = None,
    ) -> Initialised:
        """Set up this laptop for a programme and unlock it. ``kdf``: measured when not given."""
        from enrollkit.app.setup import initialise

        made = initialise(
            self._home,
            self._system,
            programme_file,
            operator_name=operator,
            passphrase=passphrase,
            kdf=kdf,
        )
        self.unlock(passphrase)
        return made

    def unlock(self, passphrase: str) -> Operator:
        """Open database and keys; the passphrase says who it is."""
        from enrollkit.app.setup import open_desk

        with self._gate:
            if self._desk is not None:
                self._desk.close()
                self._desk = None
            self._desk = open_desk(self._home, self._system, passphrase)
            return self._desk.operator

    def lock(self) -> None:
        """Close the database and drop the keys; again does nothing."""
        with self._gate:
            desk, self._desk = self._desk, None
        if desk is not None:
            desk.close()

    def close(self) -> None:
        """End with this kit; the same as locking it."""
        self.lock()

    @property
    def programme(self) -> Programme:
        """The newest programme that this laptop knows."""
        return self._open().programme

    @property
    def places(self) -> Places:
        """States and districts with their LGD codes."""
        return self._open().places

    def wordings(self) -> list[ConsentWording]:
        """Give the consent texts that may be read out, official ones first."""
        texts = [
            ConsentWording(
                code=wording.code,
                version=wording.version,
                language=wording.language,
                text=wording.text,
                official=wording.official,
            )
            for wording in self._open().programme.consents
        ]
        return sorted(texts, key=lambda text: (not text.official, text.language, text.version))

    @property
    def drafts(self) -> Drafts:
        """Half-finished enrollments."""
        from enrollkit.app.drafts import Drafts

        return Drafts(self._open())

    @property
    def enrolling(self) -> Enrolling:
        """Checking and saving people."""
        from enrollkit.app.enrolling import Enrolling

        return Enrolling(self._open())

    @property
    def people(self) -> People:
        """Finding people and reading their page."""
        from enrollkit.app.people import People

        return People(self._open())

    @property
    def links(self) -> Links:
        """Health records linked to people."""
        from enrollkit.app.links import Links

        return Links(self._open())

    @property
    def corrections(self) -> Corrections:
        """Putting right what was saved, and taking consent back."""
        from enrollkit.app.corrections import Corrections

        return Corrections(self._open())

    @property
    def cards(self) -> Cards:
        """Cards to print."""
        from enrollkit.app.cards import Cards

        return Cards(self._open())

    @property
    def checking(self) -> Checking:
        """Codes to verify."""
        from enrollkit.app.checking import Checking

        return Checking(self._open())

    @property
    def trust(self) -> Trust:
        """Certificates that Aadhaar documents are checked with."""
        from enrollkit.app.trust import Trust

        return Trust(self._open())

    @property
    def delivery(self) -> Delivery:
        """Sessions with the server."""
        from enrollkit.app.delivery import Delivery

        return Delivery(self._open())

    @property
    def finishing(self) -> Finishing:
        """From a one-time code to an ABHA number, while the person is present."""
        from enrollkit.app.finishing import Finishing

        return Finishing(self._open())

    @property
    def sticks(self) -> Sticks:
        """Going out by stick, coming home by stick, carrying for others."""
        from enrollkit.app.sticks import Sticks

        return Sticks(self._open())

    def statement(self, day: date | None = None) -> Statement:
        """Say where everybody is, or everybody of one day (in India), to the last one."""
        from enrollkit.app.statement import take_statement

        return take_statement(self._open(), day)

    def print_statement(self, path: Path, day: date | None = None) -> Printed:
        """Write the statement as one A4 page with a signed code."""
        from enrollkit.app.statement import print_statement

        return print_statement(self._open(), path, day)

    def standing(self) -> Standing:
        """Count the people, as it is now."""
        from enrollkit.app.standing import take_stock

        return take_stock(self._open())

    def doctor(self) -> list[Finding]:
        """Look over the laptop."""
        from enrollkit.app.doctor import examine

        return examine(self._open())

    def report_crash(self, error: BaseException) -> Path:
        """Write a crash file without values and give its path; works locked too."""
        from enrollkit.app.crash import write_crash_report

        return write_crash_report(self._home, error)

    def _open(self) -> Desk:
        desk = self._desk
        if desk is None:
            raise VaultLocked
        return desk
