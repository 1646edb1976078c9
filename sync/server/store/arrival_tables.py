"""What arrived from devices, and what was said about it; keyed by device.

A *life* is one chain of batches. It is called like the incarnation that wrote it, or, where two
laptops wrote under one incarnation, like the place where the second chain branches off.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from sync.server.store.metadata import CODE, DEVICE, METADATA, POINTER, RECORD

__all__ = [
    "audit_heads",
    "batches",
    "blobs",
    "boots",
    "chains",
    "chunks",
    "clock_readings",
    "held_operations",
    "operations",
    "refusals",
]

# How far each life of a device is held without gaps. ``incarnation`` is what the laptop itself
# calls it; ``base_*`` name the batch, of another life, that its first one follows (0: none).
chains = Table(
    "chains",
    METADATA,
    Column("device", DEVICE, primary_key=True),
    Column("life", DEVICE, primary_key=True),
    Column("incarnation", DEVICE, nullable=False),
    Column("base_number", BigInteger, nullable=False),
    Column("base_digest", LargeBinary, nullable=False),
    Column("held_upto", BigInteger, nullable=False),
    Column("held_digest", LargeBinary, nullable=False),
    Column("durable_upto", BigInteger, nullable=False),
    ForeignKeyConstraint(["device"], ["devices.device"]),
)

batches = Table(
    "batches",
    METADATA,
    Column("device", DEVICE, primary_key=True),
    Column("life", DEVICE, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("operation_count", Integer, nullable=False),
    Column("audit_head", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    ForeignKeyConstraint(["device"], ["devices.device"]),
    Index("batches_by_digest", "device", "digest"),
)

operations = Table(
    "operations",
    METADATA,
    Column("device", DEVICE, primary_key=True),
    Column("life", DEVICE, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("batch", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("record", RECORD, nullable=False),
    Column("operator", BigInteger, nullable=False),
    Column("captured", BigInteger, nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("code", CODE, nullable=False),
    Column("pointer", POINTER, nullable=False),
    ForeignKeyConstraint(
        ["device", "life", "batch"],
        ["batches.device", "batches.life", "batches.number"],
    ),
)

# What was held back, whole, for a person to decide or for the record it waits for. The batch is
# part of the key: two batches may carry different operations of one number.
held_operations = Table(
    "held_operations",
    METADATA,
    Column("device", DEVICE, primary_key=True),
    Column("life", DEVICE, primary_key=True),
    Column("batch", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("waits_for", RECORD),
    Column("base_version", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("payload", LargeBinary),
    ForeignKeyConstraint(
        ["device", "life", "batch"],
        ["batches.device", "batches.life", "batches.number"],
    ),
    Index("held_operations_by_record", "waits_for"),
)

blobs = Table(
    "blobs",
    METADATA,
    Column("device", DEVICE, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("media_type", String(100), nullable=False),
    Column("chunk_count", Integer, nullable=False),
    Column("completed_at", BigInteger),
    ForeignKeyConstraint(["device"], ["devices.device"]),
)

chunks = Table(
    "chunks",
    METADATA,
    Column("device", DEVICE, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    ForeignKeyConstraint(["device", "sha256"], ["blobs.device", "blobs.sha256"]),
)

# The head of a device's audit chain, as told again and again: a cut tail shows.
audit_heads = Table(
    "audit_heads",
    METADATA,
    Column("device", DEVICE, primary_key=True),
    Column("life", DEVICE, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    ForeignKeyConstraint(["device"], ["devices.device"]),
)

# What a laptop's two clocks said, as it told in an operation of its own.
clock_readings = Table(
    "clock_readings",
    METADATA,
    Column("device", DEVICE, primary_key=True),
    Column("life", DEVICE, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("boot", DEVICE, nullable=False),
    Column("monotonic", BigInteger, nullable=False),
    Column("wall", BigInteger, nullable=False),
    Column("offset", BigInteger),
    ForeignKeyConstraint(["device"], ["devices.device"]),
    Index("clock_readings_in_order", "device", "seq"),
)

# When, by the server's clock, each run of a laptop began; from its hellos.
boots = Table(
    "boots",
    METADATA,
    Column("device", DEVICE, primary_key=True),
    Column("boot", DEVICE, primary_key=True),
    Column("began_at", BigInteger, nullable=False),
    ForeignKeyConstraint(["device"], ["devices.device"]),
)

# Versions of a person that were refused: the correction that follows one finds nothing to correct.
refusals = Table(
    "refusals",
    METADATA,
    Column("device", DEVICE, primary_key=True),
    Column("enrollment", RECORD, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("base_version", BigInteger, nullable=False),
    ForeignKeyConstraint(["device"], ["devices.device"]),
)
