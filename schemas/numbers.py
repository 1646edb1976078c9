"""Our own numbers, the same at both ends: provisional numbers and approval codes.

A *provisional number* is what a person carries until the ABHA number exists: sixty bits of the
record id as twelve Crockford base-32 characters in fours, and a check character. It is typed by
hand when the camera is bad, so the check finds every single wrong character and every two
neighbours that changed places. An *approval code* is the same coding of a device's key.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "approval_code",
    "is_provisional_number",
    "parse_provisional_number",
    "provisional_number",
    "record_prefix",
]

# Crockford's alphabet (no I, L, O, U); I and L are read as 1, O as 0.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE: Final = {character: value for value, character in enumerate(_ALPHABET)}
_CHARACTERS: Final = 12
_BITS: Final = 5 * _CHARACTERS


def provisional_number(record_id: str) -> str:
    """Give the provisional number of a record id (32 hex digits), as ``7K2M-94QD-XV3T-8``."""
    return _encode(int(record_id, 16) >> (128 - _BITS))


def approval_code(public_key_digest: bytes) -> str:
    """Give the code that the operator reads to the office, from SHA-256 of the device's key."""
    return _encode(int.from_bytes(public_key_digest, "big") >> (len(public_key_digest) * 8 - _BITS))


def parse_provisional_number(typed: str) -> str | None:
    """Bring what somebody typed into the printed form; ``None`` when the check does not hold."""
    plain = re.sub(r"[\s-]", "", typed.upper()).translate(str.maketrans("ILO", "110"))
    if len(plain) != _CHARACTERS + 1 or any(character not in _VALUE for character in plain):
        return None
    if _check_character(plain[:_CHARACTERS]) != plain[_CHARACTERS]:
        return None
    return _group(plain)


def is_provisional_number(typed: str) -> bool:
    """Whether the text can be a provisional number, in any spelling people use."""
    return parse_provisional_number(typed) is not None


def record_prefix(typed: str) -> str | None:
    """Give the first fifteen hex digits of the record id that a provisional number stands for."""
    number = parse_provisional_number(typed)
    if number is None:
        return None
    value = 0
    for character in number.replace("-", "")[:_CHARACTERS]:
        value = value << 5 | _VALUE[character]
    return f"{value:0{_BITS // 4}x}"


def _encode(value: int) -> str:
    plain = "".join(_ALPHABET[value >> shift & 31] for shift in range(_BITS - 5, -1, -5))
    return _group(plain + _check_character(plain))


def _group(plain: str) -> str:
    return "-".join((plain[0:4], plain[4:8], plain[8:12], plain[12]))


def _check_character(plain: str) -> str:
    """Weigh each character with another power of 2 in GF(32), x⁵+x²+1.

    All weights differ and none is zero: one changed character, or any two that changed places,
    always changes the sum.
    """
    total = 0
    for character in plain:
        total = _double(total ^ _VALUE[character])
    return _ALPHABET[total]


def _double(value: int) -> int:
    shifted = value << 1
    return shifted ^ 0b100101 if shifted & 0b100000 else shifted
