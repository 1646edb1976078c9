"""JSON Pointers (RFC 6901) into bodies and rows: reading a value, and a copy with another one.

The names of our fields hold neither ``~`` nor ``/``, so nothing is escaped.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any

__all__ = ["value_at", "with_value"]


def value_at(body: Mapping[str, Any], pointer: str) -> Any:
    """Give the value at a pointer; ``None`` when there is none."""
    value: Any = body
    for part in pointer.split("/")[1:]:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def with_value(
    body: Mapping[str, Any], pointer: str, value: Any, *, kept: Collection[str] = ()
) -> dict[str, Any]:
    """Give a copy with the value at the pointer; ``None`` takes the field away.

    An object that holds nothing any more goes too, unless its name is among ``kept``.
    """
    changed = deepcopy(dict(body))
    *parents, last = pointer.split("/")[1:]
    inner = changed
    for part in parents:
        below = inner.get(part)
        inner[part] = below = below if isinstance(below, dict) else {}
        inner = below
    if value is None:
        inner.pop(last, None)
    else:
        inner[last] = value
    if parents and not changed[parents[0]] and parents[0] not in kept:
        del changed[parents[0]]
    return changed
