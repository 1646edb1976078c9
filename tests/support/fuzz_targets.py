"""Every reader of outside bytes, by name: one table for all fuzzers.

Some readers stand behind a signature or a compression that no random change gets through. Those
are read as a hostile but known sender could write to them: the fuzzer's bytes are what is signed,
sealed or compressed.
"""

from __future__ import annotations

from typing import Final

from fuzz_target import Target
from fuzz_targets_identity import IDENTITY
from fuzz_targets_kit import KIT
from fuzz_targets_sealed import SEALED
from fuzz_targets_stick import STICK
from fuzz_targets_wire import WIRE

__all__ = ["TARGETS", "chosen"]

TARGETS: Final[dict[str, Target]] = {
    target.name: target for target in (*WIRE, *SEALED, *STICK, *KIT, *IDENTITY)
}


def chosen(names: list[str]) -> list[Target]:
    """Give the named targets, or all; ``KeyError`` for a name that is none."""
    return [TARGETS[name] for name in names or TARGETS]
