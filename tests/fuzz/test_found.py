"""What fuzzers found, one input each: it stays mended."""

from __future__ import annotations

from typing import Any

import pytest

from fuzz_targets import TARGETS
from sync import wire
from sync.errors import EnvelopeInvalid


def _row(*, kind: Any = 3, captured: Any = 5) -> bytes:
    return wire.encode([[kind, bytes(16), 0, 1, captured, {}]])


def _answer(retry_after: str) -> bytes:
    return b"\x01\xf7text/html\n\n" + retry_after.encode() + b"\nSun, 22 Nov 2026 10:00:00 GMT\n"


@pytest.mark.parametrize(
    ("target", "data"),
    [
        pytest.param(
            "refusal", _answer("Sun, 22 Nov 99999999999999999999 10:00:00 GMT"), id="year"
        ),
        pytest.param("refusal", _answer("Sun, 22 Nov 2026 10:00:00 +99999999999999"), id="zone"),
        pytest.param("scanned", b'{"hid":"9999    9789    9787"}', id="wide"),
        pytest.param("scanned", b"ht9999" + bytes(9) + b"97899787", id="invisible"),
    ],
)
def test_this_is_read_without_harm(target: str, data: bytes) -> None:
    TARGETS[target].run(data)


@pytest.mark.parametrize(
    ("target", "data"),
    [
        pytest.param("operations", _row(kind=True), id="a kind that is true"),
        pytest.param("operations", _row(kind=[1, 2]), id="a kind that is a list"),
        pytest.param("operations", _row(kind=None), id="a kind that is nothing"),
        pytest.param("operations", _row(captured=True), id="a time that is true"),
        pytest.param("operations", _row(captured=0.5), id="a time that is half a second"),
        pytest.param(
            "receipt",
            wire.encode([
                bytes(8), bytes(8), bytes(8), 1, bytes(32), b"\x00\x00", 0, 0, b"",
            ]),
            id="verdicts that are bytes",
        ),
    ],
)  # fmt: skip
def test_this_is_refused(target: str, data: bytes) -> None:
    with pytest.raises(EnvelopeInvalid):
        TARGETS[target].run(data)
