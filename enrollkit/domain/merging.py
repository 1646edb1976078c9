"""Two writings of one enrollment beside each other: where they differ, and who changed what.

Never last-writer-wins: what only one side changed since their common version is taken from that
side; what both changed stays open, and both values are kept until a person decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Merged", "body_value", "differences", "merge", "with_value"]

_INNER: Final = frozenset({"address", "guardian"})
"""Objects whose parts are changed one by one; any other value is changed as a whole."""
_TOGETHER: Final[Mapping[str, tuple[str, ...]]] = {
    "/aadhaar_last4": ("/aadhaar_last4", "/capture_session"),
}
"""The last digits say nothing without the key that sealed the rest."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Merged:
    """A body made of two, and the pointers of the fields that both sides changed."""

    body: dict[str, Any]
    conflicts: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Merged({len(self.conflicts)} conflicts, <withheld>)"


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Give the JSON Pointers of the fields that differ between two ``enrollment-1`` bodies."""
    pointers = {pointer: None for body in (ours, theirs) for pointer in _pointers(body)}
    followers = {name for group in _TOGETHER.values() for name in group[1:]}
    return [
        pointer
        for pointer in pointers
        if pointer not in followers and not _is_same(pointer, ours, theirs)
    ]


def merge(
    base: Mapping[str, Any] | None,
    ours: Mapping[str, Any],
    theirs: Mapping[str, Any],
    *,
    disputed: frozenset[str] = frozenset(),
) -> Merged:
    """Merge two bodies that were made from ``base``; ``None``: nothing common is known.

    A field in conflict keeps our value in the body. ``disputed`` are pointers that the other side
    holds to be conflicts; whatever differs there or below is one.
    """
    body, conflicts = deepcopy(dict(ours)), []
    for pointer in differences(ours, theirs):
        named = any(_covers(one, pointer) for one in disputed)
        if named or base is None or not _is_one_sided(pointer, base, ours, theirs):
            conflicts.append(pointer)
        elif _is_same(pointer, base, ours):
            for one in _TOGETHER.get(pointer, (pointer,)):
                body = with_value(body, one, body_value(theirs, one))
    return Merged(body=body, conflicts=tuple(conflicts))


def body_value(body: Mapping[str, Any], pointer: str) -> Any:
    """Give the value at a pointer; ``None`` when there is none."""
    value: Any = body
    for part in pointer.split("/")[1:]:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def with_value(body: Mapping[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """Give a copy with the value at the pointer; ``None`` takes the field away."""
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
    if parents and not changed[parents[0]]:
        del changed[parents[0]]
    return changed


def _pointers(body: Mapping[str, Any]) -> list[str]:
    found = []
    for name, value in body.items():
        if name in _INNER and isinstance(value, Mapping):
            found += [f"/{name}/{inner}" for inner in value]
        else:
            found.append(f"/{name}")
    return found


def _is_same(pointer: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    parts = _TOGETHER.get(pointer, (pointer,))
    return all(body_value(one, part) == body_value(other, part) for part in parts)


def _is_one_sided(
    pointer: str, base: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> bool:
    return _is_same(pointer, base, ours) or _is_same(pointer, base, theirs)


def _covers(one: str, other: str) -> bool:
    """Whether one pointer names the other, a part of it, or what it is a part of."""
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")
