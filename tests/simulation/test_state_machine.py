"""The same rules in Hypothesis's hands: it draws other stories than the seeds do."""

from __future__ import annotations

import random
import shutil

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from simulator.deeds import EVENTS, between
from simulator.faults import FAULTS, Fault
from simulator.sticks import deliver_all
from simulator.templates import template
from simulator.world import World, small_batches

pytestmark = pytest.mark.xdist_group("simulator")

SALTS = st.integers(0, 2**16)
FAULT = st.builds(
    Fault,
    rule=st.sampled_from(sorted(FAULTS)),
    at=st.integers(0, 4),
    share=st.floats(0, 1, exclude_max=True),
)


class CampMachine(RuleBasedStateMachine):
    """A camp of two laptops and its office; the end of each story has no faults and drains."""

    def __init__(self) -> None:
        super().__init__()
        self.small = small_batches()
        self.small.__enter__()
        folder = template().folder / "machine"
        shutil.rmtree(folder, ignore_errors=True)
        self.world = World(folder, salt="machine", laptops=2, is_met=True)
        self.world.between = between
        self.world.deliver_sticks = deliver_all
        self.steps = 0

    def teardown(self) -> None:
        try:
            self.world.settle()
        finally:
            self.world.close()
            self.small.__exit__(None, None, None)

    @rule(name=st.sampled_from(sorted(set(EVENTS) - {"sync", "work"})), salt=SALTS)
    def something_happens(self, name: str, salt: int) -> None:
        self._event(name, salt)

    @rule(salt=SALTS)
    def somebody_works(self, salt: int) -> None:
        self._event("work", salt)

    @rule(number=st.integers(0, 3), faults=st.lists(FAULT, max_size=2))
    def a_laptop_calls(self, number: int, faults: list[Fault]) -> None:
        laptop = self.world.laptops[number % len(self.world.laptops)]
        self.world.event("sync", lambda: self.world.session(laptop, faults))

    @precondition(lambda self: len(self.world.snapshots) > 1)
    @rule(salt=SALTS)
    def the_server_goes_back(self, salt: int) -> None:
        self._event("server-restored", salt)

    def _event(self, name: str, salt: int) -> None:
        # The step is part of the dice: the same person is never enrolled twice.
        self.steps += 1
        dice = random.Random(f"{self.steps} {salt}")
        self.world.event(name, lambda: EVENTS[name][1](self.world, dice))


CampMachine.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=12,
    deadline=None,
    # The suite must end: a failing story is told as it was found, and its length is the limit.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
TestCamp = CampMachine.TestCase
