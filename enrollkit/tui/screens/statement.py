"""End of day: where everybody is, to the last one, and a page to print and sign."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from enrollkit.app.system import local_time
from enrollkit.locale import _, ngettext
from enrollkit.tui.marks import shown
from enrollkit.tui.screens.page import Page, ask

if TYPE_CHECKING:
    from datetime import date

    from enrollkit.reports.statement import Statement

__all__ = ["StatementScreen"]

_STICKS_SHOWN = 4


class StatementScreen(Page[None]):
    """Counts everybody on this laptop; T switches to those of today."""

    HEADING = "End of day"
    HELP = (
        "Everybody who was enrolled on this laptop is in exactly one line, and the lines add up to "
        "the total. 'Signed for' alone is delivered. Whoever is on a stick is still on this laptop "
        "too. P writes the page with a code that the office can check."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "print", "print"),
        Binding("t", "today", "today / everybody"),
        Binding("s", "send", "send"),
        Binding("u", "stick", "write to a stick"),
    ]
    _day: date | None = None
    _working = False

    def content(self) -> Iterable[Widget]:
        """Give the place for the figures."""
        yield Static(_("counting …"), id="statement", markup=False)

    def on_screen_resume(self) -> None:
        """Count anew whenever somebody comes back."""
        self.begin(self._count, group="count", exclusive=True)

    def delivery_moved(self) -> None:
        """Count anew when a session ends."""
        if not self.kit_app.delivery.running:
            self.begin(self._count, group="count", exclusive=True)

    def action_today(self) -> None:
        """Switch between today and everybody."""
        self._day = self.kit_app.today() if self._day is None else None
        self.begin(self._count, group="count", exclusive=True)

    def action_print(self) -> None:
        """Write the page."""
        if not self._working:
            self._working = True
            self.say(_("Making the page …"), stay=True)
            self.begin(self._print)

    async def action_send(self) -> None:
        """Send."""
        await self.kit_app.journey.send()

    async def action_stick(self) -> None:
        """Write to a stick."""
        await self.kit_app.journey.sticks()

    async def _count(self) -> None:
        statement = await ask(self.kit.statement, self._day)
        self.query_one("#statement", Static).update(self._page(statement))

    async def _print(self) -> None:
        stamp = self.kit_app.now().strftime("%Y%m%d-%H%M")
        path = Path.home() / f"statement-{stamp}.pdf"
        try:
            printed = await ask(self.kit.print_statement, path, self._day)
            files = ", ".join(str(file) for file in printed.files)
            self.say(_("Open it and print: {files}").format(files=files), stay=True)
        finally:
            self._working = False

    def _page(self, one: Statement) -> Content:
        made = local_time(one.made_at).strftime("%d %b, %H:%M").lstrip("0")
        whose = _("everybody on this laptop") if one.day is None else _("enrolled today")
        head = f"{shown(one.programme)}, {shown(one.operator)}, {made}: {whose}"
        lines = [Content.styled(head, "bold"), Content("")]
        people, papers = one.people, one.links
        lines.append(_row(_("Enrolled"), people.total, papers.total, head=True))
        lines.append(_row(_("only on this laptop"), people.on_laptop, papers.on_laptop))
        lines.append(_row(_("on sticks"), people.on_sticks, papers.on_sticks))
        lines += self._sticks(one)
        signed = _row(_("signed for by the server"), people.signed_for, papers.signed_for)
        lines.append(signed)
        if people.held:
            words = ngettext("of these {count} held", "of these {count} held", people.held)
            held = "       " + words.format(count=people.held)
            lines.append(Content.styled(held, "$secondary"))
        lines.append(_row(_("came back for correction"), people.returned, papers.returned))
        lines.append(_row(_("consent taken back"), people.withdrawn, papers.withdrawn))
        lines += [Content(""), self._sum(one)]
        if one.drafts:
            words = ngettext("{count} draft is not enrolled", "{count} drafts are not enrolled",
                             one.drafts)  # fmt: skip
            lines.append(Content.styled(words.format(count=one.drafts), "$secondary"))
        return Content("\n").join(lines)

    def _sticks(self, one: Statement) -> list[Content]:
        lines = []
        for stick in one.on_sticks[:_STICKS_SHOWN]:
            when = local_time(stick.written_at).strftime("%d %b, %H:%M").lstrip("0")
            words = _("stick {n}, {when}: {count}").format(n=stick.n, when=when, count=stick.people)
            lines.append(Content.styled(f"       {words}", "$secondary"))
        more = len(one.on_sticks) - _STICKS_SHOWN
        if more > 0:
            words = _("and {count} more sticks").format(count=more)
            lines.append(Content.styled(f"       {words}", "$secondary"))
        return lines

    def _sum(self, one: Statement) -> Content:
        if one.adds_up:
            tick = "v" if self.app.has_class("-ascii") else "✔"
            words = _("It adds up: {count} enrolled, nobody missing.")
            return Content.styled(f"{tick} {words.format(count=one.total)}", "$success")
        words = _("It does NOT add up. Everything stays saved; call the office.")
        return Content.styled(f"! {words}", "bold $warning")


def _row(label: str, people: int, papers: int, *, head: bool = False) -> Content:
    records = ngettext("{count} record", "{count} records", papers).format(count=papers)
    text = f"{people:>5}  {label:<34}"
    return Content.styled(text, "bold" if head else "") + Content.styled(
        records if papers else "", "$secondary"
    )
