"""Alembic, run from inside the program: nobody types its command, no file configures it."""

from __future__ import annotations

from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from sync.server.errors import DatabaseTooNew

__all__ = ["upgrade"]

_MIGRATIONS: Final = "sync.server.store:migrations"


def upgrade(connection: Connection, current: str | None) -> None:
    """Run every migration after ``current``; ``DatabaseTooNew`` when this code has no such one."""
    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise DatabaseTooNew(current)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
