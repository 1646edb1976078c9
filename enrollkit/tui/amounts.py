"""Bytes and seconds in words that fit on a line."""

from __future__ import annotations

from enrollkit.locale import _, ngettext

__all__ = ["size_words", "time_words"]

_KB = 1024
_MINUTE = 60


def size_words(count: int) -> str:
    """Write a number of bytes: ``180 bytes``, ``4.2 KB``, ``5 MB``."""
    if count < _KB:
        return _("{count} bytes").format(count=count)
    if count < _KB * _KB:
        return f"{count / _KB:.1f} KB"
    return f"{count / _KB / _KB:.1f} MB".replace(".0 MB", " MB")


def time_words(seconds: int) -> str:
    """Write a span as people guess it: ``10 s``, ``1 min``, ``14 min``."""
    if seconds < _MINUTE:
        return _("{count} s").format(count=max(1, seconds))
    minutes = round(seconds / _MINUTE)
    return ngettext("{count} min", "{count} min", minutes).format(count=minutes)
