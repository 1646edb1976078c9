from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from sync.chains import next_feed_digest
from sync.protocol import NO_DIGEST
from sync.server.store import Store

DEVICE, LIFE, RECORD = "d" * 16, "1" * 16, "e" * 32
"""What a server of the first version held: one laptop, one batch, one person, one link."""

FIRST: list[tuple[str, tuple[object, ...]]] = [
    ("devices", (DEVICE, b"", b"", "approved", "code", 1, 1, 1, 2, 0)),
    ("chains", (DEVICE, LIFE, 1, b"a", 0)),
    ("batches", (DEVICE, LIFE, 1, b"a", b"", 1, 1, b"", 5)),
    (
        "operations",
        (DEVICE, LIFE, 1, 1, b"b", "enrollment.submit", RECORD, 1, 4, "accepted", "", ""),
    ),
    ("enrollments", (RECORD, DEVICE, "ACCEPTED", 2, 5, None, None)),
    ("enrollment_versions", (RECORD, 1, DEVICE, LIFE, 1, 1, 4, 5, b"c", "{}")),
    ("enrollment_versions", (RECORD, 2, DEVICE, LIFE, 1, 1, 4, 5, b"d", "{}")),
    ("sealed_ids", (RECORD, 1, DEVICE, LIFE, b"")),
    ("links", (RECORD, "a" * 32, "F", "R", "ACCEPTED", DEVICE, 5, "{}")),
    ("feed", (DEVICE, 1, "correction", 5, None, "{}")),
    ("feed", (DEVICE, 2, "correction", 5, None, "{}")),
]


def test_what_the_first_version_kept_comes_along(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/server.db")
    config = Config()
    config.set_main_option("script_location", "sync.server.store:migrations")
    with store.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for table, row in FIRST:
            marks = ", ".join("?" * len(row))
            connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({marks})", row)  # noqa: S608 - our own names
    store.migrate()
    with store.read() as connection:
        chain = connection.exec_driver_sql("SELECT * FROM chains").one()
        versions = connection.exec_driver_sql(
            "SELECT version, claimed, base_version, merged_from, life FROM enrollment_versions"
        ).all()
        feed = connection.exec_driver_sql("SELECT entry_id, digest FROM feed ORDER BY seq").all()
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        kept = [
            connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()  # noqa: S608 - our own names
            for table in ("batches", "operations", "sealed_ids", "links")
        ]
    store.close()
    assert (chain.life, chain.incarnation, chain.base_number) == (LIFE, LIFE, 0)
    assert chain.base_digest == NO_DIGEST
    assert versions == [(1, 1, None, None, LIFE), (2, 2, 1, None, LIFE)]
    assert feed[0].digest == next_feed_digest(NO_DIGEST, feed[0].entry_id)
    assert feed[1].digest == next_feed_digest(feed[0].digest, feed[1].entry_id)
    assert (broken, kept) == ([], [1, 1, 1, 1])
