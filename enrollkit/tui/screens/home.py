"""Home: how the day stands, what waits, and the keys to everything else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from enrollkit.app.results import DraftState, Level, Standing
from enrollkit.app.system import local_time
from enrollkit.app.words import people_and_records
from enrollkit.domain.enrollment import State
from enrollkit.locale import _, ngettext
from enrollkit.tui.amounts import size_words, time_words
from enrollkit.tui.marks import shown
from enrollkit.tui.screens.page import Page, ask
from schemas.pointers import value_at

if TYPE_CHECKING:
    from enrollkit.app.forecast import Estimate
    from enrollkit.app.results import Finding

__all__ = ["HomeScreen"]

_NAMES_SHOWN = 2


class HomeScreen(Page[None]):
    """The first screen after the passphrase; every other comes back here."""

    HEADING = "enrollkit"
    HELP = (
        "The left column is today; the right one says what the central server has signed for. "
        "Only what it signed for is delivered. Counts are people. Press the letter in front of a "
        "line to go there."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "new"),
        Binding("f,slash", "find", "find", key_display="F"),
        Binding("s", "send", "send"),
        Binding("d", "drafts", "drafts"),
        Binding("r", "corrections", "", show=False),
        Binding("k", "calls", "", show=False),
        Binding("u", "stick", "", show=False),
        Binding("e", "end", "", show=False),
        Binding("c", "cards", "cards"),
        Binding("escape", "stay", "", show=False),
        Binding("ctrl+q", "app.leave", "leave", key_display="Ctrl+Q", priority=True),
    ]

    _standing: Standing | None = None
    _estimate: Estimate | None = None
    _on_sticks = 0
    _drafts: tuple[DraftState, ...] = ()

    def content(self) -> Iterable[Widget]:
        """Give the two columns of counts, the two of keys, and what the doctor found."""
        yield _Columns("counts-left", "counts-right", id="counts")
        yield _Columns("menu-left", "menu-right", id="menu")
        yield Static("", id="findings", markup=False)

    def on_mount(self) -> None:
        """Show the keys at once; the counts follow."""
        self._draw()

    def on_screen_resume(self) -> None:
        """Count anew whenever somebody comes back here."""
        self.begin(self._count, group="count", exclusive=True)

    def delivery_moved(self) -> None:
        """Count anew when a session ends."""
        if not self.kit_app.delivery.running:
            self.begin(self._count, group="count", exclusive=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Drafts, corrections and cards only where there are some."""
        del parameters
        standing = self._standing
        if action == "drafts":
            return bool(self._drafts)
        if action == "corrections":
            return standing is not None and _is_anything_back(standing)
        if action == "calls":
            return standing is not None and _calls(standing) > 0
        if action == "cards":
            return standing is not None and standing.total > 0
        return True

    async def action_new(self) -> None:
        """Enroll somebody."""
        await self.kit_app.journey.new()

    async def action_find(self) -> None:
        """Find somebody."""
        await self.kit_app.journey.find()

    async def action_send(self) -> None:
        """Send."""
        await self.kit_app.journey.send()

    async def action_corrections(self) -> None:
        """Look at those who came back."""
        await self.kit_app.journey.corrections()

    async def action_calls(self) -> None:
        """Look at those who have to be called."""
        await self.kit_app.journey.calls()

    async def action_stick(self) -> None:
        """Write to a stick, or read from one."""
        await self.kit_app.journey.sticks()

    async def action_end(self) -> None:
        """Say where everybody is."""
        await self.kit_app.journey.end_of_day()

    async def action_cards(self) -> None:
        """Print cards for everybody."""
        await self.kit_app.journey.print_cards(None, _("everybody"))

    async def action_drafts(self) -> None:
        """Choose a draft to go on with, or to put away: even an only one may be a double."""
        await self.kit_app.journey.drafts()

    def action_stay(self) -> None:
        """Esc leads here; from here it leads nowhere."""
        self.say(_("This is the first screen. Ctrl+L locks, Ctrl+Q leaves."))

    async def _count(self) -> None:
        self._standing = await ask(self.kit.standing)
        self._drafts = tuple(await ask(self.kit.drafts.list))
        programme = await self.kit_app.journey.programme()
        self.kit_app.mark_practice(practice=programme.practice)
        day = self.kit_app.now().strftime("%d %b").lstrip("0")
        joint = "-" if self.app.has_class("-ascii") else "·"
        self.top.context = f"{programme.name} {joint} {day}"
        self._draw()
        self.refresh_bindings()
        self._estimate = await ask(self.kit.delivery.estimate)
        self._draw()
        self._draw_findings(await ask(self.kit.doctor))
        statement = await ask(self.kit.statement)
        self._on_sticks = statement.people.on_sticks
        self._draw()

    def _draw(self) -> None:
        standing, drafts = self._standing, self._drafts
        self._put("counts-left", self._today_lines(standing))
        self._put("counts-right", self._sent_lines(standing))
        left = [("N", _("New enrollment")), ("F", _("Find a person"))]
        right = [("S", self._send_words()), ("U", _("Write to a stick, read from one"))]
        if drafts:
            left.append(("D", _("Continue a draft: {names}").format(names=self._draft_names())))
        if standing and _is_anything_back(standing):
            left.append(("R", self._returned_words(standing)))
        if standing and _calls(standing):
            words = _("Call the person ({count})")
            left.append(("K", words.format(count=_calls(standing))))
        if standing and standing.total:
            right.append(("C", _("Print cards")))
        right.append(("E", _("End of day")))
        self._put("menu-left", [_key_line(*item) for item in left])
        self._put("menu-right", [_key_line(*item) for item in right])

    def _send_words(self) -> str:
        standing, estimate = self._standing, self._estimate
        waits = standing is not None and (standing.waiting or standing.links_waiting)
        if estimate is None or not waits:
            return _("Send now")
        size = size_words(estimate.bytes)
        if estimate.seconds is None:
            return _("Send now (about {size})").format(size=size)
        words = (
            _("Send now ({link}: about {time}, {size})")
            if estimate.link
            else _("Send now (about {time}, {size})")
        )
        time = time_words(estimate.seconds)
        return words.format(link=estimate.link, time=time, size=size)

    def _returned_words(self, standing: Standing) -> str:
        back = people_and_records(standing.returned, standing.links_returned)
        if standing.returned and standing.links_returned:
            return _("To correct ({what})").format(what=back)  # both fit the column so
        if back:
            return _("Needs correction ({what})").format(what=back)
        return _("Held at the office ({count})").format(count=standing.held)

    def _today_lines(self, standing: Standing | None) -> list[Content]:
        lines = [Content.styled(_("Today"), "bold")]
        if standing is None:
            return [*lines, Content(_("counting …"))]
        people = ngettext(
            "{count} person enrolled", "{count} people enrolled", standing.today
        ).format(count=standing.today)
        drafts = ngettext("{count} draft open", "{count} drafts open", standing.drafts)
        second = Content(drafts.format(count=standing.drafts) if standing.drafts else "")
        back = people_and_records(standing.returned, standing.links_returned)
        if back:
            words = _("{what} to correct").format(what=back)
            gap = "   " if standing.drafts else ""
            second += Content(gap) + Content.styled(f"! {words}", "bold $warning")
        total = ngettext(
            "{count} person on this laptop", "{count} people on this laptop", standing.total
        )
        return [*lines, Content(people), Content(total.format(count=standing.total)), second]

    def _sent_lines(self, standing: Standing | None) -> list[Content]:
        lines = [Content.styled(_("Central server"), "bold")]
        if standing is None:
            return lines
        waiting = self._waiting_words(standing)
        tick = "v" if self.app.has_class("-ascii") else "✔"
        if not standing.signed_for:
            signed = Content.styled(_("Nobody signed for yet"), "$secondary")
        else:
            words = _("{count} signed for").format(count=standing.signed_for)
            star = "#" if self.app.has_class("-ascii") else "★"
            issued = ngettext("{count} ABHA number", "{count} ABHA numbers", standing.issued)
            issued = issued.format(count=standing.issued)
            words += f"   {star} {issued}" if standing.issued else ""
            signed = Content.styled(f"{tick} {words}", "$success")
        lines.append(Content(waiting))
        if self._on_sticks:
            words = _("{count} of them on sticks").format(count=self._on_sticks)
            lines.append(Content(words))
        lines.append(signed)
        if standing.last_receipt_at is not None:
            when = local_time(standing.last_receipt_at).strftime("%d %b, %H:%M").lstrip("0")
            words = _("last signature {when}").format(when=when)
            lines.append(Content.styled(words, "$secondary"))
        return lines

    def _waiting_words(self, standing: Standing) -> str:
        if not standing.waiting and not standing.links_waiting:
            return _("Nothing waits to be sent")
        parts = []
        if standing.waiting:
            people = ngettext("{count} person", "{count} people", standing.waiting)
            parts.append(people.format(count=standing.waiting))
        if standing.links_waiting:
            records = ngettext("{count} record", "{count} records", standing.links_waiting)
            parts.append(records.format(count=standing.links_waiting))
        return _("{what} to be sent").format(what=_(" and ").join(parts))

    def _draft_names(self) -> str:
        names = [shown(str(value_at(draft.row, "/name") or _("no name"))) for draft in self._drafts]
        more = ", …" if len(names) > _NAMES_SHOWN else ""
        short = [name if len(name) <= 8 else name.split()[0][:8] for name in names]  # noqa: PLR2004 - room on the line
        return ", ".join(short[:_NAMES_SHOWN]) + more

    def _draw_findings(self, findings: list[Finding]) -> None:
        bad = [finding for finding in findings if finding.level is not Level.OK]
        lines = [Content.styled(f"! {finding.text}", "$warning") for finding in bad[:3]]
        self.query_one("#findings", Static).update(Content("\n").join(lines))

    def _put(self, place: str, lines: list[Content]) -> None:
        self.query_one(f"#{place}", Static).update(Content("\n").join(lines))


class _Columns(Horizontal):
    """Two columns of text."""

    def __init__(self, left: str, right: str, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._left, self._right = left, right

    def compose(self) -> ComposeResult:
        """Give both."""
        yield Vertical(Static("", id=self._left, markup=False))
        yield Vertical(Static("", id=self._right, markup=False))


def _is_anything_back(standing: Standing) -> bool:
    return standing.returned + standing.links_returned + standing.held > 0


def _calls(standing: Standing) -> int:
    return standing.by_state.get(State.NEEDS_PERSON.value, 0)


def _key_line(key: str, words: str) -> Content:
    return Content.styled(key, "bold $accent") + Content(f"  {words}")
