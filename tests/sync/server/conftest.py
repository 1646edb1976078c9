from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from server_laptops import Office


@pytest.fixture(scope="session")
def office_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("office-template")
    Office(home, io.StringIO()).store.close()
    return home


@pytest.fixture
def office_home(office_template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(office_template, tmp_path / "office"))


@pytest.fixture
def office_log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def office(office_home: Path, office_log: io.StringIO) -> Iterator[Office]:
    office = Office(office_home, office_log)
    yield office
    office.store.close()
