"""Small inputs that ask for much memory; run as a program, it reads them all under a limit.

The limit is the system's own, on the address space of the process: it counts what C libraries take
too. A reader that takes more fails with ``MemoryError``, which no reader may say.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from aadhaar_samples import digits_of
from enrollkit.app.row_files import LINE_BYTES_MAX, read_rows
from enrollkit.cards import base45
from fuzz_samples import DEVICE, SERVER
from fuzz_targets import TARGETS
from sync.bundle import read_file
from sync.dictionaries import CURRENT, _dictionary, decompress, zstd
from sync.errors import OperatorError, TooLarge
from sync.protocol import LIMITS
from sync.sealing import sign

__all__ = ["ALLOWANCE_BYTES", "BOMBS", "Bomb"]

ALLOWANCE_BYTES: Final = 96 * 1024 * 1024
"""What all readers together may take beyond the program itself: the largest thing that is read
whole is a page of news of 8 MiB, whose frame may ask for a window of 8 MiB more.
"""

Bomb = Callable[[], object]

_HUGE: Final = 256 * 1024**2
_PIECE: Final = bytes(1024 * 1024)


@cache
def _zeros() -> bytes:
    """Compress a quarter of a gibibyte of zeros."""
    packer = zstd.ZstdCompressor(level=1, zstd_dict=_dictionary(CURRENT))
    return b"".join([*(packer.compress(_PIECE) for _ in range(256)), packer.flush()])


def _wide_window() -> bytes:
    """Ask for a window of 2 GiB: head of a frame (RFC 8878, 3.1.1) without a content size."""
    return bytes.fromhex("28b52ffd00a8") + bytes.fromhex("010000") + b"x"


def _promised_size() -> bytes:
    """Promise 2^60 bytes of content in the frame's head."""
    return bytes.fromhex("28b52ffde0") + (2**60).to_bytes(8, "little") + bytes.fromhex("010000")


def _zlib_zeros() -> bytes:
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(_PIECE) for _ in range(256)), packer.flush()])


def _nested(levels: int) -> bytes:
    return b"\x81" * levels + b"\x00"


def _lies(head: str) -> bytes:
    return bytes.fromhex(head) + bytes(64)


def _rows_of(suffix: str, size: int, line: bytes = b"") -> int:
    """Read a file with holes: it looks like so many bytes and takes no room."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rows{suffix}"
        with path.open("wb") as file:
            file.write(b"name,gender\n" + line)
            file.truncate(size)
        return sum(1 for _row in read_rows(path))


def _stick_of_holes() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "huge.ekb"
        with path.open("wb") as file:
            file.truncate(_HUGE)
        return read_file(path)


def _read(target: str, data: bytes) -> Bomb:
    return lambda: TARGETS[target].run(data)


def _decompressed(data: bytes) -> object:
    return decompress(data, CURRENT, bytes_max=LIMITS.feed_page_bytes_max)


BOMBS: Final[dict[str, Bomb]] = {
    "much in a batch": lambda: TARGETS["operations-frame"].run(_zeros()),
    "much in a page of news": lambda: _decompressed(_zeros()),
    "a window of two gibibytes": lambda: _decompressed(_wide_window()),
    "a promise of an exbibyte": lambda: _decompressed(_promised_size()),
    "much in a programme": lambda: TARGETS["programme"].run(
        sign(_zeros(), ["programme", CURRENT], SERVER)
    ),
    "an array of 2^32 things": _read("cbor", _lies("9b0000000100000000")),
    "a map of 2^62 things": _read("cbor", _lies("bb3fffffffffffffff")),
    "a text of 2^62 bytes": _read("cbor", _lies("7b3fffffffffffffff")),
    "arrays in arrays in arrays": _read("cbor", _nested(100_000)),
    "a million empty arrays": _read("cbor", b"\x9a\x00\x0f\x42\x40" + b"\x80" * 1_000_000),
    "an item of 2^40 bytes in a sequence": _read("sequence", b"\x00" + _lies("5b0000010000000000")),
    "a hello of 2^32 fields": lambda: TARGETS["hello-of-a-stranger"].run(_lies("9affffffff")),
    "a header of 2^32 fields": _read("protected-header", _lies("baffffffff")),
    "verdicts without end": _read("receipt", b"\x89" + _lies("48")[:9] * 3 + _lies("9affffffff")),
    "a batch whose rows are a million zeros": lambda: TARGETS["batch-of-rows"].run(
        b"\x9a\x00\x0f\x42\x40" + bytes(1_000_000)
    ),
    "a batch of a byte too many": lambda: TARGETS["batch-of-rows"].run(
        bytes(LIMITS.plain_batch_bytes_max + 1)
    ),
    "a card that unfolds to 256 MiB": lambda: TARGETS["card"].run(
        base45.encode(_zlib_zeros()[:5000]).encode()
    ),
    "a card of a token that nests": _read("card-token", _nested(5000)),
    "an Aadhaar code that unfolds to 256 MiB": lambda: TARGETS["aadhaar-digits"].run(
        digits_of(_zlib_zeros()[:2900]).encode()
    ),
    "an Aadhaar code of a million digits": _read("aadhaar-digits", b"9" * 1_000_000),
    "an Aadhaar code of nothing but delimiters": _read("aadhaar-content", b"\xff" * 60_000),
    "a letter of nothing but quotes": _read("aadhaar-letter", b'<PrintLetterBarcodeData a="' * 300),
    "a certificate that says it is long": _read("anchor", _lies("3084ffffffff")),
    "a file on a stick without end": _stick_of_holes,
    "a line without end": lambda: _rows_of(".jsonl", _HUGE),
    "a cell without end": lambda: _rows_of(".csv", _HUGE, b'"'),
    "a line of brackets": lambda: _rows_of(".jsonl", 0, b"[" * (LINE_BYTES_MAX - 20)),
    "a table of many columns": lambda: _rows_of(
        ".csv", 12 + 9 * 2000, (b",a.b.c.d" * 7000) + b"\n"
    ),
    "keys in keys in a key file": _read("keyring", b'{"slots":' * 7000),
    "a number of a million digits": _read("shapes-json", b"9" * 1_000_000),
    "an error map that nests": _read(
        "refusal", b"\x01\xf7application/cbor\n\n\n\n" + _nested(9000)
    ),
    "a long code": _read("scanned", b"9 " * 5_000_000),
    "a signature over nothing": lambda: TARGETS["signed-batch"].run(sign(b"", ["batch"], DEVICE)),
}


def _explode() -> dict[str, str]:
    """Read each; give what it came to."""
    ends: dict[str, str] = {}
    for name, bomb in BOMBS.items():
        try:
            bomb()
            ends[name] = "read"
        except OperatorError as error:
            ends[name] = error.code
        except MemoryError:
            ends[name] = "MemoryError"
    return ends


def _limit() -> None:
    import resource  # noqa: PLC0415 - not on Windows

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + ALLOWANCE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    for reader in TARGETS.values():  # what is made once and kept is not counted
        reader.run(reader.samples()[0])
    assert issubclass(TooLarge, OperatorError)
    _limit()
    json.dump(_explode(), sys.stdout)
