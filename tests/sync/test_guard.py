"""CBOR that asks for too much is refused before it is decoded."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.wire.guard import DEPTH_MAX, demand_harmless

ITEMS_MAX = 2000

LEAVES = (
    st.integers(-(2**63), 2**63) | st.text(max_size=20) | st.binary(max_size=20) | st.booleans()
)
VALUES = st.recursive(
    LEAVES | st.none() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 300), inner),
    max_leaves=12,
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 1


@given(VALUES)
def test_ordinary_values_pass_unless_they_nest_too_deeply(value: object) -> None:
    data = cbor2.dumps(value)
    if depth(value) < DEPTH_MAX:
        demand_harmless(data, items_max=ITEMS_MAX)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x9b" + b"\xff" * 8,
        b"\xbb" + b"\x7f" * 8,
        b"\x5b" + b"\x7f" * 8 + b"abc",
        b"\x81" * (DEPTH_MAX + 1) + b"\x00",
        b"\x9f\x00\xff",
        b"\x5f\x41a\xff",
        b"\x1c",
        b"\x00\x00",
        b"\x18",
        b"\xd8\x23\x62.*",
        b"\xc2\x41\x01",
        cbor2.dumps([0] * (ITEMS_MAX + 1)),
    ],
)
def test_greedy_deep_endless_or_tagged_items_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="cbor"):
        demand_harmless(data, items_max=ITEMS_MAX)


def test_a_tag_passes_only_by_name() -> None:
    data = cbor2.dumps(cbor2.CBORTag(18, [b""]))
    demand_harmless(data, items_max=ITEMS_MAX, tags=frozenset({18}))
    with pytest.raises(ValueError, match="tag"):
        demand_harmless(data, items_max=ITEMS_MAX, tags=frozenset({61}))


@given(st.binary(max_size=60))
def test_what_passes_never_makes_the_decoder_ask_for_more(data: bytes) -> None:
    try:
        demand_harmless(data, items_max=ITEMS_MAX)
    except ValueError:
        return
    try:
        cbor2.loads(data)
    except cbor2.CBORDecodeEOF:  # it would be a length that the guard had not understood
        pytest.fail("the decoder wanted more bytes than there are")
    except cbor2.CBORDecodeError:
        return
