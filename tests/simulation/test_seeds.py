"""The first seeds of the simulator; thousands more are run by ``scripts/soak.py``."""

from __future__ import annotations

import pytest

from simulator.script import draw, play

# One process makes the templates once; spread over several, each would make its own.
pytestmark = pytest.mark.xdist_group("simulator")


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_every_promise_holds_in_the_first_seeds(first: int) -> None:
    for seed in range(first, first + 10):
        outcome = play(draw(seed))
        assert not outcome.failure, "\n".join([*outcome.trace, outcome.where])


def test_a_seed_replays_its_run_exactly() -> None:
    first, second = play(draw(7)), play(draw(7))
    assert first.trace == second.trace
    assert len(first.trace) > 10


@pytest.mark.soak
def test_every_promise_holds_in_a_thousand_seeds() -> None:
    failed = {seed: found for seed in range(1000) if (found := play(draw(seed)).failure)}
    assert not failed
