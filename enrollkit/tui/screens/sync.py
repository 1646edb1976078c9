"""Sending: people first, honest words, and a session that runs on when one leaves the screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from enrollkit.app.results import Summary
from enrollkit.app.words import numbers_came, people_and_records
from enrollkit.errors import OperatorError
from enrollkit.locale import _, ngettext
from enrollkit.tui.amounts import size_words, time_words
from enrollkit.tui.delivery_watch import DeliveryWatch
from enrollkit.tui.marks import shown
from enrollkit.tui.screens.page import Page
from enrollkit.tui.widgets.meter import Meter
from enrollkit.tui.widgets.top_bar import PRACTICE

__all__ = ["SyncScreen"]


class SyncScreen(Page[None]):
    """Shows the app's session; starts one when none runs."""

    HEADING = "Send"
    HELP = (
        "'Signed for' means that the central server gave its signature for that person; only "
        "then it is delivered. If the network breaks, nothing is lost and nothing is sent twice. "
        "Esc leaves this screen; sending goes on. X stops after the batch that is under way."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "again", "send again"),
        Binding("x", "stop", "stop after this batch"),
        Binding("r", "corrections", "what came back"),
        Binding("c", "cards", "print cards"),
    ]

    def content(self) -> Iterable[Widget]:
        """Give the state, the bar, the facts, and what happened on the way."""
        yield Static("", id="sync-state", markup=False)
        yield Meter()
        yield Static("", id="sync-facts", markup=False)
        yield Static("", id="sync-lines", markup=False)

    def on_mount(self) -> None:
        """Start, or look at what runs already."""
        self.action_again()
        self.set_interval(1.0, self.delivery_moved)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Send again only when nothing is being sent; stop only what runs."""
        del parameters
        watch = self._watch
        if action == "again":
            return not watch.running
        if action == "stop":
            return watch.running and not watch.stopping
        if action == "corrections":
            return watch.summary is not None and watch.returned + watch.links_returned > 0
        if action == "cards":
            return watch.summary is not None and watch.numbers > 0
        return True

    def action_again(self) -> None:
        """Start a session; the app owns it, so that it outlives this screen."""
        if not self._watch.running:
            self.kit_app.begin(self._watch.run, group="delivery")
        self.delivery_moved()

    def action_stop(self) -> None:
        """Stop after the batch that is under way."""
        self._watch.stop()

    async def action_corrections(self) -> None:
        """Look at those who came back."""
        await self.kit_app.journey.corrections()

    async def action_cards(self) -> None:
        """Print cards, those with the new numbers among them."""
        await self.kit_app.journey.print_cards(None, _("everybody"))

    def delivery_moved(self) -> None:
        """Draw the session as it is now."""
        watch = self._watch
        self.refresh_bindings()
        self.keys.refresh()
        self.query_one("#sync-state", Static).update(self._state(watch))
        progress = watch.progress
        meter = self.query_one(Meter)
        meter.display = progress is not None and progress.people_total > 0
        if progress is not None:
            words = _("{done} of {total} people signed for")
            done, total = progress.people_signed, progress.people_total
            meter.tell(done, total, words.format(done=done, total=total))
        self.query_one("#sync-facts", Static).update(self._facts(watch))
        lines = [
            Content.styled(f"{when}  ", "$secondary") + Content(shown(words))
            for when, words in watch.lines
        ]
        self.query_one("#sync-lines", Static).update(Content("\n").join(lines))

    @property
    def _watch(self) -> DeliveryWatch:
        return self.kit_app.delivery

    def _state(self, watch: DeliveryWatch) -> Content:
        if watch.running:
            return self._sending(watch)
        parts = [self._failed(watch.error)] if watch.error is not None else []
        parts += [self._done(watch.summary)] if watch.summary is not None else []
        return Content("\n\n").join(parts) if parts else Content(_("Starting …"))

    def _sending(self, watch: DeliveryWatch) -> Content:
        words = _("Sending over {link}.").format(link=watch.link) if watch.link else _("Sending.")
        rest = _("Stopping after this batch …") if watch.stopping else _("Esc leaves it running.")
        facts = []
        if watch.started is not None:
            facts.append(_("started {time}").format(time=watch.started.strftime("%H:%M")))
        progress = watch.progress
        if progress is not None and progress.seconds_left is not None:
            facts.append(_("about {time} left").format(time=time_words(progress.seconds_left)))
        elif progress is not None and progress.bytes_left:
            facts.append(_("about {size} left").format(size=size_words(progress.bytes_left)))
        return Content.styled(f"{words} {rest}", "bold") + Content.styled(
            "   " + ", ".join(facts), "$secondary"
        )

    def _failed(self, error: OperatorError) -> Content:
        again = _("S tries again.") if error.retryable else _("Trying again will not help now.")
        return (
            Content.styled(f"! {_(error.text)}", "bold $warning")
            + Content(f"\n\n{again}")
            + Content.styled("   " + _("code {code}").format(code=error.code), "$secondary")
        )

    def _done(self, summary: Summary) -> Content:
        signed = summary.accepted + summary.duplicate
        tick = "v" if self.app.has_class("-ascii") else "✔"
        lines = [] if summary.error else [Content.styled(_ended(summary), "bold")]
        if self.kit_app.is_practice:
            lines.append(Content.styled(PRACTICE, "bold $warning"))
        if signed:
            words = ngettext("{count} signed for", "{count} signed for", signed)
            lines.append(Content.styled(f"{tick} {words.format(count=signed)}", "$success"))
        if not summary.sent and not summary.error and not summary.stopped:
            lines.append(Content(_("There was nothing to send.")))
        if summary.held:
            words = _("{count} held at the office for a look")
            lines.append(Content(words.format(count=summary.held)))
        if summary.waiting:
            words = ngettext(
                "{count} still waits on this laptop",
                "{count} still wait on this laptop",
                summary.waiting,
            )
            lines.append(Content.styled("! " + words.format(count=summary.waiting), "$warning"))
        if self._watch.numbers:
            star = "#" if self.app.has_class("-ascii") else "★"
            came = f"{star} {numbers_came(self._watch.numbers)} {_('Press C to print.')}"
            lines.append(Content.styled(came, "bold $success"))
        elif summary.feed:
            words = ngettext(
                "{count} piece of news came", "{count} pieces of news came", summary.feed
            )
            lines.append(Content(words.format(count=summary.feed)))
        back = people_and_records(self._watch.returned, self._watch.links_returned)
        if back:
            words = _("Needs correction: {what}. Press R.").format(what=back)
            lines.append(Content.styled(f"! {words}", "bold $warning"))
        return Content("\n").join([*lines, *_surprises(summary)])

    def _facts(self, watch: DeliveryWatch) -> Content:
        lines = []
        if watch.running and watch.records:
            words = ngettext(
                "Records     {count} goes along with the people",
                "Records     {count} go along with the people",
                watch.records,
            )
            lines.append(words.format(count=watch.records))
        counted = watch.summary or watch.progress
        if counted is not None:
            words = _("Used        {up} up, {down} down")
            up, down = size_words(counted.bytes_up), size_words(counted.bytes_down)
            lines.append(words.format(up=up, down=down))
        if counted is not None and watch.allowed_bytes is not None:
            words = _("Today       {used} of {allowed} allowed")
            used, allowed = size_words(watch.used_bytes), size_words(watch.allowed_bytes)
            lines.append(words.format(used=used, allowed=allowed))
        return Content.styled("\n".join(lines), "$secondary")


def _ended(summary: Summary) -> str:
    if summary.stopped:
        return _("Stopped, as you asked. What was signed for stays signed for.")
    if summary.limited:
        return _("The data allowed for today is used up. The rest waits on this laptop.")
    return _("Done.")


def _surprises(summary: Summary) -> list[Content]:
    """Say what should be known at the office too."""
    lines = []
    if summary.rolled_back:
        lines.append(
            _("The server was set back to an earlier day. What it had forgotten was sent again.")
        )
    if summary.forked:
        lines.append(
            _("The server knows a copy of this laptop. Both are kept; nothing is lost. Tell the")
            + " "
            + _("office that this laptop was copied or restored.")
        )
    return [Content.styled(f"! {line}", "$warning") for line in lines]
