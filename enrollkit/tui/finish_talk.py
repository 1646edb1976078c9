"""What the office said while a person is being finished, and what may be asked of it next."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from enrollkit.app.finish_words import can_begin, handles_of
from enrollkit.app.results import FinishState
from enrollkit.tui.screens.page import ask
from sync.errors import SyncError
from sync.protocol import FinishStage

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["MOBILE", "SENT", "FinishTalk", "Step"]

Step = Callable[[str], FinishState]
"""One of the steps of ``kit.finishing``, waiting for the person's number."""

SENT = frozenset({FinishStage.CODE_SENT, FinishStage.MOBILE_SENT})
MOBILE = frozenset({FinishStage.MOBILE, FinishStage.MOBILE_SENT})

_LOOK_SECONDS = 3
"""Between two looks at an office that is still at it."""
_SILENT_SECONDS = 40
"""After the first answer, for which the server waited some twenty seconds itself."""


class FinishTalk:
    """One person's state as it was answered last. ``now`` gives seconds on any clock.

    ``busy``: an answer is on its way. ``wish`` is the ABHA address that the person asked for when
    they were enrolled here.
    """

    def __init__(self, kit: Kit, ident: str, now: Callable[[], float]) -> None:
        self._kit = kit
        self._ident = ident
        self._now = now
        self._answered_at = 0.0
        self._working_since: float | None = None
        self._unsure = False
        self.state: FinishState | None = None
        self.busy = False
        self.practice = False
        self.wish = ""

    @property
    def stage(self) -> str | None:
        """The stage, once there was an answer."""
        return self.state.stage if self.state is not None else None

    @property
    def is_here(self) -> bool:
        """Whether this laptop holds the person."""
        return self.state is not None and bool(self.state.name)

    @property
    def seconds_left(self) -> int:
        """Until another code can be sent. A clock that is set meanwhile adds nothing."""
        if self.state is None:
            return 0
        passed = max(0, int(self._now() - self._answered_at))
        return max(0, self.state.again_in - passed)

    @property
    def wants_look(self) -> bool:
        """Whether the office was still at it, some seconds ago."""
        rested = abs(self._now() - self._answered_at) >= _LOOK_SECONDS
        return self.stage == FinishStage.WORKING and not self.busy and rested

    @property
    def is_silent(self) -> bool:
        """Whether nobody at the office took the step up, for a minute."""
        since = self._working_since
        return since is not None and self._now() - since >= _SILENT_SECONDS

    @property
    def handles(self) -> tuple[str, ...]:
        """The addresses to choose from, the person's own wish first."""
        return handles_of(self.state, self.wish) if self.state is not None else ()

    def offers(self, action: str) -> bool:
        """Whether an action makes sense now; those that are not known here always do."""
        stage, done = self.stage, self.stage == FinishStage.DONE
        begin = self.state is not None and can_begin(self.state)
        offered = {
            "send": begin,
            "send_to_mobile": stage == FinishStage.MOBILE,
            "look": stage in {None, FinishStage.WORKING, FinishStage.REFUSED} and not begin,
            "skip": stage in MOBILE or stage == FinishStage.ADDRESS,
            "again": stage in SENT and self.seconds_left == 0,
            "walk": stage == FinishStage.ADDRESS and bool(self.handles),
            "card": done and self.is_here,
            "close": done,
        }
        return offered[action] and not self.busy if action in offered else True

    async def take(self, step: Step) -> None:
        """Take a step. One whose answer was lost is not taken again before a look."""
        try:
            state = await self._sure_of(step)
        except SyncError:
            self._unsure = self.state is not None
            raise
        self.state, self._unsure = state, False
        self._answered_at = self._now()
        if self.stage != FinishStage.WORKING:
            self._working_since = None
        elif self._working_since is None:
            self._working_since = self._answered_at
        self.practice = (await ask(lambda: self._kit.programme)).practice
        if self.stage == FinishStage.ADDRESS and self.is_here:
            page = await ask(self._kit.people.page, state.record)
            self.wish = page.enrollment.abha_address_choice or ""

    async def _sure_of(self, step: Step) -> FinishState:
        if self._unsure and self.state is not None:
            found = await ask(self._kit.finishing.look, self._ident)
            if found.stage != self.state.stage:
                return found
        return await ask(step, self._ident)
