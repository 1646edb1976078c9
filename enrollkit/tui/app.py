"""The app itself: it knows who works, locks when nobody does, and falls without hurting anyone."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import Worker

from enrollkit.app.system import local_time
from enrollkit.errors import OperatorError
from enrollkit.locale import _
from enrollkit.tui import surroundings
from enrollkit.tui.ascii_only import AsciiOnly
from enrollkit.tui.crash import CrashReporter, crash_code, say_crash
from enrollkit.tui.delivery_watch import DeliveryWatch
from enrollkit.tui.journey import Journey
from enrollkit.tui.locking import IdleClock, Locking
from enrollkit.tui.messages import DeliveryMoved
from enrollkit.tui.palette import commands_of
from enrollkit.tui.screens.page import Page
from enrollkit.tui.screens.unlock import UnlockScreen
from enrollkit.tui.themes import THEMES, next_theme
from enrollkit.tui.type_ahead import TypeAhead

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit
    from enrollkit.app.results import Operator

__all__ = ["KitApp", "make_app"]

_IDLE_MINUTES = 5


def make_app(
    kit: Kit,
    *,
    idle_minutes: float = _IDLE_MINUTES,
    report_crash: CrashReporter | None = None,
    now: Callable[[], int] = lambda: int(time.time()),
    monotonic: Callable[[], float] = time.monotonic,
    ascii_only: bool | None = None,
    allowed_mb: float | None = None,
) -> KitApp:
    """Build the app from plain values: the product and every test build it here.

    ``report_crash`` is the kit's own unless another is handed in. ``ascii_only`` is found from
    the terminal's encoding, or ``ENROLLKIT_ASCII``, when it is not given. ``allowed_mb`` bounds
    what may travel in a day; ``ENROLLKIT_LIMIT_MB`` when it is not given, else no bound.
    """
    return KitApp(
        kit,
        idle_seconds=idle_minutes * 60,
        report_crash=report_crash or kit.report_crash,
        now=now,
        monotonic=monotonic,
        ascii_only=surroundings.must_be_ascii() if ascii_only is None else ascii_only,
        allowed_mb=surroundings.allowed_mb() if allowed_mb is None else allowed_mb,
    )


class KitApp(App[None]):
    """enrollkit in a terminal."""

    TITLE = "enrollkit"
    CSS_PATH = "enrollkit.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "explain", "help", key_display="F1", priority=True),
        Binding("ctrl+l", "lock", "lock", key_display="Ctrl+L", priority=True),
        Binding("slash", "find", "find", key_display="/"),
        Binding("ctrl+q", "leave", "leave", show=False, priority=True),
        Binding("ctrl+c", "leave_hint", "", show=False, system=True),
    ]

    def __init__(
        self,
        kit: Kit,
        *,
        idle_seconds: float,
        report_crash: CrashReporter,
        now: Callable[[], int],
        monotonic: Callable[[], float],
        ascii_only: bool,
        allowed_mb: float | None = None,
    ) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
        self.kit = kit
        self._report_crash = report_crash
        self._now = now
        self._idle = IdleClock(idle_seconds, monotonic)
        self._locking = Locking(self)
        self._day_floor = 0
        self._fallen = False
        self.operator: Operator | None = None
        self.last_row: Mapping[str, Any] = {}
        self.last_facility = ""
        allowed = None if allowed_mb is None else int(allowed_mb * 1024 * 1024)
        self.delivery = DeliveryWatch(kit, self.now, self._delivery_moved, allowed_bytes=allowed)
        self.journey = Journey(self)
        self.type_ahead = TypeAhead(self.call_later, super().on_event)
        self.set_class(ascii_only, "-ascii")
        if ascii_only:
            self._filters.append(AsciiOnly())
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    # Time and memory of one operator's session

    def now(self) -> datetime:
        """Give the time as India's wall clock shows it."""
        return local_time(self._now())

    def today(self) -> date:
        """Give today's date, never before the day on which the programme was signed."""
        return local_time(max(self._now(), self._day_floor)).date()

    @property
    def last_language(self) -> str:
        """The language spoken last, for the next person."""
        return str(self.last_row.get("language") or "hi")

    @property
    def is_practice(self) -> bool:
        """Whether numbers and cards of this programme are not real."""
        return self.has_class("-practice")

    def mark_practice(self, *, practice: bool) -> None:
        """Stripe every screen, or none; a newer programme may say otherwise."""
        self.set_class(practice, "-practice")

    def remember(self, row: Mapping[str, Any]) -> None:
        """Keep the row saved last until the kit is locked: the next may be of its household."""
        self.last_row = dict(row)

    # Coming and going

    async def on_mount(self) -> None:
        """Ask for the passphrase, and start the clock that locks."""
        await self.ask_passphrase()
        self.set_interval(1.0, self._tick)

    def _unlocked(self, operator: Operator | None) -> None:
        if operator is None:
            self.exit()
            return
        self.operator = operator
        self._idle.touch()
        self.begin(self._arrive, group="arrive")

    async def _arrive(self) -> None:
        programme = await self.journey.programme()
        self._day_floor = programme.issued
        self.mark_practice(practice=programme.practice)
        await self.journey.home()
        self._tick()

    def action_lock(self) -> None:
        """Lock now, unless that would lose what is on the screen."""
        self._locking.begin(must=False)

    def show_locked(self) -> None:
        """Nobody is there, or the keys are gone already: lock in any case."""
        self._locking.begin(must=True)

    def forget(self) -> None:
        """Forget the operator and whatever was remembered of a person."""
        self.operator = None
        self.last_row = {}
        self.delivery.forget()

    async def ask_passphrase(self) -> None:
        """Open the first screen."""
        await self.push_screen(UnlockScreen(self.kit), self._unlocked)

    async def action_leave(self) -> None:
        """Lock and end."""
        if self.operator is not None:
            await self._locking.lock(must=False)
        if self.operator is None:
            self.exit()

    def action_leave_hint(self) -> None:
        """Ctrl+C is pressed for many reasons; it ends nothing."""
        if isinstance(self.screen, Page):
            self.screen.say(_("Ctrl+Q leaves the kit. Ctrl+L locks it."))

    # Keys that work everywhere

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Finding and locking need an unlocked kit; in a field the slash is a slash."""
        del parameters
        if action == "lock":
            return self.operator is not None
        if action == "find":
            return self.operator is not None and not isinstance(self.focused, Input)
        return True

    async def action_find(self) -> None:
        """Find a person, from anywhere."""
        await self.journey.find()

    async def action_explain(self) -> None:
        """Explain the field or the screen."""
        await self.journey.explain()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Give the palette the kit's own commands, not the framework's."""
        del screen
        return commands_of(self)

    def change_colours(self) -> None:
        """Take the next theme."""
        self.theme = next_theme(self.theme)

    def begin(
        self, work: Callable[[], Coroutine[Any, Any, None]], *, group: str = "journey"
    ) -> Worker[None]:
        """Start work that outlives the screen on top; an operating error becomes words."""
        worker: Worker[None] = self.run_worker(partial(self._told, work), group=group)
        return worker

    async def _told(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except OperatorError as error:
            self.tell(error)

    def tell(self, error: OperatorError) -> None:
        """Show an operating error on whatever page is on top."""
        if isinstance(self.screen, Page):
            self.screen.trouble(error)

    # The clock that locks

    async def on_event(self, event: events.Event) -> None:
        """Note that somebody is there; a key may have to wait for its field."""
        if isinstance(event, events.Key | events.MouseDown | events.Paste):
            self._idle.touch()
        if not self.type_ahead.keeps(event):
            await super().on_event(event)

    def _tick(self) -> None:
        if self.operator is None:
            return
        if self._idle.seconds_left <= 0 and not self.delivery.running:
            self.show_locked()
        else:
            self.show_time()

    def show_time(self) -> None:
        """Bring the top line of the page on top up to date."""
        if self.operator is None:
            return
        left = self._idle.seconds_left
        if isinstance(self.screen, Page) and self.screen.is_laid_out:
            self.screen.top.tell(self.operator.name, left, self.delivery.brief)

    def _delivery_moved(self) -> None:
        """Tell the screen on top; called from the session's thread too."""
        self.post_message(DeliveryMoved())

    def on_delivery_moved(self) -> None:
        """Draw what moved."""
        self._tick()
        if isinstance(self.screen, Page) and self.screen.is_laid_out:
            self.screen.delivery_moved()

    # The fall

    def _handle_exception(self, error: Exception) -> None:
        """End in words: no traceback on the screen, for its locals hold people.

        Textual calls this for every exception that nobody caught, in handlers and workers alike.
        """
        self._return_code = 1
        if not self._fallen:
            self._fallen = True
            self._exception = error
            cause: BaseException | None = getattr(error, "error", None)
            self._fall(cause or error)
            self._exception_event.set()

    def _fall(self, cause: BaseException) -> None:
        """Lock, write the report, and leave the operator with words."""
        self.kit.lock()
        self.panic(say_crash(crash_code(cause), self._crash_file(cause)))

    def _crash_file(self, error: BaseException) -> Path | None:
        """Write the report; a full disk must not hide the first fault."""
        try:
            return self._report_crash(error)
        except OSError:
            return None
