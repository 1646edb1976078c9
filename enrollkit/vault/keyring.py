"""The key file: one database key, wrapped once per operator and once for the programme.

    keyring.json
    ├── format "enrollkit-keyring", version 1
    ├── slots[]      slot, kdf, salt, nonce, wrapped: AES-256-GCM over the 32-byte database key
    │                under Argon2id(passphrase, salt); AAD: format, version, slot, kdf, salt
    ├── next_slot    the number of the next slot; none is given twice
    ├── recovery     key_id, sealed: the database key by HPKE to the programme's recovery key
    └── mac          HMAC-SHA256 over all of the above, under a key derived from the database key

LUKS's idea: a passphrase is changed by wrapping again; the data is not touched. A slot has a
number and no name. Whoever may write this file may destroy it, but cannot learn the key from it,
nor make a slot open under parameters or a number that are not its own.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enrollkit.errors import AlreadyInitialised, OperatorUnknown, VaultError, WrongPassphrase
from enrollkit.vault.files import read_bounded, replace_file
from enrollkit.vault.kdf import KEY_BYTES, SALT_BYTES, KdfParameters, derive
from enrollkit.vault.keyring_format import (
    FILE_BYTES_MAX,
    NONCE_BYTES,
    SLOTS_MAX,
    Contents,
    Recovery,
    Slot,
    mac_of,
    read_contents,
    slot_header,
    write_contents,
)
from sync.errors import EnvelopeInvalid
from sync.sealing import OpeningKey, SealKey

__all__ = ["SLOTS_MAX", "Keyring", "PassphraseTaken", "Unlocked"]

_RECOVERY_INFO: Final = b"enrollkit/recovery/v1"


class PassphraseTaken(VaultError):
    """That passphrase cannot be used here. Nothing was changed. Choose another one, longer and
    your own.
    """

    code: ClassVar[str] = "passphrase-taken"
    exit_code: ClassVar[int] = 14


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Unlocked:
    """What a passphrase opened: whose slot, and the database key (32 bytes)."""

    slot: int
    key: bytes

    def __repr__(self) -> str:
        return f"Unlocked(slot={self.slot}, <withheld>)"


class Keyring:
    """The key file at one path. Every change reads it afresh and replaces it whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __repr__(self) -> str:
        return "Keyring(<withheld>)"

    @classmethod
    def create(
        cls, path: Path, *, passphrase: str, recovery: SealKey, kdf: KdfParameters
    ) -> tuple[Keyring, Unlocked]:
        """Make the file with a fresh database key and its first slot; never over an old one."""
        if path.exists():
            raise AlreadyInitialised(path.name)
        key = secrets.token_bytes(KEY_BYTES)
        first = _wrap(key, slot=1, passphrase=passphrase, kdf=kdf)
        sealed = Recovery(key_id=recovery.id, sealed=recovery.seal(key, _RECOVERY_INFO))
        keyring = cls(path)
        keyring._write(Contents(slots=(first,), next_slot=2, recovery=sealed, mac=b""), key)
        return keyring, Unlocked(slot=1, key=key)

    @classmethod
    def open(cls, path: Path) -> Keyring:
        """Read and check the file; ``SealBroken`` when it is damaged, foreign or hostile."""
        keyring = cls(path)
        keyring._read()
        return keyring

    def slots(self) -> tuple[int, ...]:
        """Give the numbers of the slots in use."""
        return tuple(slot.slot for slot in self._read().slots)

    def unlock(self, passphrase: str, *, first: int | None = None) -> Unlocked:
        """Try a passphrase on every slot, ``first`` before the others.

        ``WrongPassphrase`` when it opens none.
        """
        slots = sorted(self._read().slots, key=lambda slot: (slot.slot != first, slot.slot))
        for slot in slots:
            key = _unwrap(slot, passphrase)
            if key is not None:
                return Unlocked(slot=slot.slot, key=key)
        raise WrongPassphrase

    def is_intact(self, key: bytes) -> bool:
        """Whether nobody without the database key has changed or added anything in the file."""
        contents = self._read()
        return hmac.compare_digest(contents.mac, mac_of(contents, key))

    def add_slot(self, key: bytes, passphrase: str, kdf: KdfParameters) -> int:
        """Let one more passphrase open the key; give its slot number.

        ``PassphraseTaken`` when it opens a slot already: two operators would be one in the audit.
        """
        contents = self._read()
        if len(contents.slots) >= SLOTS_MAX:
            raise VaultError(f"all {SLOTS_MAX} operator slots are in use; remove one first")
        self._refuse_taken(passphrase, except_slot=None)
        fresh = _wrap(key, slot=contents.next_slot, passphrase=passphrase, kdf=kdf)
        self._change(key, lambda slots: (*slots, fresh), next_slot=fresh.slot + 1)
        return fresh.slot

    def change_passphrase(self, slot: int, key: bytes, passphrase: str, kdf: KdfParameters) -> None:
        """Wrap the key again for one slot. The data is not touched."""
        self._require(slot)
        self._refuse_taken(passphrase, except_slot=slot)
        fresh = _wrap(key, slot=slot, passphrase=passphrase, kdf=kdf)
        self._change(key, lambda slots: tuple(fresh if s.slot == slot else s for s in slots))

    def remove_slot(self, slot: int, key: bytes) -> None:
        """Take a slot away; the last one stays, or nobody could open the data any more."""
        self._require(slot)
        if len(self._read().slots) == 1:
            raise VaultError("the last operator slot cannot be removed")
        self._change(key, lambda slots: tuple(s for s in slots if s.slot != slot))

    def recovery_key_id(self) -> str:
        """Give the id of the recovery key that the file is sealed to: which programme's it is."""
        return self._read().recovery.key_id

    def open_recovery(self, recovery: OpeningKey) -> bytes:
        """Give the database key to the programme's recovery key; ``WrongPassphrase`` if foreign."""
        try:
            return recovery.open(self._read().recovery.sealed, _RECOVERY_INFO)
        except EnvelopeInvalid as error:
            raise WrongPassphrase("recovery key") from error

    def renew_recovery(self, key: bytes, recovery: SealKey) -> None:
        """Seal the database key to the recovery key of a newer programme."""
        sealed = Recovery(key_id=recovery.id, sealed=recovery.seal(key, _RECOVERY_INFO))
        self._write(replace(self._read(), recovery=sealed), key)

    def _require(self, slot: int) -> None:
        if slot not in self.slots():
            raise OperatorUnknown(f"slot {slot}")

    def _refuse_taken(self, passphrase: str, *, except_slot: int | None) -> None:
        others = [slot for slot in self._read().slots if slot.slot != except_slot]
        if any(_unwrap(slot, passphrase) is not None for slot in others):
            raise PassphraseTaken

    def _change(
        self,
        key: bytes,
        change: Callable[[tuple[Slot, ...]], tuple[Slot, ...]],
        *,
        next_slot: int | None = None,
    ) -> None:
        contents = self._read()
        if not hmac.compare_digest(contents.mac, mac_of(contents, key)):
            raise VaultError(
                "the key file was changed by somebody without the key; call the office"
            )
        following = next_slot or contents.next_slot
        self._write(replace(contents, slots=change(contents.slots), next_slot=following), key)

    def _read(self) -> Contents:
        return read_contents(read_bounded(self._path, bytes_max=FILE_BYTES_MAX))

    def _write(self, contents: Contents, key: bytes) -> None:
        replace_file(self._path, write_contents(replace(contents, mac=mac_of(contents, key))))


def _wrap(key: bytes, *, slot: int, passphrase: str, kdf: KdfParameters) -> Slot:
    bare = Slot(
        slot=slot,
        kdf=kdf,
        salt=secrets.token_bytes(SALT_BYTES),
        nonce=secrets.token_bytes(NONCE_BYTES),
        wrapped=b"",
    )
    wrapping = derive(passphrase, bare.salt, kdf)
    return replace(bare, wrapped=AESGCM(wrapping).encrypt(bare.nonce, key, slot_header(bare)))


def _unwrap(slot: Slot, passphrase: str) -> bytes | None:
    wrapping = derive(passphrase, slot.salt, slot.kdf)
    try:
        return AESGCM(wrapping).decrypt(slot.nonce, slot.wrapped, slot_header(slot))
    except InvalidTag:
        return None
