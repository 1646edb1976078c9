"""A stick: write what waits to it, and read what the office put on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from enrollkit.locale import _, ngettext
from enrollkit.tui.marks import shown
from enrollkit.tui.messages import StepDone
from enrollkit.tui.mounts import find_sticks
from enrollkit.tui.screens.page import Page, ask
from enrollkit.tui.widgets.choice_field import Choice
from enrollkit.tui.widgets.pick_field import PickField
from enrollkit.tui.widgets.step import Step
from enrollkit.tui.widgets.text_field import TextField

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit
    from enrollkit.app.returns import Received
    from enrollkit.app.sticks import Exported

__all__ = ["StickScreen"]

_TYPED = "typed"
_FILES_SHOWN = 3


class StickScreen(Page[None]):
    """Chooses a folder, then writes to it or reads from it, once at a time."""

    HEADING = "Stick"
    HELP = (
        "Plug a stick in and choose it. F2 writes everybody who waits to it, sealed: nobody but "
        "the office can read it. The stick goes to the office and comes back with the answer; F3 "
        "reads that. Until then the people stay on this laptop and count as not signed for. A "
        "stick may be lost: write another."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "write", "write to it", key_display="F2"),
        Binding("f3", "read", "read from it", key_display="F3"),
        Binding("f4", "look", "look again", key_display="F4"),
    ]
    _working = False

    def __init__(self, kit: Kit, find: Callable[[], list[Path]] = find_sticks) -> None:
        super().__init__(kit)
        self._find = find
        self._sticks: list[Path] = []

    def content(self) -> Iterable[Widget]:
        """Give what waits, the choice of a folder, and what came of it."""
        yield Static(_("Looking for sticks …"), id="stick-head", markup=False)
        yield Static("", id="stick-words", markup=False)

    def on_mount(self) -> None:
        """Look for sticks, and say what waits."""
        self.begin(self._look)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """One thing at a time: a stick must not be pulled out under a file."""
        del parameters
        return not self._working if action in {"write", "read", "look", "back"} else True

    def on_step_done(self, event: StepDone) -> None:
        """Enter in the last field writes nothing by itself."""
        event.stop()
        self.say(_("F2 writes to it, F3 reads from it."))

    def on_choice_changed(self, event: Choice.Changed) -> None:
        """A stick that was found needs no typed folder."""
        event.stop()
        self._show_typed()

    def action_write(self) -> None:
        """Write what waits to the stick."""
        self._start(_("Writing, and reading it back from the stick …"), self._write)

    def action_read(self) -> None:
        """Read what the office put on the stick."""
        self._start(_("Reading …"), self._read)

    def action_look(self) -> None:
        """Look for sticks again."""
        self.begin(self._look, group="look", exclusive=True)

    def _start(self, words: str, work: Callable[[Path], Awaitable[Content]]) -> None:
        folder = self._folder()
        if folder is None:
            self.say(_("Which folder? Choose a stick, or type its folder."), warn=True)
        elif not self._working:
            self._working = True
            self.refresh_bindings()
            self.notice.clear()
            self._tell(Content(f"{words} {_('Leave the stick in.')}"))
            self.begin(partial(self._work, work, folder), group="stick")

    async def _work(self, work: Callable[[Path], Awaitable[Content]], folder: Path) -> None:
        done = Content("")
        try:
            done = await work(folder)
        finally:
            self._working = False
            self._tell(done)
            self.refresh_bindings()
        await self._count()

    async def _write(self, folder: Path) -> Content:
        return self._written(await ask(self.kit.sticks.export, folder))

    async def _read(self, folder: Path) -> Content:
        return self._received(await ask(self.kit.sticks.receive, folder))

    async def _look(self) -> None:
        self._sticks = await ask(self._find)
        await self._count()
        for old in self.query(_FolderStep):
            await old.remove()
        answers = {str(path): shown(str(path)) for path in self._sticks}
        answers[_TYPED] = _("another folder")
        step = _FolderStep(answers)
        await self.query_one("#body").mount(step, after="#stick-head")
        step.fill({"stick": next(iter(answers))})
        self._show_typed()
        step.enter("" if self._sticks else "/folder")

    async def _count(self) -> None:
        standing = await ask(self.kit.standing)
        people = ngettext("{count} person waits", "{count} people wait", standing.waiting)
        words = people.format(count=standing.waiting) if standing.waiting else _("Nobody waits")
        found = _("no stick found; plug one in, F4 looks again") if not self._sticks else ""
        joint = " - " if self.app.has_class("-ascii") else " · "
        self.query_one("#stick-head", Static).update(joint.join(filter(None, [words, found])))

    def _folder(self) -> Path | None:
        for step in self.query(_FolderStep):
            values: dict[str, Any] = step.values()
            chosen = values["/stick"]
            typed = values["/folder"]
            if chosen == _TYPED or chosen is None:
                return Path(str(typed)).expanduser() if typed else None
            return Path(str(chosen))
        return None

    def _show_typed(self) -> None:
        for step in self.query(_FolderStep):
            step.show_typed()

    def _tell(self, words: Content) -> None:
        for line in self.query("#stick-words").results(Static):
            line.update(words)

    def _written(self, done: Exported) -> Content:
        tick = "v" if self.app.has_class("-ascii") else "✔"
        numbers = ", ".join(str(number) for number in done.sticks)
        people = ngettext("{count} person", "{count} people", done.people)
        words = _("{people} written and read back.").format(people=people.format(count=done.people))
        lines = [Content.styled(f"{tick} {words}", "bold")]
        if done.links:
            records = ngettext("{count} record", "{count} records", done.links)
            lines.append(Content(records.format(count=done.links)))
        if done.sticks:
            stick = ngettext("Write on the stick: {n}", "Write on the stick: {n}", len(done.sticks))
            lines.append(Content.styled(stick.format(n=numbers), "bold $accent"))
        if done.carried:
            carried = ngettext(
                "{count} file of another laptop went along",
                "{count} files of other laptops went along",
                done.carried,
            )
            lines.append(Content(carried.format(count=done.carried)))
        lines += [Content.styled(name, "$secondary") for name in _names(done.files)]
        lines += [Content(""), Content(_("Now take the stick out the proper way, and bring it"))]
        lines.append(Content(_("to the office. They stay on this laptop until it signed.")))
        return Content("\n").join(lines)

    def _received(self, done: Received) -> Content:
        if not done.files and not done.taken and not done.passed_over:
            return Content(_("Nothing for this laptop lies there yet."))
        tick = "v" if self.app.has_class("-ascii") else "✔"
        signed = done.accepted + done.duplicate
        lines = []
        if signed:
            lines.append(
                Content.styled(
                    f"{tick} " + _("{count} signed for").format(count=signed), "$success"
                )
            )
        if done.rejected:
            words = _("{count} came back for correction").format(count=done.rejected)
            lines.append(Content.styled(f"! {words}", "$warning"))
        if done.held:
            words = _("{count} held at the office for a look").format(count=done.held)
            lines.append(Content(words))
        if done.feed:
            lines.append(Content(_("{count} pieces of news came").format(count=done.feed)))
        if done.taken:
            words = _("{count} answers for other laptops taken along").format(count=done.taken)
            lines.append(Content(words))
        lines += [Content.styled(f"! {shown(words)}", "$warning") for words in done.words]
        lines += [Content.styled(f"! {words}", "$warning") for words in _shortfalls(done)]
        return Content("\n").join(lines or [Content(_("Read. There was nothing new."))])


class _FolderStep(Step):
    """Which stick, or which folder."""

    def __init__(self, answers: dict[str, str]) -> None:
        super().__init__()
        self._answers = answers

    def compose(self) -> Any:
        """Lay them out."""
        yield PickField("/stick", _("Stick"), self._answers, hint=_("Arrows choose"))
        yield TextField("/folder", _("Folder"), hint=_("Its whole path"), length_max=400)

    def show_typed(self) -> None:
        """Ask for a folder only where no stick is chosen."""
        picked = next(field for field in self.query(PickField))
        typed = next(field for field in self.query(TextField))
        typed.display = picked.value in {_TYPED, None}


def _names(files: Iterable[Path]) -> list[str]:
    names = [shown(path.name) for path in files]
    more = [_("and {count} more").format(count=len(names) - _FILES_SHOWN)]
    return names[:_FILES_SHOWN] + (more if len(names) > _FILES_SHOWN else [])


def _shortfalls(done: Received) -> list[str]:
    """Say what of the file could not be used, and what the office's server forgot."""
    words = []
    if not done.is_whole:
        words.append(_("A file was cut short. What was whole is used; bring the stick again."))
    if done.rolled_back:
        words.append(
            _("The server was set back to an earlier day; the next stick has it all again.")
        )
    return words + [
        f"{shown(passed.file.name)}: {shown(passed.text)}"
        for passed in done.passed_over[:_FILES_SHOWN]
    ]
