"""The laptops and their news, keyed by device; and the small tables of the programme."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from sync.server.store.metadata import DEVICE, METADATA, RECORD

__all__ = ["anchors", "approvals", "consents", "devices", "feed", "meta", "programmes"]

meta = Table(
    "meta",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

devices = Table(
    "devices",
    METADATA,
    Column("device", DEVICE, primary_key=True),
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
    Column("used_by", DEVICE),
)

feed = Table(
    "feed",
    METADATA,
    Column("device", DEVICE, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    # Stays when a restored server numbers its news again; ``digest`` is of all ids up to here.
    Column("entry_id", DEVICE, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("record", RECORD),
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

# Certificates in DER; ``fingerprint`` is SHA-256 of one in hex.
anchors = Table(
    "anchors",
    METADATA,
    Column("fingerprint", String(64), primary_key=True),
    Column("certificate", LargeBinary, nullable=False),
    Column("source", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
)
