"""What the server keeps, in SQLite or PostgreSQL."""

from __future__ import annotations

from sync.server.store.database import Store, database_file, insert_once, open_copy

__all__ = ["Store", "database_file", "insert_once", "open_copy"]
