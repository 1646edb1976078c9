"""Setting up and opening a laptop: whole or not at all, and never over people."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest

from enrollkit.app.kit import Kit
from enrollkit.app.results import Level
from enrollkit.errors import (
    OperatorError,
    ProgrammeForeign,
    ProgrammeInvalid,
    SealBroken,
    WrongPassphrase,
)
from kit_samples import CHEAP, NOW, PASSPHRASE, StoppedSystem, intake_row, unlocked
from sync.programme import sign_programme
from sync.sealing import SigningKey
from sync_samples import programme


def signed_programme() -> bytes:
    key = SigningKey.generate()
    return sign_programme(programme(key), key)


def test_a_second_set_up_changes_nothing(tmp_path: Path) -> None:
    with unlocked(tmp_path) as kit:
        kit.enrolling.submit_row(intake_row())
        with pytest.raises(ProgrammeForeign):
            kit.initialise(signed_programme(), operator="X", passphrase="other", kdf=CHEAP)
        assert kit.standing().total == 1


def test_a_damaged_programme_file_makes_nothing(tmp_path: Path) -> None:
    kit = Kit.at(tmp_path / "new")
    with pytest.raises(ProgrammeInvalid):
        kit.initialise(signed_programme()[:-1], operator="X", passphrase=PASSPHRASE, kdf=CHEAP)
    assert not (tmp_path / "new").exists()


def test_a_set_up_that_was_cut_off_can_be_done_again(tmp_path: Path) -> None:
    (tmp_path / "keyring.json").write_text("{}")
    with unlocked(tmp_path) as kit:
        assert kit.is_initialised


def test_a_database_without_its_key_file_is_never_replaced(tmp_path: Path) -> None:
    with unlocked(tmp_path):
        pass
    (tmp_path / "keyring.json").unlink()
    kit = Kit.at(tmp_path)
    with pytest.raises(SealBroken):
        kit.initialise(signed_programme(), operator="X", passphrase=PASSPHRASE, kdf=CHEAP)


def test_two_set_ups_at_once_make_one_laptop_that_opens(tmp_path: Path) -> None:
    home, file = tmp_path / "laptop", signed_programme()
    passphrases = ("river mango lamp", "drum violet stone")
    done: dict[str, str] = {}
    start = threading.Barrier(len(passphrases))

    def set_up(passphrase: str) -> None:
        with contextlib.closing(Kit.at(home, system=StoppedSystem())) as kit:
            start.wait()
            try:
                kit.initialise(file, operator="X", passphrase=passphrase, kdf=CHEAP)
                done[passphrase] = "made"
            except OperatorError as error:
                done[passphrase] = error.code

    threads = [threading.Thread(target=set_up, args=(one,)) for one in passphrases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (maker,) = [one for one in passphrases if done[one] == "made"]
    assert set(done.values()) <= {"made", "store-busy", "already-initialised"}
    with contextlib.closing(Kit.at(home, system=StoppedSystem())) as kit:
        kit.unlock(maker)
        assert not kit.is_locked


def test_a_wrong_passphrase_opens_nothing(tmp_path: Path) -> None:
    with unlocked(tmp_path) as kit:
        kit.lock()
        with pytest.raises(WrongPassphrase):
            kit.unlock(PASSPHRASE + "!")
        assert kit.is_locked


def test_the_clock_has_a_floor_under_it(tmp_path: Path) -> None:
    """A laptop that says 2019 does not refuse a child born last month."""
    with unlocked(tmp_path, issued=NOW) as kit:
        kit._system = StoppedSystem(1_550_000_000)
        kit.lock()
        kit.unlock(PASSPHRASE)
        child = intake_row(
            name="Anvi",
            birth={"year": 2026, "month": 10},
            guardian={"name": "Asha Devi", "relation": "mother"},
            aadhaar=None,
        )
        assert kit.enrolling.submit_row(child).ok
        (clock,) = [finding for finding in kit.doctor() if finding.code == "clock"]
        assert clock.level is Level.WARN


def test_the_doctor_warns_of_wording_that_is_not_official(tmp_path: Path) -> None:
    with unlocked(tmp_path) as kit:
        levels = {finding.code: finding.level for finding in kit.doctor()}
        assert levels["consent-wording"] is Level.WARN
        assert levels["database"] is levels["audit"] is levels["packages"] is Level.OK
        assert Level.BAD not in levels.values()
