"""Lives that fork, versions with parents, clocks; news known by id, with a digest of each feed."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from alembic import op

from sync.chains import next_feed_digest
from sync.protocol import NO_DIGEST

revision = "0002"
down_revision = "0001"


_OF_A_LIFE = (
    "audit_heads",
    "batches",
    "chains",
    "enrollment_versions",
    "held_operations",
    "operations",
    "repeats",
)


def upgrade() -> None:
    """Bring every row of the first version along."""
    for table in _OF_A_LIFE:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN incarnation TO life")
    _lives()
    _versions()
    _clocks()
    _news()


def _lives() -> None:
    op.add_column("chains", sa.Column("incarnation", sa.String(length=16)))
    op.add_column("chains", sa.Column("base_number", sa.BigInteger()))
    op.add_column("chains", sa.Column("base_digest", sa.LargeBinary()))
    chains = sa.table(
        "chains", *(sa.column(name) for name in ("life", "incarnation", "base_number"))
    )
    digest = sa.table("chains", sa.column("base_digest", sa.LargeBinary))
    op.execute(sa.update(chains).values(incarnation=chains.c.life, base_number=0))
    op.execute(sa.update(digest).values(base_digest=NO_DIGEST))
    op.create_index("batches_by_digest", "batches", ["device", "digest"])
    with op.batch_alter_table("chains") as table:
        table.alter_column("incarnation", existing_type=sa.String(length=16), nullable=False)
        table.alter_column("base_number", existing_type=sa.BigInteger(), nullable=False)
        table.alter_column("base_digest", existing_type=sa.LargeBinary(), nullable=False)


def _versions() -> None:
    claimed = sa.Column("claimed", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("enrollment_versions", claimed)
    op.add_column("enrollment_versions", sa.Column("base_version", sa.Integer()))
    op.add_column("enrollment_versions", sa.Column("merged_from", sa.Integer()))
    op.execute("UPDATE enrollment_versions SET claimed = version")
    op.execute("UPDATE enrollment_versions SET base_version = version - 1 WHERE version > 1")
    op.create_table(
        "refusals",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("enrollment", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("base_version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.device"]),
        sa.PrimaryKeyConstraint("device", "enrollment", "version"),
    )
    op.create_index(
        "enrollment_versions_by_device",
        "enrollment_versions",
        ["enrollment", "device", "claimed"],
    )
    op.create_table(
        "witnesses",
        sa.Column("enrollment", sa.String(length=32), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["enrollment"], ["enrollments.enrollment"]),
        sa.ForeignKeyConstraint(["device"], ["devices.device"]),
        sa.PrimaryKeyConstraint("enrollment", "device"),
    )
    op.drop_index("links_once", "links")
    op.create_index(
        "links_once",
        "links",
        ["enrollment", "facility", "reference"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('REMOVED', 'SHADOWED')"),
        postgresql_where=sa.text("state NOT IN ('REMOVED', 'SHADOWED')"),
    )


def _clocks() -> None:
    op.create_table(
        "clock_readings",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("life", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("boot", sa.String(length=16), nullable=False),
        sa.Column("monotonic", sa.BigInteger(), nullable=False),
        sa.Column("wall", sa.BigInteger(), nullable=False),
        sa.Column("offset", sa.BigInteger()),
        sa.ForeignKeyConstraint(["device"], ["devices.device"]),
        sa.PrimaryKeyConstraint("device", "life", "seq"),
    )
    op.create_index("clock_readings_in_order", "clock_readings", ["device", "seq"])
    op.create_table(
        "boots",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("boot", sa.String(length=16), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.device"]),
        sa.PrimaryKeyConstraint("device", "boot"),
    )


def _news() -> None:
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
