"""Alembic's entry: it works on the connection that :class:`sync.server.store.Store` hands in."""

from __future__ import annotations

from alembic import context

from sync.server.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite changes a table by writing it anew
)
context.run_migrations()
