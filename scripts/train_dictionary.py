"""Train a zstd dictionary from intake rows, for sync/dictionaries.

Usage: train_dictionary.py OUT.zdict ROWS.jsonl[:FROM-TO] …

Rows are intake rows of invented people (never real ones: a dictionary holds pieces of what it was
trained on, and everybody gets it).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from backports import zstd

from enrollkit.domain.enrollment import without_nulls
from sync.wire import encode

DICTIONARY_BYTES: Final = 48 * 1024


def main(arguments: list[str]) -> int:
    """Read the rows, train, write; give the exit code."""
    if len(arguments) < 2:  # noqa: PLR2004 - the output and at least one input
        print(__doc__)
        return 2
    samples = [encode(body) for source in arguments[1:] for body in bodies(source)]
    dictionary = zstd.train_dict(samples, DICTIONARY_BYTES)
    Path(arguments[0]).write_bytes(dictionary.dict_content)
    print(f"{len(samples)} samples, {len(dictionary.dict_content)} bytes")
    return 0


def bodies(source: str) -> list[dict[str, Any]]:
    """Read ``FILE`` or ``FILE:FROM-TO`` (line numbers, both included) as operation bodies."""
    path, _, span = source.partition(":")
    rows = Path(path).read_text(encoding="utf-8").splitlines()
    if span:
        first, last = (int(number) for number in span.split("-"))
        rows = rows[first - 1 : last]
    return [body(json.loads(row)) for row in rows]


def body(row: dict[str, Any]) -> dict[str, Any]:
    """Shape an intake row as the body that travels."""
    number = row.pop("aadhaar", None)
    if number:
        row |= {"aadhaar_last4": number[-4:], "capture_session": "0" * 16}
    return without_nulls(row)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
