from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enrollkit.app.forecast import link_class
from enrollkit.app.kit import Kit
from enrollkit.store.link_facts import LinkFacts, keep_link
from kit_office import Office
from kit_samples import intake_row, unlocked


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with unlocked(tmp_path) as opened:
        yield opened


def measure(kit: Kit, goodput: float, round_trip: float | None) -> None:
    """Do what a session does that has measured its link."""
    facts = LinkFacts(goodput=goodput, round_trip_seconds=round_trip, push_bytes=32_768)
    kit._open().database.write(lambda tx: keep_link(tx, facts))


def enroll(kit: Kit, count: int) -> None:
    for number in range(count):
        row = intake_row(name=f"Asha {chr(97 + number)}", mobile=f"9{number:09d}", aadhaar=None)
        assert kit.enrolling.submit_row(row, looked_at=frozenset({"alike"})).ok


def test_nothing_is_foretold_of_a_link_that_was_never_measured(kit: Kit) -> None:
    estimate = kit.delivery.estimate()
    assert (estimate.seconds, estimate.link) == (None, "")
    assert 0 < estimate.bytes < 4_000


def test_more_people_cost_more_and_what_was_signed_for_costs_nothing(kit: Kit) -> None:
    idle = kit.delivery.estimate().bytes
    enroll(kit, 1)
    one = kit.delivery.estimate().bytes
    enroll(kit, 6)
    assert idle < one < kit.delivery.estimate().bytes
    Office(kit).offer()
    assert kit.delivery.estimate().bytes > one
    Office(kit).sign()
    assert kit.delivery.estimate().bytes == idle


def test_a_slow_link_says_so_and_takes_its_round_trips(kit: Kit) -> None:
    measure(kit, 3_072.0, 0.6)
    estimate = kit.delivery.estimate()
    assert estimate.link == "2G"
    assert estimate.seconds == round(1 + 0.6 + 5 * 0.6)
    measure(kit, 50_000.0, None)
    assert (kit.delivery.estimate().link, kit.delivery.estimate().seconds) == ("3G", 0)


@pytest.mark.parametrize(
    ("goodput", "name"),
    [(1.0, "2G"), (19_999.0, "2G"), (20_000.0, "3G"), (900_000.0, "4G"), (9_000_000.0, "")],
)
def test_links_are_called_as_people_call_them(goodput: float, name: str) -> None:
    assert link_class(goodput) == name


def test_a_server_that_stood_still_once_does_not_make_the_link_look_slow(kit: Kit) -> None:
    measure(kit, 50_000, 40.0)
    stalled = kit.delivery.estimate().seconds
    measure(kit, 50_000, 3.0)
    assert stalled == kit.delivery.estimate().seconds
