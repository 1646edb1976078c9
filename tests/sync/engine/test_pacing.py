from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.engine.pacing import Pace, Pacing, rest_seconds

PACING = Pacing()


def test_rests_double_from_five_seconds_to_fifteen_minutes() -> None:
    rests = [rest_seconds(PACING, attempt=attempt, dice=b"") for attempt in range(1, 11)]
    assert rests == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]


@given(attempt=st.integers(1, 10_000), dice=st.binary(max_size=16))
def test_no_rest_is_shorter_than_the_first_or_longer_than_the_last(
    attempt: int, dice: bytes
) -> None:
    assert 5 <= rest_seconds(PACING, attempt=attempt, dice=dice) <= 900


def test_laptops_with_other_dice_do_not_call_together() -> None:
    low = rest_seconds(PACING, attempt=2, dice=b"\x00")
    high = rest_seconds(PACING, attempt=2, dice=b"\xff")
    assert low == 10
    assert 14.9 < high < 15


@given(asked=st.integers(0, 10**6))
def test_a_server_is_never_called_before_the_time_it_named(asked: int) -> None:
    assert rest_seconds(PACING, attempt=1, dice=b"\x10", retry_after_seconds=asked) >= asked


def test_a_fast_link_gets_larger_requests_and_a_slow_one_smaller() -> None:
    first = Pace.first(PACING)
    fast = first.after(PACING, bytes_sent=first.push_bytes, seconds=1)
    slow = first.after(PACING, bytes_sent=first.push_bytes, seconds=200)
    assert slow.push_bytes < first.push_bytes < fast.push_bytes


def test_64_kbit_a_second_settles_near_twenty_seconds_of_sending() -> None:
    pace = Pace.first(PACING)
    for _ in range(10):
        pace = pace.after(PACING, bytes_sent=pace.push_bytes, seconds=pace.push_bytes / 8000)
    assert pace.push_bytes == pytest.approx(160_000, rel=0.01)


@given(
    size=st.integers(1, 10**9),
    seconds=st.floats(0, 10**6, allow_nan=False),
    halvings=st.integers(0, 5),
)
def test_a_request_always_carries_one_batch_and_never_too_much(
    size: int, seconds: float, halvings: int
) -> None:
    pace = Pace.first(PACING).after(PACING, bytes_sent=size, seconds=seconds)
    for _ in range(halvings):
        pace = pace.halved(PACING)
    assert PACING.push_bytes_min <= pace.push_bytes <= PACING.push_bytes_max


def test_a_small_request_teaches_nothing_about_the_link() -> None:
    first = Pace.first(PACING)
    assert first.after(PACING, bytes_sent=100, seconds=3) == first


@pytest.mark.parametrize(
    "figures",
    [
        {"rest_seconds_min": 10, "rest_seconds_max": 5},
        {"tries_max": 0},
        {"first_tries_max": 0},
        {"push_bytes_min": 0},
        {"push_bytes_min": 10, "push_bytes_max": 9},
    ],
)
def test_figures_that_make_no_sense_are_refused(figures: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"must|needs"):
        Pacing(**figures)
