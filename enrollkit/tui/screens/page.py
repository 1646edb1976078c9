"""What every screen has: the top line, a body, a place for notices, the keys that work now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, ParamSpec, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker

from enrollkit.errors import OperatorError
from enrollkit.locale import _
from enrollkit.tui.widgets.key_bar import KeyBar
from enrollkit.tui.widgets.notice import Notice
from enrollkit.tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit
    from enrollkit.tui.app import KitApp

__all__ = ["Page", "ask"]

Result = TypeVar("Result")
Work = Callable[[], Coroutine[Any, Any, None]]
Given = ParamSpec("Given")
Answer = TypeVar("Answer")


async def ask(call: Callable[Given, Answer], *args: Given.args, **kwargs: Given.kwargs) -> Answer:
    """Ask the kit something off the UI thread; a key press is never kept waiting by the disk."""
    return await asyncio.to_thread(call, *args, **kwargs)


class Body(VerticalScroll, can_focus=False, inherit_bindings=False):
    """What lies between the two lines. Its keys are the page's, so that a list can have arrows."""


class Page(Screen[Result], Generic[Result]):
    """A screen of the kit. Subclasses give ``TITLE``, ``HELP`` and ``content``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back"),
        Binding("pagedown", "scroll(10)", "", show=False),
        Binding("pageup", "scroll(-10)", "", show=False),
        Binding("down", "scroll(1)", "", show=False),
        Binding("up", "scroll(-1)", "", show=False),
    ]
    HELP: ClassVar[str] = ""
    HEADING: ClassVar[str] = ""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        self._standing_up = asyncio.Event()
        self._leaving: tuple[Result | None] | None = None
        self._left = False

    @property
    def kit_app(self) -> KitApp:
        """The app, by its own type."""
        app: Any = self.app
        found: KitApp = app
        return found

    def compose(self) -> ComposeResult:
        """Lay out the frame around the content."""
        yield TopBar(_(self.HEADING))
        with Body(id="body"):
            yield from self.content()
        yield Notice()
        yield KeyBar()

    def leave(self, result: Result | None) -> None:
        """Dismiss once, and only from the top: Textual would take away whatever lies on top.

        A screen that was covered while it was leaving goes when it is uncovered.
        """
        self._leaving = self._leaving or (result,)
        if self.is_current and not self._left:
            self._left = True
            self.dismiss(self._leaving[0])

    def on_screen_resume(self) -> None:
        """Show the operator and the countdown at once, not at the next second."""
        if self._leaving is not None:
            self.leave(self._leaving[0])
        else:
            self.call_after_refresh(self.kit_app.show_time)

    def content(self) -> Iterable[Widget]:
        """Give the widgets between the two lines."""
        return ()

    @property
    def is_laid_out(self) -> bool:
        """Whether the frame stands; a screen just opened has none for a moment."""
        return self.is_attached and bool(self.query(KeyBar))

    @property
    def top(self) -> TopBar:
        """The first line."""
        return self.query_one(TopBar)

    @property
    def keys(self) -> KeyBar:
        """The last line."""
        return self.query_one(KeyBar)

    @property
    def notice(self) -> Notice:
        """The place for things to tell."""
        return self.query_one(Notice)

    def help_text(self) -> str:
        """Explain the screen; screens with fields explain the field first."""
        return _(self.HELP)

    def say(self, text: str, *, warn: bool = False, stay: bool = False) -> None:
        """Tell the operator something, if the screen still stands."""
        if self.is_laid_out:
            self.notice.say(text, warn=warn, stay=stay)

    def begin(self, work: Work, *, group: str = "page", exclusive: bool = False) -> Worker[None]:
        """Start work beside the keys; an operating error becomes words, any other a crash."""
        return self.run_worker(partial(self._told, work), group=group, exclusive=exclusive)

    async def settle(self) -> None:
        """Bring to disk what is only on the screen; asked for before the kit is locked."""

    def delivery_moved(self) -> None:
        """Draw the progress of sending; most screens show it in the top line only."""

    def action_scroll(self, lines: int) -> None:
        """Move the body where it is longer than the screen."""
        self.query_one(Body).scroll_relative(y=lines, animate=False)

    def action_back(self) -> None:
        """Go back; nothing is lost."""
        self.leave(None)

    async def _told(self, work: Work) -> None:
        """Run work once the screen stands; a screen that went away meanwhile needs no answer."""
        await self._standing_up.wait()
        try:
            await work()
        except OperatorError as error:
            self.trouble(error)
        except NoMatches:
            if self.is_current and self.is_laid_out:
                raise

    def _on_mount(self, event: events.Mount) -> None:
        """Note that the widgets stand; Textual calls every base class's handler by itself."""
        del event
        self._standing_up.set()

    def trouble(self, error: OperatorError) -> None:
        """Say what went wrong, in the error's own words; a locked kit asks for the passphrase."""
        if error.code == "vault-locked":
            self.kit_app.show_locked()
        else:
            self.say(_(error.text), warn=True, stay=True)
