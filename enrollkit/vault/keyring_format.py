"""How ``keyring.json`` is written and, with distrust, read."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from enrollkit.errors import SealBroken, StoreTooNew
from enrollkit.vault.kdf import KEY_BYTES, SALT_BYTES, KdfParameters

__all__ = [
    "FILE_BYTES_MAX",
    "NONCE_BYTES",
    "SLOTS_MAX",
    "Contents",
    "Recovery",
    "Slot",
    "mac_of",
    "read_contents",
    "slot_header",
    "write_contents",
]

FILE_BYTES_MAX: Final = 64 * 1024
SLOTS_MAX: Final = 8
NONCE_BYTES: Final = 12
_SLOT_NUMBER_MAX: Final = 10_000

_FORMAT: Final = "enrollkit-keyring"
_VERSION: Final = 1
_ALGORITHM: Final = "argon2id"
_WRAPPED_BYTES: Final = KEY_BYTES + 16
_SEALED_BYTES_MAX: Final = 4096
_MAC_BYTES: Final = 32
_MAC_PURPOSE: Final = b"enrollkit/keyring-mac/v1"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Slot:
    """One passphrase's wrapping of the database key."""

    slot: int
    kdf: KdfParameters
    salt: bytes
    nonce: bytes
    wrapped: bytes

    def __repr__(self) -> str:
        return f"Slot({self.slot}, <withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Recovery:
    """The database key, sealed to the programme's recovery key ``key_id`` (16 hex digits)."""

    key_id: str
    sealed: bytes

    def __repr__(self) -> str:
        return f"Recovery({self.key_id}, <withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Contents:
    """All that the file holds."""

    slots: tuple[Slot, ...]
    next_slot: int
    """A slot's number is never given to a second person: the history would change its author."""
    recovery: Recovery
    mac: bytes

    def __repr__(self) -> str:
        return f"Contents({len(self.slots)} slots, <withheld>)"


def slot_header(slot: Slot) -> bytes:
    """Give what is bound to a wrapped key: format, version, slot number, cost and salt."""
    return _canonical({"format": _FORMAT, "version": _VERSION, **_header_object(slot)})


def mac_of(contents: Contents, key: bytes) -> bytes:
    """Give the HMAC over everything but itself, under a key derived from the database key."""
    mac_key = hmac.digest(key, _MAC_PURPOSE, hashlib.sha256)
    return hmac.digest(mac_key, _canonical(_object(contents)), hashlib.sha256)


def write_contents(contents: Contents) -> bytes:
    """Write the file."""
    value = {**_object(contents), "mac": _text(contents.mac)}
    return json.dumps(value, indent=1).encode("ascii") + b"\n"


def read_contents(data: bytes) -> Contents:
    """Read the file; ``SealBroken`` for every deviation, ``StoreTooNew`` for a newer version."""
    try:
        value = json.loads(data.decode("ascii"), object_pairs_hook=_unique)
        return _contents(value)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        # The parser's own message may quote the file; it stays out of ours.
        raise SealBroken("keyring.json does not have its shape") from error


def _contents(value: Any) -> Contents:
    _exact(value, {"format", "version", "slots", "next_slot", "recovery", "mac"})
    if value["format"] != _FORMAT:
        raise ValueError("format")
    version = _integer(value["version"])
    if version > _VERSION:
        raise StoreTooNew(f"keyring version {version}")
    if version != _VERSION:
        raise ValueError("version")
    slots = tuple(_slot(item) for item in _list(value["slots"]))
    numbers = [slot.slot for slot in slots]
    if not 1 <= len(slots) <= SLOTS_MAX or len(set(numbers)) != len(numbers):
        raise ValueError("slots")
    if not max(numbers) < _integer(value["next_slot"]) <= _SLOT_NUMBER_MAX:
        raise ValueError("next slot")
    recovery = _exact(value["recovery"], {"key_id", "sealed"})
    if not isinstance(recovery["key_id"], str) or not re.fullmatch(
        r"[0-9a-f]{16}", recovery["key_id"]
    ):
        raise ValueError("recovery")
    return Contents(
        slots=slots,
        next_slot=value["next_slot"],
        recovery=Recovery(
            key_id=recovery["key_id"],
            sealed=_bytes(recovery["sealed"], 1, _SEALED_BYTES_MAX),
        ),
        mac=_bytes(value["mac"], _MAC_BYTES),
    )


def _slot(value: Any) -> Slot:
    _exact(value, {"slot", "kdf", "salt", "nonce", "wrapped"})
    kdf = _exact(value["kdf"], {"algorithm", "memory_kib", "iterations", "lanes"})
    number = _integer(value["slot"])
    if kdf["algorithm"] != _ALGORITHM or not 1 <= number < _SLOT_NUMBER_MAX:
        raise ValueError("slot")
    return Slot(
        slot=number,
        kdf=KdfParameters(
            memory_kib=_integer(kdf["memory_kib"]),
            iterations=_integer(kdf["iterations"]),
            lanes=_integer(kdf["lanes"]),
        ),
        salt=_bytes(value["salt"], SALT_BYTES),
        nonce=_bytes(value["nonce"], NONCE_BYTES),
        wrapped=_bytes(value["wrapped"], _WRAPPED_BYTES),
    )


def _object(contents: Contents) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "slots": [
            {
                **_header_object(slot),
                "nonce": _text(slot.nonce),
                "wrapped": _text(slot.wrapped),
            }
            for slot in contents.slots
        ],
        "next_slot": contents.next_slot,
        "recovery": {
            "key_id": contents.recovery.key_id,
            "sealed": _text(contents.recovery.sealed),
        },
    }


def _header_object(slot: Slot) -> dict[str, Any]:
    return {
        "slot": slot.slot,
        "kdf": {
            "algorithm": _ALGORITHM,
            "memory_kib": slot.kdf.memory_kib,
            "iterations": slot.kdf.iterations,
            "lanes": slot.kdf.lanes,
        },
        "salt": _text(slot.salt),
    }


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(value: Any, size: int, size_max: int | None = None) -> bytes:
    if not isinstance(value, str):
        raise TypeError("text expected")
    try:
        data = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("base64") from error
    if not size <= len(data) <= (size_max or size) or _text(data) != value:
        raise ValueError("size or spelling")
    return data


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("integer expected")
    return value


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TypeError("list expected")
    return value


def _exact(value: Any, keys: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict) or set(value) != keys:
        raise ValueError("keys")
    return value


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
