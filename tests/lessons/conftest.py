from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from enrollkit.store.database import Database
from server_laptops import Office
from store_samples import Ends, new_database


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "office", io.StringIO())
    yield office
    office.store.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_database(tmp_path) as opened:
        yield opened


@pytest.fixture
def ends(database: Database) -> Ends:
    return Ends(database)
