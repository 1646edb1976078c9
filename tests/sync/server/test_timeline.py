from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.server.timeline import Arrived, Instant, Reading, Timeline

MORNING = 1_795_300_000
"""A true time: when the laptop of these tests is switched on."""
DAY = 86_400


@dataclass(slots=True)
class Camp:
    """A laptop as it truly is: its clock is wrong by ``wrong`` seconds, and the tests know it."""

    wrong: int
    on_at: int = MORNING
    boot: str = "a" * 16
    seq: int = 0
    readings: list[Reading] = field(default_factory=list)
    written: list[tuple[int, int, int]] = field(default_factory=list)
    """Of each operation: its number, when it truly was, and what it claims."""

    def read(self, true: int, *, heard: bool = False) -> None:
        self.seq += 1
        self.readings.append(
            Reading(
                seq=self.seq,
                boot=self.boot,
                monotonic=true - self.on_at,
                wall=true + self.wrong,
                offset=-self.wrong if heard else None,
            )
        )

    def write(self, *moments: int) -> None:
        for true in moments:
            self.seq += 1
            self.readings[-1] = replace(self.readings[-1], last_wall=true + self.wrong)
            self.written.append((self.seq, true, true + self.wrong))

    def reboot(self, at: int, boot: str) -> None:
        self.on_at, self.boot = at, boot

    def instants(self, *, arrived_at: int, began_at: dict[str, int] | None = None) -> list[Instant]:
        timeline = Timeline(
            readings=self.readings,
            arrivals=[Arrived(first_seq=1, at=arrived_at)],
            began_at=began_at or {},
            not_before=MORNING - 30 * DAY,
        )
        return [timeline.instant(seq, claimed) for seq, _, claimed in self.written]

    @property
    def true(self) -> list[int]:
        return [true for _, true, _ in self.written]


def holds(camp: Camp, instants: list[Instant]) -> bool:
    """Whether every true time lies within what was said, and nothing is out of order."""
    said = [instant.at for instant in instants]
    within = zip(camp.true, instants, strict=True)
    return said == sorted(said) and all(abs(true - one.at) <= one.within for true, one in within)


WRONG_CLOCKS = {
    "right": 0,
    "1970": -MORNING,
    "2019": 1_546_300_800 - MORNING,
    "ten years ahead": 10 * 365 * DAY,
}
wrong_clocks = pytest.mark.parametrize("wrong", WRONG_CLOCKS.values(), ids=WRONG_CLOCKS.keys())


@wrong_clocks
def test_one_contact_in_a_run_puts_every_time_of_it_right(wrong: int) -> None:
    camp = Camp(wrong)
    camp.read(MORNING + 60)
    camp.write(*range(MORNING + 60, MORNING + 8 * 3600, 600))
    instants = camp.instants(arrived_at=MORNING + 9 * 3600, began_at={camp.boot: MORNING + 2})
    assert holds(camp, instants)
    assert max(instant.within for instant in instants) <= 15


@wrong_clocks
def test_the_laptops_own_word_of_the_servers_time_is_as_good(wrong: int) -> None:
    camp = Camp(wrong)
    camp.read(MORNING + 60, heard=True)
    camp.write(MORNING + 100, MORNING + 7000)
    instants = camp.instants(arrived_at=MORNING + DAY)
    assert holds(camp, instants)
    assert max(instant.within for instant in instants) <= 15


@wrong_clocks
def test_a_clock_that_is_set_in_the_middle_of_a_day_changes_nothing(wrong: int) -> None:
    camp = Camp(wrong)
    camp.read(MORNING)
    camp.write(MORNING + 10, MORNING + 3600)
    for shift in (-7200, 30 * DAY, -400 * DAY):
        camp.wrong += shift
        camp.read(camp.true[-1] + 60)
        camp.write(camp.true[-1] + 61, camp.true[-1] + 1800)
    instants = camp.instants(arrived_at=MORNING + DAY, began_at={camp.boot: MORNING})
    assert holds(camp, instants)
    assert max(instant.within for instant in instants) <= 15


@wrong_clocks
def test_a_day_without_a_contact_lies_between_its_neighbours(wrong: int) -> None:
    camp = Camp(wrong)
    camp.read(MORNING, heard=True)
    camp.write(MORNING + 60)
    camp.reboot(MORNING + DAY, "b" * 16)
    camp.read(MORNING + DAY + 60)
    camp.write(*range(MORNING + DAY + 60, MORNING + DAY + 3600, 300))
    camp.reboot(MORNING + 2 * DAY, "c" * 16)
    camp.read(MORNING + 2 * DAY + 60)
    camp.write(MORNING + 2 * DAY + 100)
    instants = camp.instants(arrived_at=MORNING + 3 * DAY, began_at={"c" * 16: MORNING + 2 * DAY})
    assert holds(camp, instants)
    assert instants[-1].within <= 15
    assert max(instant.within for instant in instants) <= 2 * DAY
    between = [instant.at for instant in instants[1:-1]]
    assert [b - a for a, b in pairwise(between)] == [300] * 11


def test_a_good_clock_is_believed_where_nothing_speaks_against_it() -> None:
    camp = Camp(0)
    camp.read(MORNING)
    camp.write(MORNING + 60)
    (instant,) = camp.instants(arrived_at=MORNING + DAY)
    assert instant.at == MORNING + 60
    assert instant.within >= DAY - 60


def test_whoever_sets_a_clock_in_the_middle_of_a_day_sets_it_right() -> None:
    camp = Camp(-20 * DAY)
    camp.read(MORNING)
    camp.write(MORNING + 60)
    camp.wrong = 0
    camp.read(MORNING + 600)
    camp.write(MORNING + 700)
    assert [instant.at for instant in camp.instants(arrived_at=MORNING + DAY)] == camp.true


def test_nothing_happened_after_a_later_batch_arrived() -> None:
    camp = Camp(10 * 365 * DAY)
    camp.read(MORNING)
    camp.write(MORNING + 60, MORNING + 120)
    timeline = Timeline(
        readings=camp.readings,
        arrivals=[
            Arrived(first_seq=1, at=MORNING + 9 * DAY),
            Arrived(first_seq=3, at=MORNING + DAY),
        ],
        began_at={},
        not_before=MORNING - DAY,
    )
    first, second = (timeline.instant(seq, claimed) for seq, _, claimed in camp.written)
    assert first.at <= second.at <= MORNING + DAY


def test_without_any_reading_there_are_bounds() -> None:
    timeline = Timeline(
        readings=[], arrivals=[Arrived(first_seq=1, at=1000)], began_at={}, not_before=400
    )
    assert timeline.instant(1, 600) == Instant(at=600, within=400)
    assert timeline.instant(1, 10**12) == Instant(at=1000, within=600)
    assert timeline.instant(1, 0) == Instant(at=400, within=600)


days = st.lists(
    st.tuples(
        st.integers(-60 * 365 * DAY, 20 * 365 * DAY),  # how wrong the clock is
        st.booleans(),  # whether the server was heard
        st.lists(st.integers(1, 3000), min_size=1, max_size=5),  # seconds between people
    ),
    min_size=1,
    max_size=6,
)


@given(days=days, late=st.integers(0, 9))
def test_whatever_the_clocks_say_order_holds_and_the_truth_lies_within(
    days: list[tuple[int, bool, list[int]]], late: int
) -> None:
    camp, began_at, now = Camp(0), {}, MORNING
    for number, (wrong, heard, gaps) in enumerate(days):
        now += DAY // 2
        camp.reboot(now, f"{number:016x}")
        camp.wrong = wrong
        camp.read(now + 5)
        if heard:
            began_at[camp.boot] = now + late // 2
        now += 10
        for gap in gaps:
            now += gap
            camp.write(now)
    assert holds(camp, camp.instants(arrived_at=now + DAY, began_at=began_at))


def test_a_run_that_contradicts_its_arrival_is_as_uncertain_as_can_be() -> None:
    """An operation far above its reading, in a run that no server was heard in."""
    reading = Reading(seq=1, boot="a" * 16, monotonic=0, wall=0)
    timeline = Timeline(
        readings=[reading],
        arrivals=[Arrived(first_seq=1, at=MORNING)],
        began_at={},
        not_before=MORNING - 30 * DAY,
    )
    instant = timeline.instant(2, 400 * DAY)
    assert instant.at == MORNING
    assert instant.within >= 30 * DAY
