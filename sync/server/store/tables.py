"""The tables. Each key begins with a device or an enrollment: what a cluster would shard by.

``consents``, ``programmes`` and ``meta`` are small and the same everywhere. Times are seconds
since 1970 UTC by the server's clock unless they are called ``captured``.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

__all__ = [
    "METADATA",
    "approvals",
    "audit_heads",
    "batches",
    "blobs",
    "chains",
    "chunks",
    "consents",
    "devices",
    "enrollment_versions",
    "enrollments",
    "feed",
    "held_operations",
    "links",
    "meta",
    "operations",
    "programmes",
    "repeats",
    "sealed_ids",
]

METADATA: Final = MetaData()

_DEVICE: Final = String(16)
_RECORD: Final = String(32)
_CODE: Final = String(60)
_POINTER: Final = String(200)


meta = Table(
    "meta",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

devices = Table(
    "devices",
    METADATA,
    Column("device", _DEVICE, primary_key=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("seal_key", LargeBinary, nullable=False),
    Column("state", String(10), nullable=False),
    Column("approval_code", String(20), nullable=False),
    Column("first_contact", BigInteger, nullable=False),
    Column("last_contact", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    # The newest entry of this device's feed, and the newest that ever left for it.
    Column("feed_head", BigInteger, nullable=False, server_default=text("0")),
    Column("feed_served", BigInteger, nullable=False, server_default=text("0")),
    Index("devices_by_code", "approval_code"),
)

# Codes that the office approved before the laptop's first contact.
approvals = Table(
    "approvals",
    METADATA,
    Column("approval_code", String(20), primary_key=True),
    Column("approved_at", BigInteger, nullable=False),
    Column("used_by", _DEVICE),
)

# How far each life of a device is held without gaps.
chains = Table(
    "chains",
    METADATA,
    Column("device", _DEVICE, primary_key=True),
    Column("incarnation", _DEVICE, primary_key=True),
    Column("held_upto", BigInteger, nullable=False),
    Column("held_digest", LargeBinary, nullable=False),
    Column("durable_upto", BigInteger, nullable=False),
    ForeignKeyConstraint(["device"], ["devices.device"]),
)

batches = Table(
    "batches",
    METADATA,
    Column("device", _DEVICE, primary_key=True),
    Column("incarnation", _DEVICE, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("operation_count", Integer, nullable=False),
    Column("audit_head", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    ForeignKeyConstraint(["device"], ["devices.device"]),
)

operations = Table(
    "operations",
    METADATA,
    Column("device", _DEVICE, primary_key=True),
    Column("incarnation", _DEVICE, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("batch", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("record", _RECORD, nullable=False),
    Column("operator", BigInteger, nullable=False),
    Column("captured", BigInteger, nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("code", _CODE, nullable=False),
    Column("pointer", _POINTER, nullable=False),
    ForeignKeyConstraint(
        ["device", "incarnation", "batch"],
        ["batches.device", "batches.incarnation", "batches.number"],
    ),
)

# Verdicts on operations that a second batch carried once more.
repeats = Table(
    "repeats",
    METADATA,
    Column("device", _DEVICE, primary_key=True),
    Column("incarnation", _DEVICE, primary_key=True),
    Column("batch", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("outcome", String(10), nullable=False),
    Column("code", _CODE, nullable=False),
    ForeignKeyConstraint(
        ["device", "incarnation", "batch"],
        ["batches.device", "batches.incarnation", "batches.number"],
    ),
)

# What was held back, whole, for a person to decide or for the record it waits for. The batch is
# part of the key: two batches may carry different operations of one number.
held_operations = Table(
    "held_operations",
    METADATA,
    Column("device", _DEVICE, primary_key=True),
    Column("incarnation", _DEVICE, primary_key=True),
    Column("batch", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("waits_for", _RECORD),
    Column("base_version", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("payload", LargeBinary),
    ForeignKeyConstraint(
        ["device", "incarnation", "batch"],
        ["batches.device", "batches.incarnation", "batches.number"],
    ),
    Index("held_operations_by_record", "waits_for"),
)

enrollments = Table(
    "enrollments",
    METADATA,
    Column("enrollment", _RECORD, primary_key=True),
    Column("device", _DEVICE, nullable=False),
    Column("state", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("abha_number", String(17)),
    Column("abha_address", String(60)),
    Index("enrollments_by_state", "state"),
)

enrollment_versions = Table(
    "enrollment_versions",
    METADATA,
    Column("enrollment", _RECORD, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("device", _DEVICE, nullable=False),
    Column("incarnation", _DEVICE, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("operator", BigInteger, nullable=False),
    Column("captured", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    # SHA-256 of body and sealed number: tells the same once more from something else.
    Column("digest", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
    ForeignKeyConstraint(["enrollment"], ["enrollments.enrollment"]),
)

# The sealed Aadhaar numbers, apart from every readable body; only the worker's key opens them.
sealed_ids = Table(
    "sealed_ids",
    METADATA,
    Column("enrollment", _RECORD, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("device", _DEVICE, nullable=False),
    Column("capture_session", String(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["enrollment", "version"],
        ["enrollment_versions.enrollment", "enrollment_versions.version"],
    ),
)

links = Table(
    "links",
    METADATA,
    Column("enrollment", _RECORD, primary_key=True),
    Column("link", _RECORD, primary_key=True),
    Column("facility", String(12), nullable=False),
    Column("reference", String(100), nullable=False),
    Column("state", String(20), nullable=False),
    Column("device", _DEVICE, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    ForeignKeyConstraint(["enrollment"], ["enrollments.enrollment"]),
    # A link that was taken away leaves its reference free.
    Index(
        "links_once",
        "enrollment",
        "facility",
        "reference",
        unique=True,
        sqlite_where=text("state <> 'REMOVED'"),
        postgresql_where=text("state <> 'REMOVED'"),
    ),
)

blobs = Table(
    "blobs",
    METADATA,
    Column("device", _DEVICE, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("media_type", String(100), nullable=False),
    Column("chunk_count", Integer, nullable=False),
    Column("completed_at", BigInteger),
    ForeignKeyConstraint(["device"], ["devices.device"]),
)

chunks = Table(
    "chunks",
    METADATA,
    Column("device", _DEVICE, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    ForeignKeyConstraint(["device", "sha256"], ["blobs.device", "blobs.sha256"]),
)

# The head of a device's audit chain, as told again and again: a cut tail shows.
audit_heads = Table(
    "audit_heads",
    METADATA,
    Column("device", _DEVICE, primary_key=True),
    Column("incarnation", _DEVICE, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    ForeignKeyConstraint(["device"], ["devices.device"]),
)

feed = Table(
    "feed",
    METADATA,
    Column("device", _DEVICE, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("record", _RECORD),
    Column("body", Text, nullable=False),
    ForeignKeyConstraint(["device"], ["devices.device"]),
)

consents = Table(
    "consents",
    METADATA,
    Column("code", String(40), primary_key=True),
    Column("version", String(20), primary_key=True),
    Column("language", String(5), primary_key=True),
    Column("text", Text, nullable=False),
    Column("official", Boolean, nullable=False),
    Column("installed_at", BigInteger, nullable=False),
)

programmes = Table(
    "programmes",
    METADATA,
    Column("serial", BigInteger, primary_key=True, autoincrement=False),
    Column("issued", BigInteger, nullable=False),
    Column("signed", LargeBinary, nullable=False),
)
