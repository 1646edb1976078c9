"""States and districts by LGD code, against which the practice ABDM checks an enrollment.

``data/lgd.json`` is written by ``scripts/make_places.py``, as the kit's own list is, and is the
same file: the server must not reach into the kit.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

__all__ = ["place_names"]


def place_names(state: int, district: int) -> tuple[str, str] | None:
    """Give the names of a state and a district in it; ``None`` when they do not belong together."""
    return _places().get((state, district))


@cache
def _places() -> dict[tuple[int, int], tuple[str, str]]:
    text = (files("sync.server.sandbox") / "data" / "lgd.json").read_text(encoding="utf-8")
    return {
        (state["code"], code): (state["name"], name)
        for state in json.loads(text)["states"]
        for code, name in state["districts"]
    }
