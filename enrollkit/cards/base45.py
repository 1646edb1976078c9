"""Base45 (RFC 9285), which writes bytes in the letters that a QR code stores most tightly.

It is strict: every text that decodes is the one text of its bytes, so a card cannot be respelled.
"""

from __future__ import annotations

from typing import Final

__all__ = ["decode", "encode"]

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE: Final = {character: value for value, character in enumerate(_ALPHABET)}


def encode(data: bytes) -> str:
    """Write bytes as base45: three characters for two bytes, two for a last single one."""
    return "".join(_letters(data[start : start + 2]) for start in range(0, len(data), 2))


def decode(text: str) -> bytes:
    """Read base45 text. Raise ``ValueError`` for any text that :func:`encode` never writes."""
    if len(text) % 3 == 1:
        raise ValueError("base45: a lone character at the end")
    return b"".join(_octets(text[start : start + 3]) for start in range(0, len(text), 3))


def _letters(pair: bytes) -> str:
    value = int.from_bytes(pair, "big")
    count = len(pair) + 1
    return "".join(_ALPHABET[value // 45**place % 45] for place in range(count))


def _octets(group: str) -> bytes:
    try:
        value = sum(_VALUE[character] * 45**place for place, character in enumerate(group))
        return int(value).to_bytes(len(group) - 1, "big")
    except (KeyError, OverflowError):
        # The chain would quote the character, which may be part of a person's value.
        raise ValueError("base45: a character or group that cannot be") from None
