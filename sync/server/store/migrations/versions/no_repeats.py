"""No two batches of a life have an operation number in common any more: the second forks."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Drop the table of verdicts on operations that a second batch carried once more."""
    op.drop_table("repeats")
