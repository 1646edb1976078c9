"""Three calm themes: one accent, one warning colour, enough contrast in each."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

__all__ = ["THEMES", "next_theme"]

THEMES: Final = (
    Theme(
        name="dark",
        primary="#7fb0d0",
        secondary="#9aa5ad",
        accent="#7fb0d0",
        warning="#e5b567",
        error="#e5b567",
        success="#8fc38f",
        foreground="#d8dcdf",
        background="#14181b",
        surface="#1c2226",
        panel="#262d32",
        dark=True,
    ),
    Theme(
        name="light",
        primary="#1f5f8b",
        secondary="#5a6670",
        accent="#1f5f8b",
        warning="#8a4b00",
        error="#8a4b00",
        success="#226b2e",
        foreground="#1d2327",
        background="#fbfbf8",
        surface="#eeefea",
        panel="#e2e4de",
        dark=False,
    ),
    Theme(
        name="contrast",
        primary="#ffff00",
        secondary="#ffffff",
        accent="#ffff00",
        warning="#ff9f40",
        error="#ff9f40",
        success="#70ff70",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#303030",
        dark=True,
    ),
)


def next_theme(name: str) -> str:
    """Give the name of the theme that follows, round and round."""
    names = [theme.name for theme in THEMES]
    return names[(names.index(name) + 1) % len(names)] if name in names else names[0]
