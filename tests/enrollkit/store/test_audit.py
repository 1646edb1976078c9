from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2

from enrollkit.store.audit import append_audit, audit_head, verify_audit
from enrollkit.store.database import Database, Tx
from store_samples import NOON, Ends, new_database, person, save_person


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_database(tmp_path) as opened:
        for number in range(1, 6):
            opened.write(lambda tx, number=number: save_person(tx, person(number)))
        yield opened


def tamper(database: Database, statement: str) -> None:
    """Change rows as somebody would who has the key and knows SQL."""

    def work(tx: Tx) -> None:
        for trigger in ("audit_stays", "audit_keeps", "batches_stay", "operations_stay"):
            tx.execute(f"DROP TRIGGER {trigger}")
        tx.execute(statement)

    database.write(work)


def test_an_empty_chain_holds_and_its_head_is_zeros(tmp_path: Path) -> None:
    with new_database(tmp_path) as database:
        assert database.read(verify_audit) is None
        assert database.read(audit_head) == bytes(32)


def test_every_row_moves_the_head(database: Database) -> None:
    heads = {
        database.write(lambda tx: append_audit(tx, at=NOON, operator=1, action="unlock"))
        for _ in range(10)
    }
    assert len(heads) == 10
    assert database.read(audit_head) in heads
    assert database.read(verify_audit) is None


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET at = at + 1 WHERE seq = 3", 3),
        ("UPDATE audit SET operator = 2 WHERE seq = 1", 1),
        ("UPDATE audit SET action = 'x' WHERE seq = 5", 5),
        ("UPDATE audit SET record = '' WHERE seq = 2", 2),
        ("UPDATE audit SET previous = zeroblob(32) WHERE seq = 4", 4),
        ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 4", 4),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 3", 3),
    ],
)
def test_the_first_changed_or_missing_row_is_named(
    database: Database, statement: str, broken: int
) -> None:
    tamper(database, statement)
    assert database.read(verify_audit) == broken


def test_a_tail_that_was_cut_after_a_batch_left_is_missed(database: Database) -> None:
    Ends(database).outbox.freeze()
    tamper(database, "DELETE FROM audit WHERE seq > 3")
    assert database.read(verify_audit) == 4


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit",
        "UPDATE audit SET action = 'x'",
        "UPDATE operations SET body = '{}'",
        "UPDATE batches SET data = zeroblob(9)",
        "UPDATE batches SET digest = zeroblob(32)",
    ],
)
def test_what_never_changes_is_held_by_the_database_itself(
    database: Database, statement: str
) -> None:
    Ends(database).outbox.freeze()
    with pytest.raises(dbapi2.IntegrityError):
        database.write(lambda tx: tx.execute(statement))
    assert database.read(verify_audit) is None
