from __future__ import annotations

from collections.abc import Iterator

import pytest

from practice_calls import PracticeClient, practice_client


@pytest.fixture(scope="module")
def stranger() -> Iterator[PracticeClient]:
    """Somebody of whom nothing is taken: for tests of refusals, which leave no trace."""
    with practice_client() as client:
        yield client


@pytest.fixture
def client() -> Iterator[PracticeClient]:
    with practice_client() as client:
        yield client
