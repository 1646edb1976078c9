"""No reader of outside bytes crashes, hangs or says another error than its own, whatever comes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz_changes import inputs
from fuzz_target import Target, TooSlow, within_time
from fuzz_targets import TARGETS, chosen

EXAMPLES = 40


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_reads_its_samples(name: str) -> None:
    """Were a sample refused at the door, its changes would all be, and nothing would be tried."""
    target = TARGETS[name]
    samples = target.samples()
    assert samples
    target.run(samples[0])


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_says_only_its_own_errors(name: str) -> None:
    target = TARGETS[name]

    @settings(
        max_examples=EXAMPLES,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(inputs(target))
    def read(data: bytes) -> None:
        target.read(data)

    read()


def test_another_error_is_a_finding() -> None:
    def stumble(data: bytes) -> None:
        if len(data) > 1:
            raise IndexError

    @settings(database=None)
    @given(st.binary())
    def read(data: bytes) -> None:
        Target(name="clumsy", run=stumble, samples=lambda: [b"x"]).read(data)

    with pytest.raises(IndexError):
        read()


def test_a_hang_is_a_finding() -> None:
    def hang(data: bytes) -> None:
        while data:
            pass

    with pytest.raises(TooSlow), within_time(0.05):
        hang(b"x")


def test_targets_are_chosen_by_name() -> None:
    assert [target.name for target in chosen(["cbor", "card"])] == ["cbor", "card"]
    assert len(chosen([])) == len(TARGETS)
    with pytest.raises(KeyError):
        chosen(["no such"])
