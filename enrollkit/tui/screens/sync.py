"""Sending: people first, honest words, and a session that runs on when one leaves the screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from enrollkit.app.results import Summary
from enrollkit.errors import OperatorError
from enrollkit.locale import _, ngettext
from enrollkit.tui.delivery_watch import DeliveryWatch
from enrollkit.tui.marks import shown
from enrollkit.tui.screens.page import Page
from enrollkit.tui.widgets.meter import Meter

__all__ = ["SyncScreen"]

_KB = 1024


class SyncScreen(Page[None]):
    """Shows the app's session; starts one when none runs."""

    HEADING = "Send"
    HELP = (
        "'Signed for' means that the central server gave its signature for that person; only "
        "then it is delivered. If the network breaks, nothing is lost and nothing is sent twice. "
        "Esc leaves this screen; sending goes on."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "again", "send again"),
    ]

    def content(self) -> Iterable[Widget]:
        """Give the state, the bar, the bytes, and what happened on the way."""
        yield Static("", id="sync-state", markup=False)
        yield Meter()
        yield Static("", id="sync-bytes", markup=False)
        yield Static("", id="sync-lines", markup=False)

    def on_mount(self) -> None:
        """Start, or look at what runs already."""
        self.action_again()
        self.set_interval(1.0, self.delivery_moved)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Send again only when nothing is being sent."""
        del parameters
        return not self._watch.running if action == "again" else True

    def action_again(self) -> None:
        """Start a session; the app owns it, so that it outlives this screen."""
        if not self._watch.running:
            self.kit_app.begin(self._watch.run, group="delivery")
        self.delivery_moved()

    def delivery_moved(self) -> None:
        """Draw the session as it is now."""
        watch = self._watch
        self.keys.refresh()
        self.query_one("#sync-state", Static).update(self._state(watch))
        progress = watch.progress
        meter = self.query_one(Meter)
        meter.display = progress is not None and progress.people_total > 0
        if progress is not None:
            words = _("{done} of {total} people signed for")
            done, total = progress.people_signed, progress.people_total
            meter.tell(done, total, words.format(done=done, total=total))
        self.query_one("#sync-bytes", Static).update(self._bytes(watch))
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
            began = watch.started.strftime("%H:%M") if watch.started else ""
            words = _("Sending. Esc leaves it running.")
            return Content.styled(words, "bold") + Content.styled(
                "   " + _("started {time}").format(time=began), "$secondary"
            )
        parts = [self._failed(watch.error)] if watch.error is not None else []
        parts += [self._done(watch.summary)] if watch.summary is not None else []
        return Content("\n\n").join(parts) if parts else Content(_("Starting …"))

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
        lines = [] if summary.error else [Content.styled(_("Done."), "bold")]
        if signed:
            words = ngettext("{count} signed for", "{count} signed for", signed)
            lines.append(Content.styled(f"{tick} {words.format(count=signed)}", "$success"))
        if not summary.sent and not summary.error:
            lines.append(Content(_("There was nothing to send.")))
        if summary.rejected:
            words = ngettext(
                "{count} came back for correction", "{count} came back for correction",
                summary.rejected,
            )  # fmt: skip
            lines.append(Content.styled(f"! {words.format(count=summary.rejected)}", "$warning"))
        if summary.held:
            words = _("{count} held at the office for a look")
            lines.append(Content(words.format(count=summary.held)))
        if summary.waiting:
            words = _("{count} still wait on this laptop")
            lines.append(Content.styled("! " + words.format(count=summary.waiting), "$warning"))
        if summary.feed:
            lines.append(Content(_("{count} pieces of news came").format(count=summary.feed)))
        return Content("\n").join(lines)

    def _bytes(self, watch: DeliveryWatch) -> Content:
        counted = watch.summary or watch.progress
        if counted is None:
            return Content("")
        words = _("Used: {up} up, {down} down")
        return Content.styled(
            words.format(up=_size(counted.bytes_up), down=_size(counted.bytes_down)), "$secondary"
        )


def _size(count: int) -> str:
    return f"{count} bytes" if count < _KB else f"{count / _KB:.1f} KB"
