"""Finishing an enrollment while the person is here: code, mobile, ABHA address, number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from enrollkit.app.finish_words import (
    STEPS,
    card_words,
    code_shape,
    done_words,
    handle_shape,
    help_words,
    later_words,
    read_code,
    read_handle,
    silent_words,
    stage_words,
    step_of,
    wait_words,
    why_words,
)
from enrollkit.app.results import FinishState
from enrollkit.domain.identifiers import provisional_number
from enrollkit.errors import OperatorError
from enrollkit.locale import _
from enrollkit.tui.finish_talk import MOBILE, SENT, FinishTalk, Step
from enrollkit.tui.marks import shown
from enrollkit.tui.messages import FieldDone, FieldLeft
from enrollkit.tui.screens.page import Page
from enrollkit.tui.widgets.finish_field import FinishField
from enrollkit.tui.widgets.step_bar import StepBar
from sync.protocol import FinishStage

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["FinishScreen"]


class FinishScreen(Page[None]):
    """Asks the office how it stands, and goes on from there. It can be left at any point."""

    AUTO_FOCUS = ""
    HEADING = "Finish with a code"
    HELP = (
        "ABDM sends a one-time code to the person's mobile; the person reads it out, and the ABHA "
        "number is issued while they wait. It needs a network. No code is kept on this laptop. "
        "What was done stays done at the office: Esc leaves, and another day, on any laptop of "
        "the programme, it goes on from there with the number on the card."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "send the code"),
        Binding("enter", "send_to_mobile", "send a code to it"),
        Binding("enter", "look", "look again"),
        Binding("enter", "close", "done"),
        Binding("f2", "main", "", show=False),
        Binding("f3", "skip", "go on without", key_display="F3"),
        Binding("f4", "again", "send again", key_display="F4"),
        Binding("p", "card", "print the card"),
        Binding("down", "walk(1)", "choose", key_display="↑↓"),
        Binding("up", "walk(-1)", "", show=False),
        Binding("escape", "back", "leave"),
    ]

    def __init__(self, kit: Kit, ident: str) -> None:
        super().__init__(kit)
        self._ident = ident
        self._talk = FinishTalk(kit, ident, lambda: self.kit_app.now().timestamp())
        self._waited = False

    def content(self) -> Iterable[Widget]:
        """Give the steps, the person, what stands, the field, what else there is to know."""
        yield StepBar()
        yield Static("", id="finish-person", markup=False)
        yield Static("", id="finish-words", markup=False)
        yield FinishField()
        yield Static("", id="finish-more", markup=False)

    def on_mount(self) -> None:
        """Ask how it stands, and count the seconds."""
        self.action_look()
        self.set_interval(1.0, self.tick)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the stage offers, and nothing while an answer is on its way."""
        del parameters
        return self._talk.offers(action)

    # What the operator does

    def action_look(self) -> None:
        """Ask how it stands."""
        self._take(self.kit.finishing.look)

    def action_send(self) -> None:
        """Have a code sent."""
        self._take(self.kit.finishing.send)

    def action_send_to_mobile(self) -> None:
        """Have a code sent to the mobile that the person gave."""
        self._take(self.kit.finishing.mobile_send)

    def action_again(self) -> None:
        """Have another code sent."""
        first = self._talk.stage == FinishStage.CODE_SENT
        self._take(self.kit.finishing.send if first else self.kit.finishing.mobile_send)

    def action_skip(self) -> None:
        """Go on without the mobile, or without an address."""
        finishing = self.kit.finishing
        mobile = self._talk.stage in MOBILE
        self._take(finishing.skip_mobile if mobile else finishing.skip_address)

    def action_walk(self, steps: int) -> None:
        """Put the next of the addresses that are offered into the field."""
        self._field.walk(steps)

    def action_close(self) -> None:
        """Go back where it was begun."""
        self.leave(None)

    async def action_main(self) -> None:
        """Do what Enter does, wherever the cursor is."""
        for action in ("send", "send_to_mobile", "look", "close"):
            if self._talk.offers(action):
                await self.run_action(action)
                return
        self._submit()

    async def action_card(self) -> None:
        """Make the card with the number."""
        if self._talk.state is not None:
            state = self._talk.state
            await self.kit_app.journey.print_cards([state.record], state.name)

    def on_field_done(self, event: FieldDone) -> None:
        """Enter in the field takes what stands in it."""
        event.stop()
        self._submit()

    def on_field_left(self, event: FieldLeft) -> None:
        """A code half typed is nothing to keep."""
        event.stop()

    def _submit(self) -> None:
        finishing, typed, stage = self.kit.finishing, self._field.text, self._talk.stage
        if stage == FinishStage.CODE_SENT:
            self._take_value(finishing.code, read_code(typed), code_shape())
        elif stage == FinishStage.MOBILE_SENT:
            self._take_value(finishing.mobile_code, read_code(typed), code_shape())
        elif stage == FinishStage.ADDRESS:
            handle = read_handle(typed, self._talk.handles)
            self._take_value(finishing.choose_address, handle, handle_shape())

    def _take_value(
        self, step: Callable[[str, str], FinishState], value: str | None, shape: str
    ) -> None:
        if value is None:
            self._field.refuse(shape)
        else:
            self._take(lambda ident: step(ident, value))

    # What the office says

    def tick(self) -> None:
        """Count down; look again at an office that was still at it."""
        if self._talk.wants_look:
            self.action_look()
        elif self._talk.stage in SENT:
            self._draw_more()

    def trouble(self, error: OperatorError) -> None:
        """Say what went wrong; the screen shows what is known, for nothing is lost."""
        super().trouble(error)
        if self.is_laid_out:
            self._draw_more()
        if self.is_laid_out and self._talk.state is None:
            words = _("Where it stands is not known yet. Enter looks again.")
            self.query_one("#finish-words", Static).update(words)

    def _take(self, step: Step) -> None:
        """Take one step beside the keys, one at a time."""
        if not self._talk.busy:
            self._talk.busy = True
            self.refresh_bindings()
            self.begin(partial(self._answer, step))

    async def _answer(self, step: Step) -> None:
        self.say(_("Asking the office; ABDM may take half a minute …"), stay=True)
        try:
            await self._talk.take(step)
        finally:
            self._talk.busy = False
            self.refresh_bindings()
        self.notice.clear()
        self._show()

    @property
    def _field(self) -> FinishField:
        return self.query_one(FinishField)

    def _show(self) -> None:
        """Draw the answer: the steps, the words, the field that is asked for."""
        state = self._talk.state
        if state is None:
            return
        now = step_of(state)
        seen = STEPS if now == STEPS[-1] else STEPS[: STEPS.index(now)]
        self.query_one(StepBar).tell(STEPS, now, frozenset(seen))
        self.query_one("#finish-person", Static).update(self._person(state))
        self.query_one("#finish-words", Static).update(self._words(state))
        self._ask_for(state)
        self._draw_more()
        self.refresh_bindings()

    def _ask_for(self, state: FinishState) -> None:
        problem = why_words(state)
        if state.stage in SENT:
            self._field.ask_code(problem)
        elif state.stage == FinishStage.ADDRESS:
            self._field.ask_address(
                self._talk.handles, self._talk.wish, problem, practice=self._talk.practice
            )
        else:
            self._field.close()
            self.set_focus(None)

    def _person(self, state: FinishState) -> Content:
        number = provisional_number(state.record) if state.record else self._ident
        provisional = _("provisional {number}").format(number=shown(number))
        if state.name:
            name = Content.styled(shown(state.name), "bold")
            return name + Content.styled(f"   {provisional}", "$secondary")
        words = _("The person was enrolled on another laptop.") if state.is_known else ""
        return Content.styled(provisional, "bold") + Content.styled(f"   {words}", "$secondary")

    def _words(self, state: FinishState) -> Content:
        if state.stage == FinishStage.DONE:
            return Content("\n").join(self._done(state))
        if self._talk.is_silent:
            return Content.styled(f"! {silent_words()}", "bold $warning")
        lines = [Content(line) for line in stage_words(state, practice=self._talk.practice)]
        why = why_words(state)
        if why is not None and state.stage not in {*SENT, FinishStage.ADDRESS}:
            lines.insert(0, Content.styled(f"! {shown(why)}", "bold $warning"))
        return Content("\n").join(lines)

    def _done(self, state: FinishState) -> list[Content]:
        tick = "v" if self.app.has_class("-ascii") else "✔"
        lines = [Content.styled(f"{tick} {_('Done.')}", "bold $success")]
        why = why_words(state)
        lines += [Content(shown(why))] if why is not None else []
        lines.append(Content(""))
        for label, words in done_words(state, practice=self._talk.practice):
            lines.append(Content(f"{label:<16}") + Content.styled(shown(words), "bold $accent"))
        card = card_words(state) or _("P prints the card with the number.")
        return [*lines, Content(""), Content(card)]

    def _draw_more(self) -> None:
        """Say what can be done if it does not go on, and that leaving loses nothing."""
        state = self._talk.state
        lines = []
        if state is not None and state.stage in SENT:
            left = self._talk.seconds_left
            key = _("F4 sends it.") if not left else ""
            lines.append(f"{wait_words(left)} {key}".strip())
            if self._waited != (left > 0):
                self._waited = left > 0
                self.refresh_bindings()
        if state is not None and help_words(state):
            lines.append(help_words(state))
        if state is None or (state.stage != FinishStage.DONE and state.is_known):
            lines += ["", later_words()]
        words = Content.styled("\n".join(lines).strip(), "$secondary")
        self.query_one("#finish-more", Static).update(words)
