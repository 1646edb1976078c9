"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table of the first version."""
    _programme()
    _devices()
    _intake()
    _people()


def _programme() -> None:
    op.create_table(
        "consents",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("official", sa.Boolean(), nullable=False),
        sa.Column("installed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", "version", "language"),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "programmes",
        sa.Column("serial", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("serial"),
    )


def _devices() -> None:
    op.create_table(
        "approvals",
        sa.Column("approval_code", sa.String(length=20), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=False),
        sa.Column("used_by", sa.String(length=16)),
        sa.PrimaryKeyConstraint("approval_code"),
    )
    op.create_table(
        "devices",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("seal_key", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("approval_code", sa.String(length=20), nullable=False),
        sa.Column("first_contact", sa.BigInteger(), nullable=False),
        sa.Column("last_contact", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("feed_head", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("feed_served", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("device"),
    )
    op.create_index("devices_by_code", "devices", ["approval_code"], unique=False)
    op.create_table(
        "blobs",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("chunk_count", sa.Integer(), nullable=False),
        sa.Column("completed_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.device"],
        ),
        sa.PrimaryKeyConstraint("device", "sha256"),
    )
    op.create_table(
        "chains",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("incarnation", sa.String(length=16), nullable=False),
        sa.Column("held_upto", sa.BigInteger(), nullable=False),
        sa.Column("held_digest", sa.LargeBinary(), nullable=False),
        sa.Column("durable_upto", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.device"],
        ),
        sa.PrimaryKeyConstraint("device", "incarnation"),
    )
    op.create_table(
        "feed",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.String(length=32)),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.device"],
        ),
        sa.PrimaryKeyConstraint("device", "seq"),
    )
    op.create_table(
        "chunks",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device", "sha256"],
            ["blobs.device", "blobs.sha256"],
        ),
        sa.PrimaryKeyConstraint("device", "sha256", "place"),
    )


def _intake() -> None:
    op.create_table(
        "audit_heads",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("incarnation", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.device"]),
        sa.PrimaryKeyConstraint("device", "incarnation", "seq"),
    )
    op.create_table(
        "batches",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("incarnation", sa.String(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("operation_count", sa.Integer(), nullable=False),
        sa.Column("audit_head", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.device"],
        ),
        sa.PrimaryKeyConstraint("device", "incarnation", "number"),
    )
    op.create_table(
        "held_operations",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("incarnation", sa.String(length=16), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("waits_for", sa.String(length=32)),
        sa.Column("base_version", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary()),
        sa.ForeignKeyConstraint(
            ["device", "incarnation", "batch"],
            ["batches.device", "batches.incarnation", "batches.number"],
        ),
        sa.PrimaryKeyConstraint("device", "incarnation", "batch", "seq"),
    )
    op.create_index("held_operations_by_record", "held_operations", ["waits_for"], unique=False)
    op.create_table(
        "operations",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("incarnation", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("record", sa.String(length=32), nullable=False),
        sa.Column("operator", sa.BigInteger(), nullable=False),
        sa.Column("captured", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("pointer", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["device", "incarnation", "batch"],
            ["batches.device", "batches.incarnation", "batches.number"],
        ),
        sa.PrimaryKeyConstraint("device", "incarnation", "seq"),
    )
    op.create_table(
        "repeats",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("incarnation", sa.String(length=16), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["device", "incarnation", "batch"],
            ["batches.device", "batches.incarnation", "batches.number"],
        ),
        sa.PrimaryKeyConstraint("device", "incarnation", "batch", "seq"),
    )


def _people() -> None:
    op.create_table(
        "enrollments",
        sa.Column("enrollment", sa.String(length=32), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("abha_number", sa.String(length=17)),
        sa.Column("abha_address", sa.String(length=60)),
        sa.PrimaryKeyConstraint("enrollment"),
    )
    op.create_index("enrollments_by_state", "enrollments", ["state"], unique=False)
    op.create_table(
        "enrollment_versions",
        sa.Column("enrollment", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("incarnation", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("operator", sa.BigInteger(), nullable=False),
        sa.Column("captured", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrollment"],
            ["enrollments.enrollment"],
        ),
        sa.PrimaryKeyConstraint("enrollment", "version"),
    )
    op.create_table(
        "links",
        sa.Column("enrollment", sa.String(length=32), nullable=False),
        sa.Column("link", sa.String(length=32), nullable=False),
        sa.Column("facility", sa.String(length=12), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrollment"],
            ["enrollments.enrollment"],
        ),
        sa.PrimaryKeyConstraint("enrollment", "link"),
    )
    op.create_index(
        "links_once",
        "links",
        ["enrollment", "facility", "reference"],
        unique=True,
        sqlite_where=sa.text("state <> 'REMOVED'"),
        postgresql_where=sa.text("state <> 'REMOVED'"),
    )
    op.create_table(
        "sealed_ids",
        sa.Column("enrollment", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("capture_session", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrollment", "version"],
            ["enrollment_versions.enrollment", "enrollment_versions.version"],
        ),
        sa.PrimaryKeyConstraint("enrollment", "version"),
    )
