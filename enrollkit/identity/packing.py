"""Unpacks the digits of an Aadhaar Secure QR: a number that is a gzip or zlib stream.

Format: UIDAI, Secure QR Code Specification (March 2019). Digits, stream and result are bounded
before anything is worked on: the code may have been made to exhaust.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from enrollkit.locale import _

__all__ = ["DIGITS_MAX", "UNPACKED_BYTES_MAX", "Fault", "NotUsable", "Unpacked", "unpack"]

DIGITS_MAX: Final = 7089
"""What the largest QR code holds in numeric mode (ISO/IEC 18004)."""
UNPACKED_BYTES_MAX: Final = 64 * 1024

_DIGITS_AT_ONCE: Final = 4000
"""Python refuses to read a number of more than 4,300 digits, for its cost grows with the square."""
_GZIP: Final = b"\x1f\x8b\x08"
_GZIP_PLAIN: Final = _GZIP + b"\x00"
_GZIP_PLAIN_NUMBER: Final = int.from_bytes(_GZIP_PLAIN, "big")
_PIECE_DIGITS_MIN: Final = 100
_TOP_BITS: Final = 256
_ZLIB_FIRST: Final = 0x78
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_NO_TIME: Final = bytes(4)
_EFFORTS: Final = b"\x00\x02\x04"
_SYSTEM_OF_V1: Final = b"\x00"
_SYSTEMS: Final = b"\x00\x03\xff"


class Fault(StrEnum):
    """Why a code of digits or of an Aadhaar letter is of no use."""

    TOO_LONG = "too-long"
    CUT_SHORT = "cut-short"
    NOT_PACKED = "not-packed"
    DAMAGED = "damaged"
    TOO_LARGE = "too-large"
    FIELDS = "fields"

    @property
    def words(self) -> str:
        """Say it to the operator."""
        return {
            Fault.TOO_LONG: _("more digits than a code can hold. Scan one code at a time."),
            Fault.CUT_SHORT: _("the scan was cut short. Scan it again, or take a picture of it."),
            Fault.NOT_PACKED: _(
                "digits, but no whole Aadhaar code. Scan it again, from its start."
            ),
            Fault.DAMAGED: _("some digits are wrong. Scan it again, or take a picture of it."),
            Fault.TOO_LARGE: _("it unfolds to more than any card holds. Do not trust it."),
            Fault.FIELDS: _("what is in it does not stand where an Aadhaar card has it."),
        }[self]


class NotUsable(Exception):
    """The code is of no use; ``fault`` says why. It never leaves this package."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Unpacked:
    """What was inside. ``is_as_issued``: the wrapping is one that UIDAI is known to write.

    The wrapping is not signed. One that nobody writes was changed after UIDAI made the code.
    """

    data: bytes
    is_as_issued: bool


def unpack(digits: str) -> Unpacked:
    """Give the bytes in a text of decimal digits; :class:`NotUsable` when they are not whole."""
    if len(digits) > DIGITS_MAX:
        raise NotUsable(Fault.TOO_LONG)
    if not digits.isascii() or not digits.isdecimal() or digits.startswith("0"):
        raise NotUsable(Fault.NOT_PACKED)
    number = _number(digits)
    packed = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if not packed.startswith(_GZIP) and packed[0] != _ZLIB_FIRST:
        is_piece = _is_beginning(number, len(digits))
        raise NotUsable(Fault.CUT_SHORT if is_piece else Fault.NOT_PACKED)
    data = _inflated(packed)
    return Unpacked(data=data, is_as_issued=_is_as_issued(packed, data))


def _number(digits: str) -> int:
    number = 0
    for place in range(0, len(digits), _DIGITS_AT_ONCE):
        piece = digits[place : place + _DIGITS_AT_ONCE]
        number = number * 10 ** len(piece) + int(piece)
    return number


def _is_beginning(number: int, length: int) -> bool:
    """Whether these are the first digits of a longer code: with some number of digits more, the
    bytes begin as a gzip stream does. By chance that is so about once in a million times.

    Only the top bits are carried along: the whole number would cost milliseconds a digit.
    """
    if length < _PIECE_DIGITS_MIN:
        return False
    below = number.bit_length() - _TOP_BITS
    top = number >> below
    for _more in range(length, DIGITS_MAX):
        top *= 10
        excess = top.bit_length() - _TOP_BITS
        top, below = top >> excess, below + excess
        head = (-(below + _TOP_BITS) // 8) * -8 - 8 * len(_GZIP_PLAIN)
        if top >> (head - below) == _GZIP_PLAIN_NUMBER:
            return True
    return False


def _inflated(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=_GZIP_OR_ZLIB)
    try:
        data = unpacker.decompress(packed, UNPACKED_BYTES_MAX + 1)
    except zlib.error as problem:
        raise NotUsable(Fault.DAMAGED) from problem
    if len(data) > UNPACKED_BYTES_MAX:
        raise NotUsable(Fault.TOO_LARGE)
    if not unpacker.eof:
        raise NotUsable(Fault.CUT_SHORT)
    if unpacker.unused_data:
        raise NotUsable(Fault.DAMAGED)
    return data


def _is_as_issued(packed: bytes, data: bytes) -> bool:
    """Look at the part of gzip's head that says nothing (RFC 1952): Java writes it empty.

    Its last byte was 0 when the first cards were made, and is 255 since Java 16.
    """
    if not packed.startswith(_GZIP):
        return True
    systems = _SYSTEMS if data.startswith(b"V") else _SYSTEM_OF_V1
    is_plain = packed.startswith(_GZIP_PLAIN + _NO_TIME)
    return is_plain and packed[8] in _EFFORTS and packed[9] in systems
