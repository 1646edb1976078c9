"""Looks over foreign CBOR before it is decoded, so that a few bytes cannot ask for much memory,
endless nesting, or the exotic types that tags call into being.
"""

from __future__ import annotations

from typing import Final

__all__ = ["demand_harmless"]

DEPTH_MAX: Final = 12
"""A body nests four deep; a claim-169 card as well."""

_BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = 2, 3, 4, 5, 6, 7
_INLINE_MAX: Final = 23
_WIDTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}


def demand_harmless(data: bytes, *, items_max: int, tags: frozenset[int] = frozenset()) -> None:
    """Walk one CBOR item that must fill ``data``. Raise ``ValueError`` for anything unwanted.

    Wanted are definite lengths, at most :data:`DEPTH_MAX` levels and ``items_max`` items, and
    only the ``tags`` named.
    """
    position, items = 0, 0
    pending = [1]  # how many items each open level still expects
    while pending:
        if pending[-1] == 0:
            pending.pop()
            continue
        pending[-1] -= 1
        items += 1
        kind, value, position = _head(data, position)
        if kind in (_BYTES, _TEXT):
            position += value
        elif kind in (_ARRAY, _MAP, _TAG):
            if kind == _TAG and value not in tags:
                raise ValueError("cbor: a tag that has no business here")
            pending.append({_ARRAY: value, _MAP: 2 * value, _TAG: 1}[kind])
        if position > len(data) or items > items_max or len(pending) > DEPTH_MAX:
            raise ValueError("cbor: cut short, too many items, or nested too deeply")
    if position != len(data):
        raise ValueError("cbor: bytes left over at the end")


def _head(data: bytes, position: int) -> tuple[int, int, int]:
    """Read an item's major type and argument; give them and where its content begins."""
    if position >= len(data):
        raise ValueError("cbor: cut short")
    kind, argument = data[position] >> 5, data[position] & 31
    if argument <= _INLINE_MAX:
        return kind, argument, position + 1
    width = _WIDTHS.get(argument)
    if width is None:
        raise ValueError("cbor: indefinite length or reserved head")
    end = position + 1 + width
    if end > len(data):
        raise ValueError("cbor: cut short")
    return kind, int.from_bytes(data[position + 1 : end], "big"), end
