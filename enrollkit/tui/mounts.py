"""Where sticks turn up: what is mounted under the usual folders, or has a drive letter."""

from __future__ import annotations

import os
import string
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = ["find_sticks"]

_PLACES: Final = (
    ("media", 2),  # /media/USER/STICK, and /media/STICK on older systems
    ("run/media", 2),
    ("mnt", 1),
    ("Volumes", 1),
)
_FIRST_LETTER: Final = "D"
"""A and B were diskettes; C is the disk that Windows lies on."""
_FOUND_MAX: Final = 12


def find_sticks(
    *,
    root: Path = Path("/"),
    platform: str = sys.platform,
    is_mounted: Callable[[Path], bool] = os.path.ismount,
) -> list[Path]:
    """Give the folders of sticks that are plugged in now, in a steady order.

    ``root``, ``platform`` and ``is_mounted`` are the machine's own unless a test says otherwise.
    """
    if platform == "win32":
        letters = string.ascii_uppercase[string.ascii_uppercase.index(_FIRST_LETTER) :]
        drives = [Path(f"{letter}:\\") for letter in letters]
        return [drive for drive in drives if is_mounted(drive)][:_FOUND_MAX]
    found = []
    for name, depth in _PLACES:
        for level in range(1, depth + 1):
            pattern = "/".join([name, *["*"] * level])
            found += [path for path in sorted(_folders(root, pattern)) if is_mounted(path)]
    return found[:_FOUND_MAX]


def _folders(root: Path, pattern: str) -> list[Path]:
    """Give the folders that fit; what may not be looked into is passed over."""
    try:
        return [path for path in root.glob(pattern) if path.is_dir()]
    except OSError:
        return []
