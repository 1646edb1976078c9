"""The power goes at the server, or the line does: nothing is lost, nothing is doubled."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from journey_rounds import BATCHES, PEOPLE_PER_BATCH, POINTS, Rounds, open_rounds

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("journey-killed-server")]


@pytest.fixture(scope="module")
def camp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rounds]:
    with open_rounds(tmp_path_factory.mktemp("rounds")) as rounds:
        yield rounds


@pytest.mark.parametrize(("direction", "share"), POINTS)
def test_a_server_that_dies_in_a_sync_has_everybody_the_next_time(
    camp: Rounds, direction: str, share: float
) -> None:
    camp.enroll_round()
    server = camp.office.server.process
    assert server is not None
    trap = camp.office.relay.set_trap(direction, camp.byte(direction, share), server.kill)
    broken = camp.laptop.run("sync", "--json")
    assert trap.sprung.wait(10)
    assert server.wait(timeout=30) == -signal.SIGKILL
    camp.office.kill()
    assert broken.object["error"] == "offline"
    assert broken.code == 60
    camp.office.start()
    camp.finish()


@pytest.mark.parametrize("share", [0.0, 0.4, 0.7, 0.95])
def test_answers_that_are_lost_are_asked_for_again(camp: Rounds, share: float) -> None:
    camp.enroll_round()
    camp.office.relay.set_trap("down", camp.byte("down", share), _nothing)
    told = camp.laptop.run("sync", "--json")
    assert told.code == 0
    assert told.object["sent"] == told.object["accepted"] == BATCHES * (PEOPLE_PER_BATCH + 1)
    assert camp.finish()["sent"] == 0


def test_a_sync_that_arrives_twice_changes_nothing(camp: Rounds) -> None:
    camp.enroll_round()
    camp.office.relay.forget()
    assert camp.laptop.run("sync", "--json").code == 0
    before = camp.office.status()
    for passage in list(camp.office.relay.passages):
        requests = passage.up.count(b" HTTP/1.1\r\n")
        assert requests >= 2
        for _ in range(2):
            answer = camp.office.relay.replay(passage)
            assert answer.count(b"HTTP/1.1 200 OK\r\n") == requests + 1
    assert camp.office.status() == before
    camp.finish()


def test_a_batch_that_is_cut_and_sent_again_is_one_batch(camp: Rounds) -> None:
    """Two cuts in one session: the second hits the sync that mends the first."""
    camp.enroll_round()
    relay = camp.office.relay

    def cut_again() -> None:
        relay.set_trap("up", camp.byte("up", 0.3), _nothing)

    first = relay.set_trap("up", camp.byte("up", 0.6), cut_again)
    told = camp.laptop.run("sync", "--json")
    assert first.sprung.is_set()
    assert (told.code, told.object["accepted"]) == (0, BATCHES * (PEOPLE_PER_BATCH + 1))
    camp.finish()


def _nothing() -> None:
    """The cut alone."""
