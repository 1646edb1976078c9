"""Changes that a hostile or a broken sender makes to a valid message, as Hypothesis strategies.

Two sorts: changes to bytes, which know nothing of the language, and changes to the tree of a CBOR
or JSON text, which stay grammatical and so get further into a reader.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any, Final

import cbor2
from hypothesis import strategies as st

from fuzz_target import Target
from fuzz_tokens import TOKENS, WEIRD, WEIRD_JSON

__all__ = ["changed_bytes", "changed_trees", "inputs"]

Edit = Callable[[bytes, int, int, bytes], bytes]
"""Takes the bytes, a place in them, a free number and another sample; gives the changed bytes."""

_PLACE_MAX: Final = 2**16
_EDITS_MAX: Final = 6


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Give what a target is fed: changed samples, changed trees where it has them, and noise."""
    samples = list(target.samples())
    ways = [changed_bytes(samples), changed_bytes(samples), st.binary(max_size=200)]
    if target.form != "bytes":
        ways += [changed_trees(samples, is_json=target.form == "json")] * 3
    return st.one_of(ways)


def changed_bytes(samples: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Give a sample after a few edits."""
    which = st.integers(0, len(samples) - 1)
    edits = st.lists(
        st.tuples(
            st.integers(0, len(_EDITS) - 1), st.integers(0, _PLACE_MAX - 1), st.integers(0, 255),
            which,
        ),
        min_size=1,
        max_size=_EDITS_MAX,
    )  # fmt: skip

    def change(recipe: tuple[int, Sequence[tuple[int, int, int, int]]]) -> bytes:
        data = samples[recipe[0]]
        for edit, place, number, other in recipe[1]:
            at = place * (len(data) + 1) // _PLACE_MAX
            data = _EDITS[edit](data, at, number, samples[other])
        return data

    return st.tuples(which, edits).map(change)


def changed_trees(samples: Sequence[bytes], *, is_json: bool) -> st.SearchStrategy[bytes]:
    """Give a sample's tree, a few nodes of it replaced, dropped, doubled or wrapped, as bytes."""
    weird = WEIRD_JSON if is_json else WEIRD
    changes = st.lists(
        st.tuples(
            st.integers(0, _PLACE_MAX - 1),
            st.integers(0, len(_TREE_CHANGES) - 1),
            st.integers(0, len(weird) - 1),
        ),
        min_size=1,
        max_size=3,
    )

    def change(recipe: tuple[int, Sequence[tuple[int, int, int]]]) -> bytes:
        sample = samples[recipe[0]]
        holder = [json.loads(sample) if is_json else cbor2.loads(sample)]
        for place, kind, number in recipe[1]:
            nodes = list(_places(holder))
            if nodes:
                parent, key = nodes[place % len(nodes)]
                _change(parent, key, _TREE_CHANGES[kind], _copied(weird[number]))
        tree = holder[0] if holder else None
        return _json_text(tree) if is_json else cbor2.dumps(tree)

    return st.tuples(st.integers(0, len(samples) - 1), changes).map(change)


def _flip(data: bytes, at: int, number: int, _other: bytes) -> bytes:
    return data[:at] + bytes(byte ^ 1 << number % 8 for byte in data[at : at + 1]) + data[at + 1 :]


def _set(data: bytes, at: int, number: int, _other: bytes) -> bytes:
    return data[:at] + bytes([number]) + data[at + 1 :]


def _cut(data: bytes, at: int, _number: int, _other: bytes) -> bytes:
    return data[:at]


def _drop(data: bytes, at: int, number: int, _other: bytes) -> bytes:
    return data[:at] + data[at + 1 + number % 40 :]


def _double(data: bytes, at: int, number: int, _other: bytes) -> bytes:
    return data[: at + number] + data[at:]


def _insert(data: bytes, at: int, number: int, _other: bytes) -> bytes:
    return data[:at] + TOKENS[number % len(TOKENS)] + data[at:]


def _overwrite(data: bytes, at: int, number: int, _other: bytes) -> bytes:
    token = TOKENS[number % len(TOKENS)]
    return data[:at] + token + data[at + len(token) :]


def _splice(data: bytes, at: int, number: int, other: bytes) -> bytes:
    return data[:at] + other[number * len(other) // 256 :]


def _bury(data: bytes, at: int, number: int, _other: bytes) -> bytes:
    """Put the rest one array deeper, many times."""
    return data[:at] + b"\x81" * number + data[at:]


def _repeat(data: bytes, _at: int, number: int, _other: bytes) -> bytes:
    return (data * (1 + number % 8))[: 256 * 1024]


_EDITS: Final[tuple[Edit, ...]] = (
    _flip, _set, _cut, _drop, _double, _insert, _overwrite, _splice, _bury, _repeat,
)  # fmt: skip


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Walk every place at which a value stands, as its container and the key in it."""
    waiting = [node]
    while waiting:
        group = waiting.pop()
        for key in range(len(group)) if isinstance(group, list) else list(group):
            yield group, key
            if isinstance(group[key], list | dict):
                waiting.append(group[key])


_TREE_CHANGES: Final = ("replace", "replace", "drop", "double", "wrap", "rename", "empty")


_KEYS: Final = (str, int, float, bytes, type(None))


def _change(parent: Any, key: Any, change: str, weird: Any) -> None:
    value = parent[key]
    match change:
        case "replace":
            parent[key] = weird
        case "drop":
            del parent[key]
        case "wrap":
            parent[key] = [value]
        case "empty":
            parent[key] = value[:0] if isinstance(value, list | str | bytes) else {}
        case "double" if isinstance(parent, list):
            parent.insert(key, _copied(value))
        case "rename" if isinstance(parent, dict) and isinstance(weird, _KEYS):
            parent[weird] = parent.pop(key)
        case _:
            parent[key] = [value, weird]


def _copied(value: Any) -> Any:
    return deepcopy(value) if isinstance(value, list | dict) else value


def _json_text(tree: Any) -> bytes:
    return json.dumps(tree, default=repr, skipkeys=True).encode()
