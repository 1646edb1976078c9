"""Who was enrolled, with every version, and their record links; keyed by enrollment."""

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
    Text,
    text,
)

from sync.server.store.metadata import DEVICE, METADATA, RECORD

__all__ = ["enrollment_versions", "enrollments", "links", "sealed_ids", "witnesses"]

enrollments = Table(
    "enrollments",
    METADATA,
    Column("enrollment", RECORD, primary_key=True),
    Column("device", DEVICE, nullable=False),
    Column("state", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("abha_number", String(17)),
    Column("abha_address", String(60)),
    Index("enrollments_by_state", "state"),
)

# Every version that a laptop wrote, and every one made of two. ``claimed`` is the number that the
# writing laptop gave it (its sealed number is bound to that); ``base_version`` and ``merged_from``
# are the versions, as numbered here, that it was made of.
enrollment_versions = Table(
    "enrollment_versions",
    METADATA,
    Column("enrollment", RECORD, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("claimed", BigInteger, nullable=False),
    Column("base_version", Integer),
    Column("merged_from", Integer),
    Column("device", DEVICE, nullable=False),
    Column("life", DEVICE, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("operator", BigInteger, nullable=False),
    Column("captured", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    # SHA-256 of body and sealed number: tells the same once more from something else.
    Column("digest", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
    ForeignKeyConstraint(["enrollment"], ["enrollments.enrollment"]),
    Index("enrollment_versions_by_device", "enrollment", "device", "claimed"),
)

# Laptops that sent a version which another had brought, the same to the byte: they hold the person
# as well, so they may correct it.
witnesses = Table(
    "witnesses",
    METADATA,
    Column("enrollment", RECORD, primary_key=True),
    Column("device", DEVICE, primary_key=True),
    ForeignKeyConstraint(["enrollment"], ["enrollments.enrollment"]),
    ForeignKeyConstraint(["device"], ["devices.device"]),
)

# The sealed Aadhaar numbers, apart from every readable body; only the worker's key opens them.
sealed_ids = Table(
    "sealed_ids",
    METADATA,
    Column("enrollment", RECORD, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("device", DEVICE, nullable=False),
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
    Column("enrollment", RECORD, primary_key=True),
    Column("link", RECORD, primary_key=True),
    Column("facility", String(12), nullable=False),
    Column("reference", String(100), nullable=False),
    Column("state", String(20), nullable=False),
    Column("device", DEVICE, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    # When ABDM said so, in milliseconds.
    Column("linked_at", BigInteger),
    ForeignKeyConstraint(["enrollment"], ["enrollments.enrollment"]),
    Index("links_by_state", "state"),
    # A link that was taken away leaves its reference free; one that stands behind another waits.
    Index(
        "links_once",
        "enrollment",
        "facility",
        "reference",
        unique=True,
        sqlite_where=text("state NOT IN ('REMOVED', 'SHADOWED')"),
        postgresql_where=text("state NOT IN ('REMOVED', 'SHADOWED')"),
    ),
)
