"""What the ABDM worker has to do and has done; keyed by enrollment. No Aadhaar number, ever."""

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
)

from sync.server.store.metadata import CODE, DEVICE, METADATA, POINTER, RECORD

__all__ = [
    "abdm_exchanges",
    "abdm_jobs",
    "abdm_papers",
    "callback_keys",
    "finish_steps",
    "finishes",
    "link_asks",
    "link_tokens",
]

_KIND = String(10)
_STEP = String(24)
_REQUEST = String(36)

# What is to be done for a person: ``enroll`` or ``link``. ``due`` until nothing more is to be done
# for ``version``, then ``settled``; ``code`` says why it stands as it stands. A worker keeps a job
# until ``claimed_until``; after that another takes it over.
abdm_jobs = Table(
    "abdm_jobs",
    METADATA,
    Column("enrollment", RECORD, primary_key=True),
    Column("kind", _KIND, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", _KIND, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("district", Integer, nullable=False),
    Column("code", CODE, nullable=False),
    Column("pointer", POINTER, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("claimed_by", String(80)),
    Column("claimed_until", BigInteger, nullable=False),
    ForeignKeyConstraint(["enrollment"], ["enrollments.enrollment"]),
    Index("abdm_jobs_due", "state", "due_at"),
)

# Every request that left or was about to leave, written before it did; its ending and its callback
# are written once and never again. Texts are redacted JSON. Times in milliseconds.
abdm_exchanges = Table(
    "abdm_exchanges",
    METADATA,
    Column("enrollment", RECORD, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", _KIND, nullable=False),
    Column("version", Integer, nullable=False),
    Column("step", _STEP, nullable=False),
    Column("request_id", _REQUEST, nullable=False, unique=True),
    Column("begun_at", BigInteger, nullable=False),
    Column("request", Text, nullable=False),
    Column("ended_at", BigInteger),
    Column("ending", _KIND),
    Column("status", Integer),
    Column("code", CODE),
    Column("response", Text),
    Column("called_back_at", BigInteger),
    Column("callback", Text),
    Column("callback_code", CODE),
    ForeignKeyConstraint(["enrollment"], ["enrollments.enrollment"]),
)

# What ABDM made while the person's token lived: its QR and its card, as pictures.
abdm_papers = Table(
    "abdm_papers",
    METADATA,
    Column("enrollment", RECORD, primary_key=True),
    Column("kind", _KIND, primary_key=True),
    Column("media_type", String(40), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("fetched_at", BigInteger, nullable=False),
    ForeignKeyConstraint(["enrollment"], ["enrollments.enrollment"]),
)

# Link tokens (M2, six months), sealed to the vault: only the worker can use one.
link_tokens = Table(
    "link_tokens",
    METADATA,
    Column("enrollment", RECORD, primary_key=True),
    Column("hip", String(40), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    ForeignKeyConstraint(["enrollment"], ["enrollments.enrollment"]),
)

# What a request of M2 was about, written with its exchange: in whose name, and the links (JSON list
# of ids; for a link token those that wait for it). ``rests_until``: nothing of the same kind is
# asked before then. Milliseconds, as in all tables here.
link_asks = Table(
    "link_asks",
    METADATA,
    Column("enrollment", RECORD, primary_key=True),
    Column("request_id", _REQUEST, primary_key=True),
    Column("hip", String(40), nullable=False),
    Column("links", Text, nullable=False),
    Column("rests_until", BigInteger, nullable=False),
    ForeignKeyConstraint(["enrollment"], ["enrollments.enrollment"]),
)

# The public keys with which ABDM's gateway signs what it sends to the callback address. A row
# without ``key`` is one that a callback named and nobody knew: the worker asks for them again.
callback_keys = Table(
    "callback_keys",
    METADATA,
    Column("kid", String(100), primary_key=True),
    Column("key", Text),
    Column("noted_at", BigInteger, nullable=False),
)

# Finishing with the person present. ``secret`` is sealed to the vault (transaction id, token).
finishes = Table(
    "finishes",
    METADATA,
    Column("enrollment", RECORD, primary_key=True),
    Column("stage", _STEP, nullable=False),
    Column("detail", Text, nullable=False),
    Column("secret", LargeBinary),
    Column("sent_at", BigInteger),
    Column("sends", Integer, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    ForeignKeyConstraint(["enrollment"], ["enrollments.enrollment"]),
)

# What laptops asked for while finishing; ``sealed`` (a code, a handle) goes when it is done. Of a
# step that was not taken the nonce stands here, with ``refused`` as its action.
finish_steps = Table(
    "finish_steps",
    METADATA,
    Column("enrollment", RECORD, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("device", DEVICE, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("action", _STEP, nullable=False),
    Column("sealed", LargeBinary),
    Column("asked_at", BigInteger, nullable=False),
    Column("done_at", BigInteger),
    Column("claimed_until", BigInteger, nullable=False),
    ForeignKeyConstraint(["enrollment"], ["enrollments.enrollment"]),
    ForeignKeyConstraint(["device"], ["devices.device"]),
    Index("finish_steps_open", "done_at"),
    Index("finish_steps_by_device", "device", "asked_at"),
    Index("finish_steps_once", "enrollment", "nonce", unique=True),
)
