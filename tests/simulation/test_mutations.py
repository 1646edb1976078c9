"""A simulator that finds nothing proves nothing: the published bugs, put in on purpose."""

from __future__ import annotations

import pytest

from simulator.mutations import KNOWN, MUTATIONS
from simulator.script import draw, play

pytestmark = pytest.mark.xdist_group("simulator")


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_published_bug_put_in_on_purpose_is_found(name: str) -> None:
    found = []
    for seed in KNOWN[name]:
        with MUTATIONS[name]():
            found.append(play(draw(seed)).failure)
        if found[-1]:
            return
    pytest.fail(f"{name} went by unseen in the seeds {KNOWN[name]}: scripts/soak.py --mutations")


def test_there_are_at_least_twelve_of_them() -> None:
    assert len(MUTATIONS) >= 12
    assert set(MUTATIONS) == set(KNOWN)
