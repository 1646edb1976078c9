"""Pieces that readers stumble over: lengths that lie, tags, endless nesting, odd letters."""

from __future__ import annotations

from typing import Any, Final

import cbor2

__all__ = ["TOKENS", "WEIRD", "WEIRD_JSON"]

TOKENS: Final[tuple[bytes, ...]] = (
    # CBOR: byte string, text, array and map that promise more than there is; endless ones
    b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", b"\x5a\x7f\xff\xff\xff", b"\x59\xff\xff", b"\x58\xff",
    b"\x7b\x00\x00\x00\x7f\xff\xff\xff\xff", b"\x9b\x00\x00\x00\x01\x00\x00\x00\x00",
    b"\x9a\x00\x03\x0d\x40", b"\xbb\x7f\xff\xff\xff\xff\xff\xff\xff", b"\xba\x00\x01\x86\xa0",
    b"\x5f", b"\x7f", b"\x9f", b"\xbf", b"\xff", b"\x81" * 40, b"\xa1\x61k" * 20,
    # CBOR: tags (COSE, big numbers, shared references, dates), simple values, numbers
    b"\xd2", b"\xd8\x3d", b"\xc2\x49\x01" + bytes(8), b"\xd8\x1c\x81\xd8\x1d\x00", b"\xc0", b"\xc1",
    b"\xd9\x01\x02", b"\xf4", b"\xf5", b"\xf6", b"\xf7", b"\xe0", b"\xf8\xff", b"\xf9\x7e\x00",
    b"\xf9\x7c\x00", b"\xfb\x7f\xf8" + bytes(6), b"\x1b" + b"\xff" * 8, b"\x3b" + b"\xff" * 8,
    b"\x1b\x7f" + b"\xff" * 7, b"\x18\x00", b"\x40", b"\x60", b"\x80", b"\xa0", b"\x61\xff",
    # How frames of Zstandard and zlib begin
    b"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfd\xe4" + b"\xff" * 8, b"\x50\x2a\x4d\x18", b"\x78\xda",
    # JSON and CSV
    b"[" * 40, b'{"a":' * 40, b"1e999", b"-0", b"9" * 25, b"9" * 4400, b"NaN", b"Infinity",
    b'"\\ud800"', b'"\\u0000"', b"null", b"true", b"{}", b"[]", b'""', b'"', b",", b";", b"\n",
    b"\r", b"\x00", b".", b"birth.", b"__proto__",
    # Letters
    b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\xe2\x80\x8d", b"\xed\xa0\x80", b"\xe0\xa5\xaf" * 12,
    b"\xef\xbc\x99" * 12, b"\xf0\x9f\x92\x89", b"    ", b"9999 4105 7058", b"9 9 9 9 4 1 0 5 7",
    # Times and numbers of HTTP
    b"Sun, 22 Nov 99999999999999999999 10:00:00 GMT", b"Sun, 22 Nov 2026 10:00:00 +9999", b"-1",
)  # fmt: skip

WEIRD_JSON: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 23, 24, 2**31, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**63),
    0.0, 1.0, 1.5, -1e300, "", "0", "\x00", "x" * 61, "9" * 400, "é" * 70_000, "\u202e", "99-9",
    [], {}, [[]], [{}] * 300, {"": ""}, {"a/b~c": 1}, {"code": 1}, {"x" * 3000: None}, [0] * 1001,
    [[[[[[[[[[[[[[[]]]]]]]]]]]]]]], {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}}},
)  # fmt: skip
"""Values that stand in the place of others in something that was well-formed."""

WEIRD: Final[tuple[Any, ...]] = (
    *WEIRD_JSON,
    -(2**64), float("nan"), float("inf"), b"", b"\x00", bytes(8), bytes(16), bytes(32), bytes(33),
    bytes(1216), bytes(49_153), {1: 1}, {b"k": 1}, {None: 1}, {(1, 2): 3}, {1.5: 0},
    cbor2.undefined, cbor2.CBORSimpleValue(99), cbor2.CBORTag(2, bytes([1]) * 9),
    cbor2.CBORTag(18, []), cbor2.CBORTag(4, [1, 2]), cbor2.CBORTag(999, "x"), -(2**70), 2**70,
)  # fmt: skip
"""The same, of all that CBOR can say."""
