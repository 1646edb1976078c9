"""``enrollkit demo``."""

from __future__ import annotations


def run() -> None:
    """Show the kit."""
