"""What the terminal and its environment say before anything is drawn."""

from __future__ import annotations

import os
import sys

__all__ = ["allowed_mb", "must_be_ascii"]


def must_be_ascii() -> bool:
    """Whether to draw without characters beyond ASCII; ``ENROLLKIT_ASCII`` goes first."""
    if "ENROLLKIT_ASCII" in os.environ:
        return os.environ["ENROLLKIT_ASCII"] not in {"", "0"}
    encoding = getattr(sys.stdout, "encoding", None) or ""
    return not encoding.lower().replace("-", "").startswith("utf")


def allowed_mb() -> float | None:
    """Give what may travel in a day (``ENROLLKIT_LIMIT_MB``); what is no number bounds nothing,
    and the screen then shows no bound.
    """
    try:
        allowed = float(os.environ.get("ENROLLKIT_LIMIT_MB", ""))
    except ValueError:
        return None
    return allowed if allowed > 0 else None
