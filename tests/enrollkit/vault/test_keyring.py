from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from enrollkit.errors import (
    AlreadyInitialised,
    OperatorUnknown,
    SealBroken,
    StoreTooNew,
    VaultError,
    WrongPassphrase,
)
from enrollkit.vault.kdf import KdfParameters
from enrollkit.vault.keyring import SLOTS_MAX, Keyring, PassphraseTaken, Unlocked
from sync.sealing import OpeningKey

CHEAP = KdfParameters(memory_kib=8, iterations=1, lanes=1)
PHRASE = "neem tree by the well"
RECOVERY = OpeningKey.generate()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keyring.json"


@pytest.fixture
def made(path: Path) -> tuple[Keyring, Unlocked]:
    return Keyring.create(path, passphrase=PHRASE, recovery=RECOVERY.public, kdf=CHEAP)


def test_the_passphrase_opens_the_key_that_was_made(
    path: Path, made: tuple[Keyring, Unlocked]
) -> None:
    opened = Keyring.open(path).unlock(PHRASE)
    assert (opened.slot, opened.key) == (1, made[1].key)
    assert len(opened.key) == 32


def test_a_wrong_passphrase_opens_nothing(made: tuple[Keyring, Unlocked]) -> None:
    for phrase in (PHRASE + " ", PHRASE.upper(), "x"):
        with pytest.raises(WrongPassphrase):
            made[0].unlock(phrase)


def test_two_spellings_of_one_hindi_passphrase_are_one(path: Path) -> None:
    keyring, first = Keyring.create(
        path, passphrase="\u0929\u0940\u092e", recovery=RECOVERY.public, kdf=CHEAP
    )
    assert keyring.unlock("\u0928\u093c\u0940\u092e").key == first.key


def test_every_operator_opens_the_same_key_by_a_slot_of_their_own(
    made: tuple[Keyring, Unlocked],
) -> None:
    keyring, first = made
    assert keyring.add_slot(first.key, "second phrase", CHEAP) == 2
    second = keyring.unlock("second phrase", first=2)
    assert (second.slot, second.key) == (2, first.key)
    assert keyring.unlock(PHRASE, first=2).slot == 1


def test_a_removed_slot_opens_nothing_and_its_number_is_not_given_again(
    made: tuple[Keyring, Unlocked],
) -> None:
    keyring, first = made
    keyring.add_slot(first.key, "second phrase", CHEAP)
    keyring.remove_slot(2, first.key)
    with pytest.raises(WrongPassphrase):
        keyring.unlock("second phrase")
    assert keyring.add_slot(first.key, "third phrase", CHEAP) == 3
    with pytest.raises(OperatorUnknown):
        keyring.remove_slot(2, first.key)


def test_the_last_slot_stays(made: tuple[Keyring, Unlocked]) -> None:
    with pytest.raises(VaultError):
        made[0].remove_slot(1, made[1].key)
    assert made[0].unlock(PHRASE).slot == 1


def test_at_most_eight_operators_share_a_laptop(made: tuple[Keyring, Unlocked]) -> None:
    keyring, first = made
    for number in range(2, SLOTS_MAX + 1):
        keyring.add_slot(first.key, f"phrase {number}", CHEAP)
    with pytest.raises(VaultError, match="slots"):
        keyring.add_slot(first.key, "one too many", CHEAP)
    assert keyring.slots() == tuple(range(1, 9))


def test_two_operators_cannot_share_a_passphrase(made: tuple[Keyring, Unlocked]) -> None:
    keyring, first = made
    with pytest.raises(PassphraseTaken):
        keyring.add_slot(first.key, PHRASE, CHEAP)
    keyring.add_slot(first.key, "second phrase", CHEAP)
    with pytest.raises(PassphraseTaken):
        keyring.change_passphrase(2, first.key, PHRASE, CHEAP)


def test_a_changed_passphrase_wraps_the_same_key_again(made: tuple[Keyring, Unlocked]) -> None:
    keyring, first = made
    keyring.change_passphrase(1, first.key, "a new phrase", CHEAP)
    assert keyring.unlock("a new phrase").key == first.key
    with pytest.raises(WrongPassphrase):
        keyring.unlock(PHRASE)


def test_the_programme_recovers_the_key_and_nobody_else(made: tuple[Keyring, Unlocked]) -> None:
    keyring, first = made
    assert keyring.open_recovery(RECOVERY) == first.key
    other = OpeningKey.generate()
    with pytest.raises(WrongPassphrase):
        keyring.open_recovery(other)
    keyring.renew_recovery(first.key, other.public)
    assert keyring.open_recovery(other) == first.key


def test_every_flipped_byte_is_an_error_or_opens_the_right_key(
    path: Path, made: tuple[Keyring, Unlocked]
) -> None:
    """Never another key; and whatever still opens is known not to be intact."""
    _, first = made
    good = path.read_bytes()
    opened = 0
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        with pytest.raises(SealBroken):
            Keyring.open(path)
        # One bit, so that what comes out is often still JSON and base64.
        path.write_bytes(good[:place] + bytes([good[place] ^ 1 << place % 7]) + good[place + 1 :])
        try:
            found = Keyring.open(path).unlock(PHRASE)
        except (SealBroken, WrongPassphrase, StoreTooNew):
            continue
        opened += 1
        assert found.key == first.key
        assert not Keyring.open(path).is_intact(found.key) or same_json(path, good)
    assert opened > 0, "a flip in another part leaves this slot usable"


def same_json(path: Path, good: bytes) -> bool:
    return bool(json.loads(path.read_bytes()) == json.loads(good))


def test_every_cut_is_an_error(path: Path, made: tuple[Keyring, Unlocked]) -> None:
    good = path.read_bytes()
    for size in range(0, len(good) - 2, 7):
        path.write_bytes(good[:size])
        with pytest.raises(SealBroken):
            Keyring.open(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory_kib", 2**30),
        ("memory_kib", 7),
        ("memory_kib", -1),
        ("memory_kib", 1e300),
        ("memory_kib", True),
        ("memory_kib", "65536"),
        ("iterations", 10**9),
        ("iterations", 0),
        ("lanes", 2**31),
        ("lanes", 0),
        ("algorithm", "none"),
    ],
)
def test_a_hostile_cost_is_refused_before_anything_is_computed(
    path: Path, made: tuple[Keyring, Unlocked], name: str, value: Any
) -> None:
    contents = json.loads(path.read_bytes())
    contents["slots"][0]["kdf"][name] = value
    path.write_text(json.dumps(contents))
    with pytest.raises(SealBroken):
        Keyring.open(path).unlock(PHRASE)


def test_another_cost_within_bounds_does_not_open_the_slot(
    path: Path, made: tuple[Keyring, Unlocked]
) -> None:
    contents = json.loads(path.read_bytes())
    contents["slots"][0]["slot"] = 2
    contents["next_slot"] = 3
    path.write_text(json.dumps(contents))
    with pytest.raises(WrongPassphrase):
        Keyring.open(path).unlock(PHRASE)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 60_000, b" " * 70_000, b'{"format":1}'],
)
def test_a_foreign_or_huge_file_is_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(SealBroken):
        Keyring.open(path)


def test_a_missing_file_is_refused(path: Path) -> None:
    with pytest.raises(SealBroken):
        Keyring.open(path)


def test_a_newer_file_is_left_to_a_newer_kit(path: Path, made: tuple[Keyring, Unlocked]) -> None:
    contents = json.loads(path.read_bytes())
    contents["version"] = 2
    path.write_text(json.dumps(contents))
    with pytest.raises(StoreTooNew):
        Keyring.open(path)


def test_a_planted_slot_is_noticed(path: Path, made: tuple[Keyring, Unlocked]) -> None:
    keyring, first = made
    assert keyring.is_intact(first.key)
    other_path = path.with_name("other.json")
    Keyring.create(other_path, passphrase="mine", recovery=RECOVERY.public, kdf=CHEAP)
    contents = json.loads(path.read_bytes())
    contents["recovery"] = json.loads(other_path.read_bytes())["recovery"]
    path.write_text(json.dumps(contents))
    assert not keyring.is_intact(first.key)
    with pytest.raises(VaultError):
        keyring.add_slot(first.key, "second phrase", CHEAP)


def test_an_old_file_is_never_overwritten(path: Path, made: tuple[Keyring, Unlocked]) -> None:
    with pytest.raises(AlreadyInitialised):
        Keyring.create(path, passphrase="x", recovery=RECOVERY.public, kdf=CHEAP)
    assert made[0].unlock(PHRASE).key == made[1].key


def test_a_failed_replacement_leaves_the_old_file_and_no_rest(
    path: Path, made: tuple[Keyring, Unlocked], monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring, first = made
    before = path.read_bytes()

    def refuse(_handle: int) -> None:
        raise OSError(5, "input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        with pytest.raises(VaultError):
            keyring.change_passphrase(1, first.key, "a new phrase", CHEAP)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["keyring.json"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
def test_only_the_owner_may_read_it(path: Path, made: tuple[Keyring, Unlocked]) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_prints_a_key(path: Path, made: tuple[Keyring, Unlocked]) -> None:
    keyring, unlocked = made
    contents = keyring._read()
    shown = f"{keyring!r}{unlocked!r}{contents!r}{contents.slots!r}{contents.recovery!r}"
    assert "withheld" in shown
    for secret in (unlocked.key, contents.slots[0].salt, contents.slots[0].wrapped):
        assert repr(secret) not in shown
        assert secret.hex() not in shown
