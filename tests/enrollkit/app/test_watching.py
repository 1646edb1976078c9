from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from enrollkit.app.watching import (
    BUSY_SECONDS,
    GATHER_SECONDS,
    GLANCE_SECONDS,
    NEWS_SECONDS,
    RETRY_AFTER_SECONDS_MAX,
    Outcome,
    Sight,
    Watch,
    first_watch,
    look,
    nap_seconds,
    rest_after,
)
from sync.engine.pacing import Pacing

PACING = Pacing()
WELL = Outcome(moved=True)
OFFLINE = Outcome(failed=True)


@dataclass
class Laptop:
    """A watch on a fake clock: how each session ends is the test's word."""

    ends: Outcome = WELL
    seconds: float = 1000.0
    road: str = "wifi"
    waiting: int = 0
    dice: bytes = bytes(8)
    sessions: list[float] = field(default_factory=list)
    watch: Watch | None = None

    @property
    def sight(self) -> Sight:
        return Sight(seconds=self.seconds, road=self.road, waiting=self.waiting, to_midnight=7200.0)

    def live(self, seconds: float) -> list[float]:
        """Let time pass; give when sessions began in it, counted from its beginning."""
        began, until = self.seconds, self.seconds + seconds
        self.sessions = []
        self.watch = self.watch or first_watch(self.sight)
        while self.seconds < until:
            self.watch, is_due = look(self.watch, self.sight)
            if is_due:
                self.sessions.append(round(self.seconds - began, 1))
                if not self.ends.failed and not self.ends.busy:
                    self.waiting = 0
                self.watch = rest_after(
                    self.watch, self.sight, self.ends, pacing=PACING, dice=self.dice
                )
            else:
                self.seconds += nap_seconds(self.watch, self.sight)
        return self.sessions


def test_the_first_session_is_at_once_and_news_are_asked_for_seldom() -> None:
    assert Laptop().live(2 * NEWS_SECONDS + 10) == [0, NEWS_SECONDS, 2 * NEWS_SECONDS]


def test_laptops_that_came_up_together_do_not_go_on_together() -> None:
    early = Laptop(dice=b"\xff" * 8).live(NEWS_SECONDS)
    assert 0.7 * NEWS_SECONDS < early[1] < 0.8 * NEWS_SECONDS


def test_people_wake_it_but_go_out_together() -> None:
    laptop = Laptop()
    laptop.live(5)
    laptop.waiting = 1
    (first,) = laptop.live(GATHER_SECONDS + 5)
    assert GATHER_SECONDS - 8 <= first <= GATHER_SECONDS
    laptop.live(200)
    laptop.waiting = 7
    assert laptop.live(10) == [0]


def test_it_backs_off_without_a_network_and_never_longer_than_a_quarter_of_an_hour() -> None:
    laptop = Laptop(ends=OFFLINE, waiting=3)
    times = laptop.live(7200)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps[:4] == [5, 10, 20, 40]
    assert gaps == sorted(gaps)
    assert gaps[-1] == PACING.rest_seconds_max
    assert len(times) < 20


def test_people_saved_while_there_is_no_way_out_do_not_try_it() -> None:
    laptop = Laptop(ends=OFFLINE, road="")
    laptop.live(2000)
    laptop.waiting = 40
    assert len(laptop.live(300)) <= 1


def test_a_network_that_comes_wakes_it_and_is_begun_with_afresh() -> None:
    laptop = Laptop(ends=OFFLINE, road="")
    laptop.live(3000)
    laptop.road = "2G"
    laptop.live(1)
    assert laptop.sessions == [0]
    assert laptop.live(16)[0] <= 5
    laptop.ends, laptop.road = WELL, "wifi"
    assert laptop.live(10)[0] <= 5


def test_the_same_network_that_went_and_came_back_counts_as_come() -> None:
    laptop = Laptop(ends=OFFLINE)
    laptop.live(3000)
    laptop.road = ""
    laptop.live(60)
    laptop.road = "wifi"
    assert laptop.live(3) == [0]


def test_a_network_that_flaps_is_not_called_at_every_flap() -> None:
    laptop, calls = Laptop(ends=OFFLINE), 0
    began = laptop.seconds
    for number in range(120):
        laptop.road = "2G" if number % 2 else ""
        calls += len(laptop.live(1))
    assert calls <= (laptop.seconds - began) / PACING.rest_seconds_min + 1


def test_a_server_that_named_a_time_is_not_called_before_whatever_happens() -> None:
    laptop = Laptop(ends=Outcome(failed=True, retry_after=3600))
    laptop.live(1)
    laptop.waiting, laptop.road = 9, "another"
    assert laptop.live(3590) == []
    laptop.ends = WELL
    assert len(laptop.live(30)) == 1


def test_nobody_can_put_a_laptop_to_sleep_for_good() -> None:
    laptop = Laptop(ends=Outcome(failed=True, retry_after=10**9))
    laptop.live(1)
    assert laptop.live(RETRY_AFTER_SECONDS_MAX + 10) != []


def test_another_windows_session_is_waited_for_and_not_counted_as_a_failure() -> None:
    laptop = Laptop(ends=Outcome(busy=True), waiting=2)
    assert laptop.live(3 * BUSY_SECONDS + 1) == [0, 5, 10, 15]
    laptop.ends = WELL
    assert laptop.live(10)[0] <= BUSY_SECONDS


def test_a_spent_allowance_is_waited_out_until_the_next_day() -> None:
    laptop = Laptop(ends=Outcome(limited=True), waiting=5)
    laptop.live(1)
    laptop.waiting = 6
    assert laptop.live(7190) == []
    assert len(laptop.live(70)) == 1


def test_what_only_a_person_can_change_is_asked_seldom() -> None:
    laptop = Laptop(ends=Outcome(failed=True, hopeless=True), waiting=3)
    assert laptop.live(1801) == [0, 900, 1800]


def test_people_who_do_not_move_are_no_reason_to_go_round_and_round() -> None:
    laptop = Laptop()
    watch = first_watch(laptop.sight)
    laptop.waiting = 4
    watch = rest_after(watch, laptop.sight, Outcome(moved=False), pacing=PACING, dice=b"")
    laptop.seconds += 100
    assert look(watch, laptop.sight)[1] is False
    laptop.waiting = 5
    assert look(watch, laptop.sight)[1] is True
    laptop.waiting = 0
    watch, _ = look(watch, laptop.sight)
    laptop.waiting = 1
    assert look(watch, laptop.sight)[1] is True


OUTCOMES = st.builds(
    Outcome,
    failed=st.booleans(),
    hopeless=st.booleans(),
    limited=st.booleans(),
    busy=st.booleans(),
    moved=st.booleans(),
    retry_after=st.none() | st.integers(0, 10**7),
)


@given(
    outcomes=st.lists(OUTCOMES, max_size=6),
    roads=st.lists(st.sampled_from(["", "a", "b"]), min_size=7, max_size=7),
    waiting=st.lists(st.integers(0, 5), min_size=7, max_size=7),
    dice=st.binary(min_size=8, max_size=8),
)
def test_whatever_happened_there_is_a_next_session_and_no_busy_loop(
    outcomes: list[Outcome], roads: list[str], waiting: list[int], dice: bytes
) -> None:
    laptop = Laptop(dice=dice)
    watch = first_watch(laptop.sight)
    for outcome, road, count in zip(outcomes, roads, waiting, strict=False):
        laptop.road, laptop.waiting = road, count
        watch = rest_after(watch, laptop.sight, outcome, pacing=PACING, dice=dice)
        assert look(watch, laptop.sight)[1] is False
        assert 0.1 <= nap_seconds(watch, laptop.sight) <= GLANCE_SECONDS
        laptop.seconds = max(watch.wake_at, watch.not_before)
        assert watch.wake_at - laptop.sight.seconds <= RETRY_AFTER_SECONDS_MAX
        watch, is_due = look(watch, laptop.sight)
        assert is_due
