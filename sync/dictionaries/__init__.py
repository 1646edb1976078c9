"""Trained zstd dictionaries, by number; a number is never reused for other bytes.

A batch of forty people shares most of its text with every other batch: keys, states, months,
consent. The dictionary knows that text beforehand. ``scripts/train_dictionary.py`` makes one.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.resources import files
from typing import Final

from sync.errors import EnvelopeInvalid, ProtocolMismatch, TooLarge

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["CURRENT", "compress", "decompress"]

CURRENT: Final = 1
"""The dictionary that new batches are written with. 1: November 2026."""

_KNOWN: Final = frozenset({1})
_LEVEL: Final = 19
"""Small batches: the strongest level costs milliseconds and saves bytes on 2G."""
_WINDOW_LOG_MAX: Final = 23


def compress(plain: bytes) -> bytes:
    """Compress with the current dictionary."""
    # Digested once for each level: a quarter of the time, and the same bytes.
    return zstd.compress(plain, level=_LEVEL, zstd_dict=_dictionary(CURRENT).as_digested_dict)


def decompress(data: bytes, number: int, *, bytes_max: int) -> bytes:
    """Decompress one frame with the numbered dictionary.

    ``ProtocolMismatch`` for a number this version does not have, ``TooLarge`` past ``bytes_max``
    (before the memory is used), ``EnvelopeInvalid`` for anything else that is wrong.
    """
    if number not in _KNOWN:
        raise ProtocolMismatch(f"dictionary {number}")
    reader = zstd.ZstdDecompressor(
        zstd_dict=_dictionary(number),
        options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX},
    )
    try:
        plain: bytes = reader.decompress(data, max_length=bytes_max + 1)
    except (zstd.ZstdError, EOFError, ValueError) as error:
        raise EnvelopeInvalid("compression") from error
    if len(plain) > bytes_max:
        raise TooLarge("decompressed")
    if not reader.eof or reader.unused_data:
        raise EnvelopeInvalid("compression cut short or followed by more")
    return plain


@cache
def _dictionary(number: int) -> zstd.ZstdDict:
    return zstd.ZstdDict((files(__name__) / f"{number}.zdict").read_bytes())
