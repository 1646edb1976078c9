"""The tables, in SQL, step by step. Times are seconds since 1970 UTC; ids are hex digits."""

from __future__ import annotations

from typing import Final

__all__ = ["COLUMNS_OF_CALLS", "FIRST_TABLES", "TABLES_OF_ANCHORS", "TABLES_OF_LIVES_AND_STICKS"]

FIRST_TABLES: Final = (
    # Single values: keys of the device, incarnation, cursor, what the last contact taught.
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE operators (
        slot INTEGER PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL,
        since INTEGER NOT NULL, until INTEGER) STRICT""",
    # A draft's id is the record id of the enrollment it becomes.
    """CREATE TABLE drafts (
        id TEXT PRIMARY KEY, version INTEGER NOT NULL, row TEXT NOT NULL, step TEXT NOT NULL,
        sealed BLOB, last4 TEXT, session TEXT, updated INTEGER NOT NULL,
        operator INTEGER NOT NULL, source_name TEXT, source_row INTEGER, source_digest TEXT,
        CHECK ((sealed IS NULL) = (last4 IS NULL) AND (sealed IS NULL) = (session IS NULL))
        ) STRICT""",
    "CREATE INDEX drafts_by_source ON drafts (source_digest) WHERE source_digest IS NOT NULL",
    # `n` is the row of people_fts; an explicit key, because VACUUM may renumber an implicit one.
    """CREATE TABLE enrollments (
        n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL,
        state TEXT NOT NULL, body TEXT NOT NULL, sealed BLOB, last4 TEXT,
        provisional TEXT NOT NULL UNIQUE, mobile TEXT, match_key TEXT NOT NULL,
        abha_number TEXT, abha_address TEXT,
        reason_code TEXT, reason_pointer TEXT, held INTEGER NOT NULL DEFAULT 0,
        saved_at INTEGER NOT NULL, operator INTEGER NOT NULL, camp TEXT,
        source_name TEXT, source_row INTEGER, source_digest TEXT,
        newest_seq INTEGER NOT NULL DEFAULT 0) STRICT""",
    "CREATE INDEX enrollments_by_state ON enrollments (state)",
    "CREATE INDEX enrollments_by_match ON enrollments (match_key)",
    "CREATE INDEX enrollments_by_mobile ON enrollments (mobile) WHERE mobile IS NOT NULL",
    "CREATE INDEX enrollments_by_time ON enrollments (saved_at)",
    "CREATE INDEX enrollments_by_abha ON enrollments (abha_number) WHERE abha_number IS NOT NULL",
    """CREATE INDEX enrollments_by_source ON enrollments (source_digest)
        WHERE source_digest IS NOT NULL""",
    """CREATE INDEX enrollments_by_file ON enrollments (source_name, source_row)
        WHERE source_name IS NOT NULL""",
    """CREATE TABLE enrollment_versions (
        id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, sealed BLOB,
        saved_at INTEGER NOT NULL, operator INTEGER NOT NULL,
        PRIMARY KEY (id, version)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE events (
        n INTEGER PRIMARY KEY, record TEXT NOT NULL, at INTEGER NOT NULL, what TEXT NOT NULL,
        operator INTEGER NOT NULL, detail TEXT NOT NULL) STRICT""",
    "CREATE INDEX events_by_record ON events (record)",
    """CREATE TABLE links (
        n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
        enrollment TEXT NOT NULL REFERENCES enrollments (id), body TEXT NOT NULL,
        facility TEXT NOT NULL, reference TEXT NOT NULL, state TEXT NOT NULL,
        reason_code TEXT, reason_pointer TEXT, held INTEGER NOT NULL DEFAULT 0,
        saved_at INTEGER NOT NULL, operator INTEGER NOT NULL,
        newest_seq INTEGER NOT NULL DEFAULT 0,
        UNIQUE (enrollment, facility, reference)) STRICT""",
    """CREATE TABLE batches (
        incarnation TEXT NOT NULL, number INTEGER NOT NULL, digest BLOB NOT NULL,
        data BLOB NOT NULL, first_seq INTEGER NOT NULL, count INTEGER NOT NULL,
        audit_head BLOB NOT NULL, frozen_at INTEGER NOT NULL, offered_at INTEGER,
        receipt BLOB, receipted_at INTEGER, epoch TEXT, durable INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (incarnation, number)) STRICT""",
    """CREATE INDEX batches_without_receipt ON batches (incarnation, number)
        WHERE receipted_at IS NULL""",
    # AUTOINCREMENT: a seq is never given twice, not even after its row is gone.
    """CREATE TABLE operations (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL, kind TEXT NOT NULL,
        base_version INTEGER NOT NULL, body TEXT NOT NULL, payload BLOB,
        operator INTEGER NOT NULL, captured INTEGER NOT NULL,
        incarnation TEXT, batch INTEGER, verdict TEXT, code TEXT, pointer TEXT,
        FOREIGN KEY (incarnation, batch) REFERENCES batches (incarnation, number)) STRICT""",
    "CREATE INDEX operations_unfrozen ON operations (seq) WHERE batch IS NULL",
    "CREATE INDEX operations_by_batch ON operations (incarnation, batch, seq)",
    # These two hold all that the counts of the home screen read: no body is touched for them.
    "CREATE INDEX operations_by_record ON operations (record, seq, verdict, incarnation, batch)",
    "CREATE INDEX enrollments_by_word ON enrollments (id, newest_seq, held)",
    "CREATE INDEX operations_open ON operations (kind) WHERE verdict IS NULL",
    """CREATE TABLE capture_sessions (
        id TEXT PRIMARY KEY, sealed_key BLOB NOT NULL, since INTEGER NOT NULL,
        seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE programmes (
        serial INTEGER PRIMARY KEY, raw BLOB NOT NULL, received_at INTEGER NOT NULL) STRICT""",
    """CREATE TABLE feed (
        seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, record TEXT, body TEXT NOT NULL,
        at INTEGER NOT NULL, applied_at INTEGER NOT NULL, result TEXT NOT NULL) STRICT""",
    """CREATE TABLE audit (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, operator INTEGER NOT NULL,
        action TEXT NOT NULL, record TEXT NOT NULL, previous BLOB NOT NULL,
        hash BLOB NOT NULL UNIQUE) STRICT""",
    """CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END""",
    """CREATE TRIGGER audit_keeps BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END""",
    """CREATE TRIGGER batches_stay BEFORE UPDATE OF digest, data, first_seq, count, audit_head
        ON batches BEGIN SELECT RAISE(ABORT, 'a frozen batch never changes'); END""",
    """CREATE TRIGGER operations_stay
        BEFORE UPDATE OF record, kind, base_version, body, payload, operator, captured
        ON operations BEGIN SELECT RAISE(ABORT, 'an operation never changes'); END""",
    # Each column starts with a space, so that the first two letters of a word are a trigram too.
    """CREATE VIRTUAL TABLE people_fts USING fts5 (
        name, native, village, mobile, provisional, abha, tokenize = 'trigram')""",
    "INSERT INTO people_fts (people_fts, rank) VALUES ('secure-delete', 1)",
)

TABLES_OF_LIVES_AND_STICKS: Final = (
    # The lives of this device. One is open; batches of a closed one are still offered.
    # `offer_after`: what a stick taught of a server that forgot; the next stick begins behind it.
    """CREATE TABLE lives (
        n INTEGER PRIMARY KEY AUTOINCREMENT, incarnation TEXT NOT NULL UNIQUE,
        begun_at INTEGER NOT NULL, closed_at INTEGER, offer_after INTEGER) STRICT""",
    """INSERT INTO lives (incarnation, begun_at)
        SELECT CAST(value AS TEXT), 0 FROM meta WHERE key = 'incarnation'""",
    # News is known by its id: a restored server numbers it anew. Rows of the first table had none.
    "ALTER TABLE feed RENAME TO feed_numbered",
    """CREATE TABLE feed (
        n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, seq INTEGER NOT NULL, kind TEXT NOT NULL,
        record TEXT, body TEXT NOT NULL, at INTEGER NOT NULL, applied_at INTEGER NOT NULL,
        result TEXT NOT NULL) STRICT""",
    """INSERT INTO feed (id, seq, kind, record, body, at, applied_at, result)
        SELECT printf('old-%d', seq), seq, kind, record, body, at, applied_at, result
        FROM feed_numbered""",
    "DROP TABLE feed_numbered",
    # Which entry has each number, and the digest up to it, in the numbering that is in use.
    """CREATE TABLE feed_marks (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL, digest BLOB NOT NULL) STRICT""",
    # What goes to sticks: `nonce` is that of the hello in the file, by which its return file is
    # known; `receipted` and `cursor` are what that hello said, `hello` is its place among all
    # hellos of this laptop. Numbers are never given twice: people write them on the stick. A file
    # lies on a stick, as far as we know, from `written_at`.
    """CREATE TABLE bundles (
        n INTEGER PRIMARY KEY AUTOINCREMENT, nonce BLOB NOT NULL UNIQUE,
        incarnation TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        people INTEGER NOT NULL, links INTEGER NOT NULL, bytes INTEGER NOT NULL,
        name TEXT NOT NULL, receipted INTEGER NOT NULL, cursor INTEGER NOT NULL,
        hello INTEGER NOT NULL, written_at INTEGER, returned_at INTEGER) STRICT""",
    """CREATE INDEX bundles_by_range ON bundles (incarnation, first, last)
        WHERE written_at IS NOT NULL""",
    # Sealed files of other laptops that this one carries, and what the server answered to each.
    # `data` is emptied once every batch has its answer; `operations` is how many lie in them.
    # `refused`: why the server takes none of it; such a file is offered to nobody any more.
    """CREATE TABLE carried (
        digest TEXT PRIMARY KEY, device TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL,
        operations INTEGER NOT NULL, taken_at INTEGER NOT NULL, answered_at INTEGER,
        handed_at INTEGER, refused TEXT) STRICT""",
    """CREATE TABLE carried_answers (
        digest TEXT NOT NULL REFERENCES carried (digest), place INTEGER NOT NULL,
        data BLOB NOT NULL, PRIMARY KEY (digest, place)) STRICT""",
    # What somebody else wrote in a field, kept beside what stands here until a person decided.
    """CREATE TABLE other_values (
        record TEXT NOT NULL, pointer TEXT NOT NULL, value TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (record, pointer)) STRICT, WITHOUT ROWID""",
    # The server's version that the next correction is made from, where that is not our own.
    "ALTER TABLE enrollments ADD COLUMN server_version INTEGER",
)

COLUMNS_OF_CALLS: Final = (
    # Before this moment it is of no use to call the person.
    "ALTER TABLE enrollments ADD COLUMN call_at INTEGER",
)

TABLES_OF_ANCHORS: Final = (
    # Certificates (DER) that a supervisor added; those of the programme stand in its file.
    """CREATE TABLE anchors (
        fingerprint TEXT PRIMARY KEY, certificate BLOB NOT NULL, source TEXT NOT NULL,
        added_at INTEGER NOT NULL, operator INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
)
