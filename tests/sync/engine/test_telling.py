from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from sync.engine.account import Account, Progress, Summary
from sync.engine.telling import Teller
from sync.errors import Offline, ServerUnavailable, Timeout
from sync.ports import Tally


@dataclass
class Scene:
    """A teller with a clock, a queue and what it said."""

    seconds: float = 100.0
    bytes_left: int = 0
    seconds_left: int | None = None
    told: list[Progress] = field(default_factory=list)
    account: Account = field(default_factory=Account)

    def __post_init__(self) -> None:
        self.teller = Teller(
            self.account,
            lambda: (11, 22, 3),
            left=lambda: (self.bytes_left, self.seconds_left),
            monotonic=lambda: self.seconds,
            on_progress=self.told.append,
            words=str,
        )

    @property
    def text(self) -> str:
        return self.told[-1].text


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize(
    ("size", "seconds", "more"),
    [
        (0, None, ""),
        (6 * 1024, None, " 6 KB left."),
        (6 * 1024, 20, " About 20 s left, 6 KB."),
        (6 * 1024, 125, " About 2 min left, 6 KB."),
        (3_500_000, 3600, " About 60 min left, 3.3 MB."),
        (10, 0, " About 1 s left, 1 KB."),
    ],
)
def test_people_are_told_with_what_is_left_as_far_as_it_is_known(
    scene: Scene, size: int, seconds: int | None, more: str
) -> None:
    scene.account.expect(5)
    scene.account.settled(Tally(accepted=2))
    scene.bytes_left, scene.seconds_left = size, seconds
    scene.teller.people()
    assert scene.text == f"Signed for by the server: 2 of 5.{more}"
    assert (scene.told[-1].bytes_left, scene.told[-1].seconds_left) == (size, seconds)


@pytest.mark.parametrize("error", [Offline(), Timeout()])
def test_a_connection_that_came_back_says_how_long_it_was_lost(
    scene: Scene, error: Offline | Timeout
) -> None:
    scene.teller.heard()
    assert scene.told == []
    scene.seconds += 15
    scene.teller.waiting(error, 5.4)
    assert scene.text.endswith("Trying again in 5 s.")
    scene.seconds += 5
    scene.teller.heard()
    assert scene.text == "Connection lost for 20 s – nothing lost, connected again."
    scene.teller.heard()
    assert len(scene.told) == 2


def test_a_busy_server_and_a_first_call_are_no_lost_connection(scene: Scene) -> None:
    scene.teller.waiting(Offline(), 5)
    scene.teller.heard()
    scene.teller.waiting(ServerUnavailable(), 600)
    assert scene.text.endswith("Trying again in 10 min.")
    scene.teller.heard()
    assert [progress.phase for progress in scene.told] == ["waiting", "waiting"]


def summary(**changes: object) -> Summary:
    values: dict[str, object] = dict.fromkeys(Summary.__slots__[:11], 0)
    return Summary(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "The server has signed for everything."),
        ({"waiting": 3}, "Done. Enrolled meanwhile, for the next time: 3."),
        ({"waiting": 3, "limited": True}, "The allowance is used up. Still waiting here: 3."),
        ({"waiting": 3, "stopped": True}, "Stopped, as you asked. Still waiting here: 3."),
        ({"waiting": 3, "error": Offline()}, Offline().text),
    ],
)
def test_the_last_words_say_how_it_ended(
    scene: Scene, changes: dict[str, object], text: str
) -> None:
    scene.teller.done(summary(**changes))
    assert (scene.told[-1].phase, scene.text) == ("done", text)


def test_a_server_that_forgot_and_a_copied_disk_are_said_in_words(scene: Scene) -> None:
    scene.teller.rolled_back()
    assert "older copy" in scene.text
    scene.teller.new_life()
    assert "Both are kept" in scene.text
