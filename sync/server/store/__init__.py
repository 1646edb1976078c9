"""What the server keeps, in SQLite or PostgreSQL."""

from __future__ import annotations

from sync.server.store.database import Store, insert_once

__all__ = ["Store", "insert_once"]
