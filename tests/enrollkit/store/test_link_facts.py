from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enrollkit.store.database import Database
from enrollkit.store.link_facts import (
    LinkFacts,
    bytes_used_on,
    find_link,
    keep_link,
    note_traffic,
)
from enrollkit.store.meta import Fact, keep_text
from store_samples import new_database

SLOW = LinkFacts(goodput=7000.5, round_trip_seconds=0.6, push_bytes=32768)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_database(tmp_path) as opened:
        yield opened


def test_the_last_link_is_remembered(database: Database) -> None:
    assert database.read(find_link) is None
    for facts in (SLOW, LinkFacts(goodput=1.0, round_trip_seconds=None, push_bytes=16384)):
        database.write(lambda tx, facts=facts: keep_link(tx, facts))
        assert database.read(find_link) == facts


def test_bytes_add_up_within_a_day_and_begin_anew_with_the_next(database: Database) -> None:
    assert database.write(lambda tx: note_traffic(tx, "2026-11-22", 700)) == 700
    assert database.write(lambda tx: note_traffic(tx, "2026-11-22", 50)) == 750
    assert database.read(lambda tx: bytes_used_on(tx, "2026-11-22")) == 750
    assert database.read(lambda tx: bytes_used_on(tx, "2026-11-23")) == 0
    assert database.write(lambda tx: note_traffic(tx, "2026-11-23", 9)) == 9


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"goodput": "x"}', '{"day": 3}'])
def test_a_note_that_cannot_be_read_is_as_none(database: Database, text: str) -> None:
    def spoil(tx: object) -> None:
        keep_text(tx, Fact.LINK, text)
        keep_text(tx, Fact.TRAFFIC, text)

    database.write(spoil)
    assert database.read(find_link) is None
    assert database.read(lambda tx: bytes_used_on(tx, "2026-11-22")) == 0
