"""Keeps a draft on disk behind the typing: the newest state wins, one write at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["DraftKeeper"]

SaveDraft = Callable[[str, Mapping[str, Any], str], object]


class DraftKeeper:
    """Saves one draft. States that come while a write runs collapse into the last of them."""

    def __init__(self, save: SaveDraft, draft_id: str) -> None:
        self._save = save
        self._draft_id = draft_id
        self._wanted: tuple[Mapping[str, Any], str] | None = None
        self._writing = asyncio.Lock()
        self._over = False

    async def keep(self, row: Mapping[str, Any], step: str) -> None:
        """Return when this state, or a newer one, is on disk; errors of the kit pass through."""
        self._wanted = (row, step)
        async with self._writing:
            wanted = self._take()
            if wanted is None:
                return
            try:
                await asyncio.to_thread(self._save, self._draft_id, *wanted)
            except BaseException:
                self._remember(wanted)
                raise

    def _take(self) -> tuple[Mapping[str, Any], str] | None:
        wanted, self._wanted = self._wanted, None
        return None if self._over else wanted

    def _remember(self, state: tuple[Mapping[str, Any], str]) -> None:
        """A state that could not be written is written with the next, unless a newer came."""
        if self._wanted is None:
            self._wanted = state

    async def stop(self) -> None:
        """Write nothing any more: the draft became an enrollment, or was discarded."""
        async with self._writing:
            self._over = True
            self._wanted = None
