"""News known by its id, and the digest of each feed up to each of its entries."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from alembic import op

from sync.chains import next_feed_digest
from sync.protocol import NO_DIGEST

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Give every entry an id and a digest; older entries get an id that follows from them."""
    op.add_column("feed", sa.Column("entry_id", sa.String(length=16)))
    op.add_column("feed", sa.Column("digest", sa.LargeBinary()))
    _mark_old_entries()
    with op.batch_alter_table("feed") as feed:
        feed.alter_column("entry_id", existing_type=sa.String(length=16), nullable=False)
        feed.alter_column("digest", existing_type=sa.LargeBinary(), nullable=False)


def _mark_old_entries() -> None:
    feed = sa.table("feed", *(sa.column(name) for name in ("device", "seq", "entry_id", "digest")))
    connection = op.get_bind()
    rows = connection.execute(
        sa.select(feed.c.device, feed.c.seq).order_by(feed.c.device, feed.c.seq)
    ).all()
    digests: dict[str, bytes] = {}
    for device, seq in rows:
        entry_id = hashlib.sha256(f"{device}{seq}".encode()).hexdigest()[:16]
        digests[device] = next_feed_digest(digests.get(device, NO_DIGEST), entry_id)
        connection.execute(
            sa.update(feed)
            .where(feed.c.device == device, feed.c.seq == seq)
            .values(entry_id=entry_id, digest=digests[device])
        )
