from __future__ import annotations

import pytest

from sync.server.abdm.circuit import FAILURES_MAX, Circuit
from sync.server.abdm.jobs import Advance, Fate

DONE = Advance(fate=Fate.SETTLED)
OUTAGE = Advance(fate=Fate.OUTAGE, code="ABDM-1019")
NOT_ASKED = Advance(fate=Fate.SETTLED, asked=False)


@pytest.fixture
def circuit() -> Circuit:
    """Give one with sixteen places, whose jitter is nothing."""
    return Circuit(16, lambda: 0.0)


def proven(circuit: Circuit) -> Circuit:
    circuit.note(DONE, now=0)
    return circuit


def test_one_call_is_made_before_there_are_many(circuit: Circuit) -> None:
    assert circuit.room(now=0, in_work=0) == 1
    assert circuit.room(now=0, in_work=1) == 0
    circuit.note(NOT_ASKED, now=0)
    assert circuit.room(now=0, in_work=0) == 1
    circuit.note(DONE, now=0)
    assert circuit.room(now=0, in_work=3) == 13


def test_single_failures_pause_nobody(circuit: Circuit) -> None:
    proven(circuit)
    for _ in range(20):
        assert not circuit.note(OUTAGE, now=0)
        circuit.note(DONE, now=0)
    assert circuit.room(now=0, in_work=0) == 16


def test_several_in_a_row_pause_everybody_and_one_tries_afterwards(circuit: Circuit) -> None:
    proven(circuit)
    begins = [circuit.note(OUTAGE, now=0) for _ in range(FAILURES_MAX)]
    assert begins == [False] * (FAILURES_MAX - 1) + [True]
    assert (circuit.room(now=4_999, in_work=0), circuit.paused_until(0)) == (0, 5_000)
    assert circuit.room(now=5_000, in_work=0) == 1
    circuit.note(DONE, now=5_000)
    assert circuit.room(now=5_000, in_work=0) == 16


def test_each_pause_is_longer_than_the_one_before_up_to_a_quarter_of_an_hour(
    circuit: Circuit,
) -> None:
    now, pauses = 0, []
    for _ in range(12):
        assert circuit.note(OUTAGE, now=now)
        until = circuit.paused_until(now)
        assert until is not None
        pauses.append((until - now) // 1000)
        now = until
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1] <= 900) == (5, True)


def test_calls_that_fail_during_a_pause_do_not_lengthen_it(circuit: Circuit) -> None:
    assert circuit.note(OUTAGE, now=0)
    for _ in range(15):
        assert not circuit.note(OUTAGE, now=100)
    assert circuit.paused_until(100) == 5_000


def test_who_says_how_long_is_believed_for_all(circuit: Circuit) -> None:
    proven(circuit)
    assert circuit.note(Advance(fate=Fate.OUTAGE, wait_seconds=60), now=0)
    assert circuit.paused_until(0) == 60_000
    circuit.note(Advance(fate=Fate.OUTAGE, wait_seconds=120), now=1_000)
    assert circuit.paused_until(1_000) == 121_000


def test_nobody_is_believed_for_longer_than_a_quarter_of_an_hour(circuit: Circuit) -> None:
    circuit.note(Advance(fate=Fate.OUTAGE, wait_seconds=86_400), now=0)
    assert circuit.paused_until(0) == 900_000


def test_a_halt_leaves_one_to_try_for_the_other_kinds(circuit: Circuit) -> None:
    proven(circuit)
    circuit.note(Advance(fate=Fate.HALTED), now=0)
    assert circuit.room(now=0, in_work=0) == 1
