from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from enrollkit.app.results import Summary
from enrollkit.app.vigil import Round, Vigil
from enrollkit.app.watching import GATHER_SECONDS
from enrollkit.errors import StoreBusy, StoreDamaged
from kit_samples import PASSPHRASE, StoppedSystem, intake_row, unlocked
from sync.errors import DevicePending, Offline, ServerUnavailable, SyncBusy, SyncError


class Roads(StoppedSystem):
    """A machine whose way out the test names."""

    way = "wifi"

    def road(self, host: str) -> str:
        assert host
        return self.way


def summary(error: SyncError | None = None, **changes: Any) -> Summary:
    values = dict.fromkeys(Summary.__slots__[:11], 0)
    return Summary(**{**values, "error": error, **changes})


@dataclass
class Scene:
    """A vigil whose sessions end as the test says; each is noted with its time."""

    kit: Any
    system: Roads
    ends: list[Callable[[], Summary]] = field(default_factory=list)
    spent: bool = False
    rounds: list[Round] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def keep(self, *ends: Callable[[], Summary], after: Callable[[], object] | None = None) -> None:
        """Watch until every end was used; ``after`` happens after each session."""
        self.ends, began = list(ends), self.system.up

        def run() -> Summary:
            self.times.append(self.system.up - began)
            return self.ends.pop(0)()

        def tell(done: Round) -> None:
            self.rounds.append(done)
            if after is not None:
                after()

        Vigil(
            self.kit._open(),
            run=run,
            is_stopping=lambda: not self.ends,
            is_spent=lambda: self.spent,
        ).keep(tell)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with unlocked(tmp_path) as kit:
        system = Roads()
        kit._system = system
        kit.lock()
        kit.unlock(PASSPHRASE)
        yield Scene(kit=kit, system=system)


def offline() -> Summary:
    return summary(Offline())


def busy() -> Summary:
    raise SyncBusy


def test_people_saved_while_it_watches_go_out_by_themselves(scene: Scene) -> None:
    scene.keep(
        summary,
        lambda: summary(sent=1),
        after=lambda: scene.kit.enrolling.submit_row(intake_row()),
    )
    first, second = scene.times
    assert (first, scene.rounds[0].waiting) == (0, 0)
    assert GATHER_SECONDS <= second < GATHER_SECONDS + 5


def test_a_network_that_comes_ends_the_wait(scene: Scene) -> None:
    scene.kit.enrolling.submit_row(intake_row())
    scene.system.way = ""
    scene.keep(*[offline] * 6)
    scene.times.clear()
    scene.keep(offline, lambda: summary(sent=1), after=lambda: setattr(scene.system, "way", "2G"))
    assert scene.times[1] < 8
    assert scene.rounds[-2].waiting == 1


def test_being_pushed_away_is_told_with_the_time_and_kept(scene: Scene) -> None:
    scene.keep(lambda: summary(ServerUnavailable(retry_after_seconds=7200)), summary)
    assert scene.rounds[0].rest_seconds == 7200
    assert scene.times[1] >= 7200


def test_another_window_and_a_busy_file_are_waited_for(scene: Scene) -> None:
    def locked() -> Summary:
        raise StoreBusy

    scene.keep(busy, locked, summary)
    assert [type(done.error) for done in scene.rounds] == [SyncBusy, StoreBusy, type(None)]
    assert scene.times[2] < 30


def test_a_damaged_file_ends_the_watch(scene: Scene) -> None:
    def damaged() -> Summary:
        raise StoreDamaged("x")

    with pytest.raises(StoreDamaged):
        scene.keep(damaged, summary)


def test_a_laptop_that_waits_for_approval_goes_on_asking_now_and_then(scene: Scene) -> None:
    pending = DevicePending(approval_code="ABCD")
    scene.keep(lambda: summary(pending), lambda: summary(pending), summary)
    assert scene.times == pytest.approx([0, 900, 1800], abs=3)


def test_a_spent_day_sends_nothing_until_midnight_in_india(scene: Scene) -> None:
    scene.spent = True
    to_midnight = 86_400 - (scene.system.now() + 19_800) % 86_400
    with contextlib.suppress(StopIteration):
        scene.keep(summary, after=_raise_stop)
    (done,) = scene.rounds
    assert done.spent
    assert scene.times == []
    assert to_midnight <= done.rest_seconds <= to_midnight + 60


def _raise_stop() -> None:
    raise StopIteration
