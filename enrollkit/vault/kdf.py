"""From a passphrase to a key: Argon2id, with parameters that travel with what they protect."""

from __future__ import annotations

import os
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from enrollkit.errors import VaultError

__all__ = ["FLOOR", "KEY_BYTES", "SALT_BYTES", "KdfParameters", "calibrate", "derive"]

KEY_BYTES: Final = 32
SALT_BYTES: Final = 16

_MEMORY_KIB_MAX: Final = 1024 * 1024
"""More than this is no cost but an attack on a laptop of 4 GB."""
_ITERATIONS_MAX: Final = 64
_LANES_MAX: Final = 16
_PASSPHRASE_BYTES_MAX: Final = 1024

_CALIBRATED_MEMORY_KIB_MAX: Final = 256 * 1024
"""What a laptop of 4 GB can spare beside a browser."""
_SECONDS_MIN: Final = 0.5
_SECONDS_MAX: Final = 1.0
_LANES_USED_MAX: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class KdfParameters:
    """The cost of one guess: memory in KiB, passes over it, lanes side by side (RFC 9106).

    ``ValueError`` outside of what a laptop can be asked to do; a hostile file cannot ask for more.
    """

    memory_kib: int
    iterations: int
    lanes: int

    def __post_init__(self) -> None:
        """Refuse what Argon2id does not define, and what would only exhaust the machine."""
        if not 1 <= self.lanes <= _LANES_MAX:
            raise ValueError("lanes")
        if not 1 <= self.iterations <= _ITERATIONS_MAX:
            raise ValueError("iterations")
        if not 8 * self.lanes <= self.memory_kib <= _MEMORY_KIB_MAX:
            raise ValueError("memory")


FLOOR: Final = KdfParameters(memory_kib=64 * 1024, iterations=3, lanes=1)
"""Never below this outside of tests (RFC 9106, second recommended option)."""


def derive(passphrase: str, salt: bytes, parameters: KdfParameters) -> bytes:
    """Give the 32 bytes that a passphrase means under a salt.

    The passphrase is brought to NFC, so that two keyboards that type one word two ways agree.
    ``VaultError`` when it is longer than 1,024 bytes, or when the memory is not there.
    """
    secret = _plain_bytes(passphrase)
    function = Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=parameters.iterations,
        lanes=parameters.lanes,
        memory_cost=parameters.memory_kib,
    )
    try:
        return function.derive(secret)
    except MemoryError as error:
        raise VaultError("not enough free memory to try the passphrase") from error


def calibrate(
    *,
    cores: int | None = None,
    measure: Callable[[KdfParameters], float] | None = None,
) -> KdfParameters:
    """Find parameters that take half a second to a second on this machine, never below the floor.

    Memory is raised first, for it is what an attacker's hardware lacks; then passes.
    ``measure`` gives the seconds that parameters take.
    """
    seconds_of = measure or _measure
    lanes = max(1, min(cores or os.cpu_count() or 1, _LANES_USED_MAX))
    chosen = replace(FLOOR, lanes=lanes)
    seconds = seconds_of(chosen)
    while seconds < _SECONDS_MIN:
        dearer = _dearer(chosen, seconds)
        if dearer == chosen:
            break
        dearer_seconds = seconds_of(dearer)
        if dearer_seconds > _SECONDS_MAX:
            break
        chosen, seconds = dearer, dearer_seconds
    return chosen


def _dearer(parameters: KdfParameters, seconds: float) -> KdfParameters:
    if parameters.memory_kib < _CALIBRATED_MEMORY_KIB_MAX:
        return replace(parameters, memory_kib=parameters.memory_kib * 2)
    wanted = int(parameters.iterations * _SECONDS_MIN / max(seconds, 0.001)) + 1
    iterations = min(max(wanted, parameters.iterations + 1), _ITERATIONS_MAX)
    return replace(parameters, iterations=iterations)


def _measure(parameters: KdfParameters) -> float:
    start = time.perf_counter()
    derive("calibration", bytes(SALT_BYTES), parameters)
    return time.perf_counter() - start


def _plain_bytes(passphrase: str) -> bytes:
    if len(passphrase) > _PASSPHRASE_BYTES_MAX:
        raise VaultError("passphrase too long")
    try:
        secret = unicodedata.normalize("NFC", passphrase).encode()
    except UnicodeEncodeError as error:
        raise VaultError("passphrase is not text") from error
    if not secret or len(secret) > _PASSPHRASE_BYTES_MAX:
        raise VaultError("passphrase empty or too long")
    return secret
