"""The unlocked kit: everything a use case may need, alive between unlock and lock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from enrollkit.app.home import Home
from enrollkit.app.results import Operator
from enrollkit.app.system import System, local_time
from enrollkit.reference.places import Places
from enrollkit.store.database import Database
from enrollkit.vault.capture_seal import CaptureSession
from sync.programme import Programme
from sync.sealing import OpeningKey, SigningKey

__all__ = ["Desk", "DeviceKeys"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceKeys:
    """What makes this laptop this laptop; kept inside the encrypted database alone."""

    signing: SigningKey
    opening: OpeningKey
    incarnation: str

    @property
    def id(self) -> str:
        """The device id: 16 hex digits, cut from the public key's digest."""
        return self.signing.public.id


@dataclass(slots=True, kw_only=True)
class Desk:
    """One operator's unlocked kit. ``programme`` is exchanged when a newer one arrives."""

    home: Home
    system: System
    database: Database
    operator: Operator
    keys: DeviceKeys
    programme: Programme
    capture: CaptureSession
    places: Places

    def today(self) -> date:
        """Give today's date in India, never before the day the programme was signed.

        A laptop's clock may say 2019; the office's signature is a floor under it, so that a child
        born last month is not refused as *born in the future*.
        """
        return local_time(max(self.system.now(), self.programme.issued)).date()

    def close(self) -> None:
        """Forget the keys and close the database; nothing readable stays in memory on purpose."""
        self.capture.close()
        self.database.close()
