"""Where the kit keeps its files: one folder, named by ``ENROLLKIT_HOME`` or by the platform."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

__all__ = ["Home"]


@dataclass(frozen=True, slots=True)
class Home:
    """The data folder of one laptop."""

    folder: Path

    @classmethod
    def chosen(cls) -> Home:
        """Give the folder that ``ENROLLKIT_HOME`` names, or the platform's own for the user."""
        named = os.environ.get("ENROLLKIT_HOME")
        return cls(Path(named) if named else platformdirs.user_data_path("enrollkit", "enrollkit"))

    @property
    def keyring(self) -> Path:
        """The key file: slots, no names."""
        return self.folder / "keyring.json"

    @property
    def database(self) -> Path:
        """The encrypted database."""
        return self.folder / "enrollkit.db"

    @property
    def sync_lock(self) -> Path:
        """Held while a session runs."""
        return self.folder / "sync.lock"

    @property
    def crashes(self) -> Path:
        """Crash reports: where the program stood, no values."""
        return self.folder / "crashes"

    @property
    def is_initialised(self) -> bool:
        """Whether ``init`` was finished here."""
        return self.keyring.exists() and self.database.exists()
