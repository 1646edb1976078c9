"""Any run of faults, and then none: everything arrives, nothing twice, nothing by hearsay."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from engine_fakes import QUICK, Laptop
from engine_server import news
from sync.engine.runner import deliver

FAULTS = [
    "", "offline", "portal", "busy", "lost reply", "cut up", "cut down", "silent", "doubled",
    "forged", "other device", "other batch", "stale", "short", "rolled back",
]  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(
    faults=st.lists(st.sampled_from(FAULTS), max_size=30),
    people=st.integers(0, 12).map(lambda pairs: 2 * pairs),
    later=st.integers(0, 4).map(lambda pairs: 2 * pairs),
    entries=st.integers(0, 5),
    size=st.sampled_from([120, 300, 4096]),
)
def test_when_the_faults_stop_every_queue_drains(
    faults: list[str], people: int, later: int, entries: int, size: int
) -> None:
    left = deque(faults)
    laptop = Laptop(people=people, news=news(entries), request_bytes_max=size)
    laptop.server.faults = _drawn(left)
    accepted = 0
    while left:
        summary = deliver(laptop.ports, approval_code="", pacing=QUICK)
        accepted += summary.accepted
        assert accepted == 2 * len(laptop.outbox.receipts)
        assert accepted + summary.waiting == people
    laptop.outbox.unfrozen += later
    summary = deliver(laptop.ports, approval_code="", pacing=QUICK)
    assert summary.error is None
    assert summary.waiting == 0
    assert accepted + summary.accepted == people + later
    assert laptop.server.held == [batch.digest for batch in laptop.outbox.batches]
    assert laptop.inbox.entries == laptop.server.news


def _drawn(left: deque[str]) -> Iterator[str]:
    while left:
        yield left.popleft()
