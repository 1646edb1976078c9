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


def test_after_silence_a_moment_of_twenty_seconds_is_not_slept_through() -> None:
    rests = [
        rest_seconds(PACING, attempt=attempt, dice=b"\xff", quick=True) for attempt in range(1, 11)
    ]
    assert rests == sorted(rests)
    assert 1 <= rests[0] < 1.5
    assert rests[-1] == 3


def test_rests_after_a_long_silence_grow_as_all_others_do() -> None:
    quick = PACING.quick_tries
    rests = [
        rest_seconds(PACING, attempt=quick + attempt, dice=b"", quick=True)
        for attempt in range(1, 5)
    ]
    assert rests == [5, 10, 20, 40]


@given(attempt=st.integers(1, 100))
def test_a_server_that_asked_for_time_is_given_it_after_silence_too(attempt: int) -> None:
    asked = rest_seconds(PACING, attempt=attempt, dice=b"", retry_after_seconds=77, quick=True)
    assert asked >= 77


def pushed(pace: Pace, *, goodput: float, round_trip: float, times: int = 1) -> Pace:
    for _ in range(times):
        seconds = pace.push_bytes / goodput + round_trip
        pace = pace.after(PACING, bytes_sent=pace.push_bytes, seconds=seconds)
    return pace


def test_a_fast_link_gets_larger_requests_and_a_slow_one_smaller() -> None:
    first = Pace.first(PACING)
    fast = pushed(first, goodput=50_000, round_trip=0)
    slow = pushed(first, goodput=200, round_trip=0)
    assert slow.push_bytes < first.push_bytes < fast.push_bytes


def test_64_kbit_a_second_settles_near_fifteen_seconds_of_sending() -> None:
    pace = pushed(Pace.first(PACING), goodput=8000, round_trip=0, times=10)
    assert pace.push_bytes == pytest.approx(120_000, rel=0.01)


def test_a_long_round_trip_is_not_taken_for_a_thin_link() -> None:
    near = Pace.first(PACING).answered(0.1)
    far = Pace.first(PACING).answered(3.0)
    near = pushed(near, goodput=8000, round_trip=0.1, times=10)
    far = pushed(far, goodput=8000, round_trip=3.0, times=10)
    assert far.goodput == pytest.approx(8000, rel=0.01)
    assert near.goodput == pytest.approx(8000, rel=0.01)
    assert far.push_bytes > near.push_bytes


def test_the_least_round_trip_is_the_links_own() -> None:
    pace = Pace.first(PACING).answered(2.0).answered(0.6).answered(None).answered(5.0)
    assert pace.round_trip_seconds == 0.6


def test_a_round_trip_measured_wrong_does_not_make_a_slow_link_fast() -> None:
    pace = Pace.first(PACING).answered(30.0).after(PACING, bytes_sent=32_768, seconds=4.0)
    assert pace.goodput is not None
    assert pace.goodput <= 4 * 32_768 / 4.0


def test_nothing_is_said_of_the_time_left_before_a_push_went_through() -> None:
    pace = Pace.first(PACING).answered(0.6)
    assert pace.seconds_for(10_000) is None
    assert pace.seconds_for(0) == 0


def test_the_time_left_is_bytes_by_goodput_and_a_round_trip_for_each_request() -> None:
    pace = Pace(push_bytes=50_000, goodput=8000, round_trip_seconds=0.6)
    assert pace.seconds_for(120_000) == pytest.approx(120_000 / 8000 + 3 * 0.6)


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
        {"quick_seconds_min": 4},
    ],
)
def test_figures_that_make_no_sense_are_refused(figures: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"must|needs"):
        Pacing(**figures)
