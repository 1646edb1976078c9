"""The server's private keys on disk: ``keys.json`` for the server, ``vault.json`` for the worker.

The vault key opens Aadhaar numbers. It lies in a file of its own, so that the process that talks
to laptops can run where that file is not. Public keys stand beside the private ones in clear: a
server needs the vault's public key for the programme, never its private one.

    {"version": 1, "public": {name: hex}, "private": {name: hex}}
    {"version": 1, "public": {name: hex}, "sealed": {kdf, salt, memory_kib, iterations, lanes,
                                                     nonce, ciphertext}}

``ciphertext`` is AES-256-GCM under Argon2id of the passphrase over the JSON of ``private``, with
the file's name and the public keys as associated data.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from sync.errors import EnvelopeInvalid
from sync.sealing import OpeningKey, SealKey, SigningKey
from sync.server.errors import FileUnusable, KeysDamaged, KeysLocked, ServerNotInitialised

__all__ = ["KdfCost", "ServerKeys", "create_keys", "keys_exist", "open_keys", "open_vault"]

_KEYS_FILE: Final = "keys.json"
_VAULT_FILE: Final = "vault.json"
_FILE_BYTES_MAX: Final = 64 * 1024
_MEMORY_KIB_MAX: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class KdfCost:
    """Argon2id's cost; written into the file, so it may grow from version to version."""

    memory_kib: int = 256 * 1024
    iterations: int = 3
    lanes: int = 4


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ServerKeys:
    """What the server works with. Prints as ids only."""

    signing: SigningKey
    ingest: OpeningKey
    recovery: OpeningKey
    vault: SealKey

    def __repr__(self) -> str:
        return f"ServerKeys({self.signing.public.id}, <withheld>)"


def keys_exist(home: Path) -> bool:
    """Whether this home has its keys; ``KeysDamaged`` when it has only half of them."""
    has_keys, has_vault = (home / _KEYS_FILE).exists(), (home / _VAULT_FILE).exists()
    if has_vault and not has_keys:
        raise KeysDamaged(_KEYS_FILE)
    return has_keys


def create_keys(home: Path, passphrase: str | None, cost: KdfCost | None = None) -> ServerKeys:
    """Make all keys and write both files, ``keys.json`` last; never over existing ones."""
    vault = OpeningKey.generate()
    keys = ServerKeys(
        signing=SigningKey.generate(),
        ingest=OpeningKey.generate(),
        recovery=OpeningKey.generate(),
        vault=vault.public,
    )
    cost = cost or KdfCost()
    _write(
        home / _VAULT_FILE,
        {"vault": vault.public.raw},
        {"vault": vault.to_bytes()},
        passphrase,
        cost,
    )
    public = {"signing": keys.signing.public.raw, "vault": keys.vault.raw}
    private = {
        "signing": keys.signing.to_bytes(),
        "ingest": keys.ingest.to_bytes(),
        "recovery": keys.recovery.to_bytes(),
    }
    _write(home / _KEYS_FILE, public, private, passphrase, cost)
    return keys


def open_keys(home: Path, passphrase: str | None) -> ServerKeys:
    """Read ``keys.json``; ``ServerNotInitialised``, ``KeysLocked`` or ``KeysDamaged`` if not."""
    public, private = _read(home / _KEYS_FILE, passphrase)
    try:
        keys = ServerKeys(
            signing=SigningKey(private["signing"]),
            ingest=OpeningKey(private["ingest"]),
            recovery=OpeningKey(private["recovery"]),
            vault=SealKey(public["vault"]),
        )
    except (KeyError, EnvelopeInvalid) as error:
        raise KeysDamaged(_KEYS_FILE) from error
    if keys.signing.public.raw != public.get("signing"):
        raise KeysDamaged(_KEYS_FILE)
    return keys


def open_vault(home: Path, passphrase: str | None) -> OpeningKey:
    """Read ``vault.json``: for the ABDM worker alone."""
    _, private = _read(home / _VAULT_FILE, passphrase)
    try:
        return OpeningKey(private["vault"])
    except (KeyError, EnvelopeInvalid) as error:
        raise KeysDamaged(_VAULT_FILE) from error


def _write(
    path: Path,
    public: Mapping[str, bytes],
    private: Mapping[str, bytes],
    passphrase: str | None,
    cost: KdfCost,
) -> None:
    content: dict[str, Any] = {"version": 1, "public": _hexed(public)}
    if passphrase is None:
        content["private"] = _hexed(private)
    else:
        aad = _associated(path, content["public"])
        content["sealed"] = _sealed(_hexed(private), passphrase, cost, aad)
    _write_new(path, json.dumps(content, indent=1).encode())


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all, over nothing that is there."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _name_once(draft, path)
        _sync_folder(path.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise FileUnusable(path.name) from error


def _name_once(draft: Path, path: Path) -> None:
    """Give the draft its name; ``FileExistsError`` when something has it, even since a moment ago.

    Two that make keys at once must not leave one's vault key beside the other's server keys.
    """
    if os.name == "nt":
        draft.rename(path)  # refuses there what POSIX would replace
        return
    os.link(draft, path)
    draft.unlink()


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path, passphrase: str | None) -> tuple[dict[str, bytes], dict[str, bytes]]:
    try:
        with path.open("rb") as file:
            content: Any = json.loads(file.read(_FILE_BYTES_MAX))
        if content["version"] != 1:
            raise KeysDamaged(path.name)
        private = content.get("private")
        if private is None:
            aad = _associated(path, content["public"])
            private = _unsealed(content["sealed"], passphrase, aad)
        return _bytes(content["public"]), _bytes(private)
    except FileNotFoundError as error:
        raise ServerNotInitialised(path.name) from error
    except OSError as error:
        raise FileUnusable(path.name) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeysDamaged(path.name) from error


def _sealed(
    private: Mapping[str, str], passphrase: str, cost: KdfCost, aad: bytes
) -> dict[str, str | int]:
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    plain = json.dumps(private).encode()
    return {
        "kdf": "argon2id",
        "salt": salt.hex(),
        "memory_kib": cost.memory_kib,
        "iterations": cost.iterations,
        "lanes": cost.lanes,
        "nonce": nonce.hex(),
        "ciphertext": AESGCM(_derive(passphrase, salt, cost)).encrypt(nonce, plain, aad).hex(),
    }


def _unsealed(sealed: Mapping[str, Any], passphrase: str | None, aad: bytes) -> dict[str, str]:
    if passphrase is None:
        raise KeysLocked("no passphrase")
    cost = KdfCost(
        memory_kib=sealed["memory_kib"], iterations=sealed["iterations"], lanes=sealed["lanes"]
    )
    if sealed["kdf"] != "argon2id" or not 0 < cost.memory_kib <= _MEMORY_KIB_MAX:
        raise ValueError("kdf")
    key = _derive(passphrase, bytes.fromhex(sealed["salt"]), cost)
    try:
        plain = AESGCM(key).decrypt(
            bytes.fromhex(sealed["nonce"]), bytes.fromhex(sealed["ciphertext"]), aad
        )
    except InvalidTag as error:
        raise KeysLocked("passphrase or file") from error
    private: dict[str, str] = json.loads(plain)
    return private


def _derive(passphrase: str, salt: bytes, cost: KdfCost) -> bytes:
    derivation = Argon2id(
        salt=salt,
        length=32,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    )
    return derivation.derive(passphrase.encode())


def _associated(path: Path, public: Mapping[str, str]) -> bytes:
    return json.dumps([path.name, public], sort_keys=True).encode()


def _hexed(keys: Mapping[str, bytes]) -> dict[str, str]:
    return {name: key.hex() for name, key in keys.items()}


def _bytes(keys: Mapping[str, str]) -> dict[str, bytes]:
    return {name: bytes.fromhex(text) for name, text in keys.items()}
