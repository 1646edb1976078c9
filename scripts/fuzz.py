"""Feed every reader of outside bytes with what atheris (libFuzzer) thinks up, for a while each.

    python scripts/fuzz.py --seconds 60              every target
    python scripts/fuzz.py --seconds 20 cbor card    these two
    python scripts/fuzz.py --list

The targets and what each may say are in ``tests/support/fuzz_targets.py``; the suite feeds the same
ones with Hypothesis. atheris is no dependency of the project: ``pip install atheris`` first. Inputs
that broke something are kept in ``build/fuzz``; add them to ``tests/fuzz/test_found.py``.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
FOUND: Final = ROOT / "build" / "fuzz"
SKIPPED: Final = 77
"""The exit code of a check that could not be made here."""

_INPUT_BYTES_MAX: Final = 64 * 1024
_INPUT_SECONDS_MAX: Final = 10
_MEMORY_MIB_MAX: Final = 1024
_ALLOCATION_MIB_MAX: Final = 256


def main() -> int:
    """Fuzz the chosen targets one after the other; 1 when something was found, 77 if not here."""
    asked = _arguments()
    sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]
    if asked.one:
        return _fuzz_here(asked.one, asked.seconds, Path(asked.corpus))
    names = _names(asked.targets)
    if asked.list:
        print("\n".join(names))
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("skipped: atheris is not installed (pip install atheris)")
        return SKIPPED
    print(f"{'target':24} {'inputs':>9} {'per s':>7} {'MiB':>5}  result", flush=True)
    results = [_fuzz_apart(name, asked.seconds) for name in names]
    broken = results.count(False)
    print(f"{len(names)} targets, {broken} with a finding" + (f" in {FOUND}" if broken else ""))
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("targets", nargs="*", help="names of targets; all when none is given")
    parser.add_argument("--seconds", type=int, default=20, help="for each target (20)")
    parser.add_argument("--list", action="store_true", help="print the names of the targets")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--corpus", help=argparse.SUPPRESS)
    return parser.parse_args()


def _names(asked: list[str]) -> list[str]:
    known = list(importlib.import_module("fuzz_targets").TARGETS)
    unknown = sorted(set(asked) - set(known))
    if unknown:
        sys.exit(f"no such target: {', '.join(unknown)}; see --list")
    return asked or known


def _fuzz_apart(name: str, seconds: int) -> bool:
    """Run one target in a process of its own; whether nothing was found."""
    FOUND.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="enrollkit-fuzz-") as corpus:
        run = subprocess.run(
            [
                sys.executable,
                __file__,
                "--one",
                name,
                "--seconds",
                str(seconds),
                "--corpus",
                corpus,
            ],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    said = run.stdout.decode("utf-8", "replace")
    inputs, rate, memory = (
        _figure(said, f"stat::{word}")
        for word in ("number_of_executed_units", "average_exec_per_sec", "peak_rss_mb")
    )
    passed = run.returncode == 0 and inputs > 0
    result = "nothing found" if passed else f"FOUND: {_last_error(said)}"
    if not passed:
        (FOUND / f"{name}.log").write_text(said, encoding="utf-8")
        rate = rate or round(inputs / max(1.0, time.monotonic() - start))
    print(f"{name:24} {inputs:9} {rate:7} {memory:5}  {result}", flush=True)
    return passed


def _figure(said: str, name: str) -> int:
    found = re.search(rf"^{re.escape(name)}: +(\d+)", said, re.MULTILINE)
    return int(found[1]) if found else 0


def _last_error(said: str) -> str:
    """Find the line that names the error: Python's, or libFuzzer's own."""
    lines = [line for line in said.splitlines() if re.match(r"(\w+\.)*\w+(Error|Slow|\b):", line)]
    own = [line for line in said.splitlines() if "ERROR: libFuzzer" in line]
    return (lines or own or said.splitlines() or ["it ended without a word"])[-1][:200]


def _fuzz_here(name: str, seconds: int, corpus: Path) -> int:
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["sync", "schemas", "enrollkit"]):
        target: Any = importlib.import_module("fuzz_targets").TARGETS[name]
    for number, sample in enumerate(target.samples()):
        (corpus / f"sample-{number}").write_bytes(sample)
    words = corpus.with_suffix(".dict")
    words.write_text(_dictionary(), encoding="ascii")
    options = {
        "max_total_time": seconds,
        "max_len": _INPUT_BYTES_MAX,
        "timeout": _INPUT_SECONDS_MAX,
        "rss_limit_mb": _MEMORY_MIB_MAX,
        "malloc_limit_mb": _ALLOCATION_MIB_MAX,
        "print_final_stats": 1,
        "dict": words,
        "artifact_prefix": FOUND / f"{name}-",
    }
    settings = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([sys.argv[0], *settings, str(corpus)], target.read)
    atheris.Fuzz()  # ends the process
    return 0


def _dictionary() -> str:
    """Write the tokens as libFuzzer reads them."""
    tokens = importlib.import_module("fuzz_tokens").TOKENS
    return "".join(
        '"' + "".join(f"\\x{byte:02x}" for byte in token) + '"\n'
        for token in tokens
        if len(token) <= 64  # noqa: PLR2004 - libFuzzer takes no longer ones
    )


if __name__ == "__main__":
    sys.exit(main())
