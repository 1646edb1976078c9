"""A kit in a temp folder, with a cheap key derivation and a clock that tests can move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from enrollkit.app.kit import Kit
from enrollkit.app.system import System
from enrollkit.vault.kdf import KdfParameters
from sync.programme import sign_programme
from sync.sealing import SigningKey
from sync_samples import programme

CHEAP: Final = KdfParameters(memory_kib=64, iterations=1, lanes=1)
PASSPHRASE: Final = "river mango lamp drum"
NOW: Final = 1_795_300_000
"""22 November 2026, afternoon in India."""
AADHAAR: Final = "999910101010"


class StoppedSystem(System):
    """The real machine, with clocks that stand where the test puts them.

    Setting ``time`` is what an operator does to a wrong clock; ``up`` are the seconds since the
    machine was started, and ``run`` names that start.
    """

    def __init__(self, now: int = NOW) -> None:
        self.time = now
        self.up = 600.0
        self.run = b"run no 1"

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return self.up

    def boot(self) -> bytes:
        return self.run

    def sleep(self, seconds: float) -> None:
        self.up += seconds
        self.time += round(seconds)


@contextmanager
def unlocked(folder: Path, *, server: SigningKey | None = None, **changes: Any) -> Iterator[Kit]:
    """Set up a laptop for a programme of its own (or of ``server``) and give its kit, unlocked."""
    key = server or SigningKey.generate()
    kit = Kit.at(folder, system=StoppedSystem())
    try:
        kit.initialise(
            sign_programme(programme(key, **changes), key),
            operator="Sunita K.",
            passphrase=PASSPHRASE,
            kdf=CHEAP,
        )
        yield kit
    finally:
        kit.close()


def intake_row(**changes: Any) -> dict[str, Any]:
    """Give a correct intake row of an invented woman."""
    return {
        "name": "Asha Devi",
        "name_native": "आशा देवी",
        "gender": "F",
        "birth": {"year": 1987, "month": 3, "day": 14},
        "mobile": "9000000001",
        "mobile_owner": "self",
        "address": {
            "line": "Ward 4",
            "village": "Nagla",
            "pincode": "282001",
            "state": 9,
            "district": 118,
        },
        "guardian": None,
        "aadhaar": AADHAAR,
        "consent": {
            "version": "1.4",
            "language": "en",
            "method": "signature",
            "given_at": "2026-11-20T10:00:00+05:30",
            "witness": None,
        },
        "abha_address_choice": None,
        "language": "hi",
        "household": "HH-1",
        "camp": "CAMP-09-118-1120",
        **changes,
    }
