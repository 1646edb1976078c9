"""One person: numbers, state, what happened, and the records linked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from enrollkit.app.results import PersonPage, Reason
from enrollkit.app.system import local_time
from enrollkit.domain.enrollment import State
from enrollkit.domain.record_link import LinkState
from enrollkit.locale import _
from enrollkit.tui.correct_form import side_by_side
from enrollkit.tui.form import label_of
from enrollkit.tui.marks import draw_mark, shown
from enrollkit.tui.screens.page import Page, ask
from enrollkit.tui.widgets.summary import gender_word
from enrollkit.tui.widgets.top_bar import PRACTICE

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["PersonScreen"]

_NUMBERS_WIDTH = 72
_WITH_A_PAGE = frozenset({
    "card", "correct", "finish", "record", "remove", "say_why_not", "withdraw",
})  # fmt: skip


class PersonScreen(Page[None]):
    """Shows one person; what changes something has a screen of its own."""

    HEADING = "A person"
    HELP = (
        "Left: what happened, the newest last. Right: health records linked to the person. "
        "'Signed for' means that the central server gave its signature; before that it is only "
        "on this laptop. O finishes with a one-time code what ABDM cannot do without the person."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "finish", "finish"),
        Binding("p", "card", "card"),
        Binding("v", "record", "add record"),
        Binding("a", "correct", "correct"),
        Binding("a", "say_why_not", "", show=False),
        Binding("w", "withdraw", "withdraw"),
        Binding("x", "remove", "take record away"),
    ]
    _page: PersonPage | None = None

    def __init__(self, kit: Kit, ident: str) -> None:
        super().__init__(kit)
        self._ident = ident

    def content(self) -> Iterable[Widget]:
        """Give the head, then two columns."""
        yield Static(_("Reading …"), id="person-head", markup=False)
        with Horizontal(id="person-columns"):
            yield Static("", id="person-history", markup=False)
            yield Static("", id="person-links", markup=False)

    def on_screen_resume(self) -> None:
        """Read anew whenever somebody comes back."""
        self.begin(self._read, group="read", exclusive=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Show what can be done with this person as things stand."""
        del parameters
        page = self._page
        if action not in _WITH_A_PAGE:
            return True
        if page is None:
            return False
        if action == "finish":
            return _may_finish(page)
        if action in {"correct", "say_why_not"}:
            return bool(page.why_not) == (action == "say_why_not")
        gone = page.state is State.WITHDRAWN
        if action == "remove":
            return any(link.state is not LinkState.REMOVED for link in page.links)
        return not gone or action == "card"

    async def action_card(self) -> None:
        """Make the card."""
        if self._page is not None:
            name = self._page.enrollment.person.name
            await self.kit_app.journey.print_cards([self._page.enrollment.id], name)

    async def action_finish(self) -> None:
        """Go on with a one-time code."""
        if self._page is not None:
            await self.kit_app.journey.finish(self._page.enrollment.id)

    async def action_record(self) -> None:
        """Add a record."""
        if self._page is not None:
            name = self._page.enrollment.person.name
            await self.kit_app.journey.add_record(self._page.enrollment.id, name)

    async def action_correct(self) -> None:
        """Correct the person."""
        if self._page is not None:
            await self.kit_app.journey.correct(self._page.enrollment.id)

    def action_say_why_not(self) -> None:
        """Say why the person cannot be corrected here; the footer does not offer it."""
        if self._page is not None:
            self.say(_(self._page.why_not), warn=True)

    async def action_withdraw(self) -> None:
        """Take the consent back."""
        if self._page is not None:
            one = self._page.enrollment
            issued = self._page.abha_number is not None
            await self.kit_app.journey.withdraw(one.id, one.person.name, issued=issued)

    async def action_remove(self) -> None:
        """Take a record away."""
        if self._page is not None:
            one = self._page.enrollment
            await self.kit_app.journey.remove_record(one.id, one.person.name)

    async def _read(self) -> None:
        self._page = page = await ask(self.kit.people.page, self._ident)
        self.query_one("#person-head", Static).update(self._head(page))
        self.query_one("#person-history", Static).update(self._history(page))
        self.query_one("#person-links", Static).update(self._links(page))
        self.refresh_bindings()

    def _head(self, page: PersonPage) -> Content:
        person = page.enrollment.person
        age = _("{age} years").format(age=person.birth.age_said(self.kit_app.today()))
        facts = [gender_word(person.gender.value), f"{person.birth.text()} ({age})"]
        facts += [person.address.village]
        mark = draw_mark(page.state.value, ascii_only=self.app.has_class("-ascii"))
        lines = [
            Content.styled(shown(person.name), "bold") + Content("   ") + mark,
            Content(shown(", ".join(facts))),
            Content(shown(person.name_native)) if person.name_native else Content(""),
            self._numbers(page),
        ]
        if page.enrollment.aadhaar_last4:
            words = _("Aadhaar number sealed, ends in {digits}")
            lines.append(Content(words.format(digits=page.enrollment.aadhaar_last4)))
        lines += self._why(page)
        return Content("\n").join(line for line in lines if line.plain)

    def _why(self, page: PersonPage) -> list[Content]:
        """Say what is open with the office: the reason, the value blamed, both values."""
        lines = []
        if page.held:
            words = _("Signed for, and held at the office for a look.")
            lines.append(Content.styled(f"? {words}", "bold $warning"))
        if page.reason is not None:
            lines.append(self._reason(page.reason))
        if page.call_at is not None:
            at = local_time(page.call_at).strftime("%d %b, %H:%M").lstrip("0")
            lines.append(Content.styled(_("Do not call before {time}").format(time=at), "$warning"))
        if page.state is State.NEEDS_PERSON and _may_finish(page):
            words = _("O finishes with a one-time code, once the person is here.")
            lines.append(Content(words))
        for one in page.conflicts:
            words = f"  {label_of(one.pointer)}: {side_by_side(one)}"
            lines.append(Content.styled(shown(words), "$warning"))
        return lines

    def _numbers(self, page: PersonPage) -> Content:
        provisional = _("provisional {number}").format(number=page.provisional)
        practice = Content.styled(f"{PRACTICE} ", "bold $warning") if page.practice else Content("")
        if page.abha_number is None:
            words = _("not an ABHA number")
            number = Content.styled(provisional, "bold $accent")
            return practice + number + Content(f"  ({words})")
        known = Content.styled(f"ABHA {page.abha_number}", "bold $accent")
        address = f"  {page.abha_address}" if page.abha_address else ""
        earlier = Content.styled(provisional, "$secondary")
        # A long address leaves no room for three on one line.
        wide = len(practice.plain + known.plain + address + provisional) > _NUMBERS_WIDTH
        return practice + known + Content(address) + Content("\n" if wide else "  ") + earlier

    def _reason(self, reason: Reason) -> Content:
        label = label_of(reason.pointer)
        said = f" ({shown(reason.value)})" if reason.value and label else ""
        words = f"{label}{said}: {reason.text}" if label else reason.text
        return Content.styled(f"! {words}", "bold $warning")

    def _history(self, page: PersonPage) -> Content:
        lines = [Content.styled(_("What happened"), "bold")]
        for event in page.history:
            when = local_time(event.at).strftime("%d %b %H:%M")
            who = _(", {name}").format(name=shown(event.who)) if event.who else ""
            lines.append(Content.styled(when, "$secondary") + Content(f"  {event.what}{who}"))
        return Content("\n").join(lines)

    def _links(self, page: PersonPage) -> Content:
        lines = [Content.styled(_("Records"), "bold")]
        for link in page.links:
            mark = draw_mark(link.state.value, ascii_only=self.app.has_class("-ascii"))
            held = Content.styled("  " + _("held"), "$warning") if link.held else Content("")
            lines.append(mark + Content(f"  {shown(link.display)}") + held)
            if link.reason is not None:
                lines.append(Content.styled(f"  {link.reason.text}", "$warning"))
        if not page.links:
            lines.append(Content.styled(_("none yet; V adds one"), "$secondary"))
        return Content("\n").join(lines)


def _may_finish(page: PersonPage) -> bool:
    """Whether a one-time code can help: Aadhaar knows the mobile, the office knows the person.

    With a number there is still the ABHA address, which stands for the bare number until then.
    """
    if page.state is State.ISSUED and page.abha_number is not None:
        bare = page.abha_number.replace("-", "")
        return bare in (page.abha_address or bare)
    waits = page.state in {State.ACCEPTED, State.NEEDS_PERSON, State.RETURNED}
    return waits and page.enrollment.aadhaar_last4 is not None
