"""The wizard: consent, document, person, guardian, address, review; a draft at every field left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from enrollkit.app.results import DraftState, Saved
from enrollkit.domain.consent import ConsentWording
from enrollkit.domain.problem import Problem, Severity
from enrollkit.errors import OperatorError
from enrollkit.locale import _
from enrollkit.tui.enroll_form import EnrollForm
from enrollkit.tui.form import step_of
from enrollkit.tui.messages import FieldLeft, NumberTyped, StepDone
from enrollkit.tui.screens.page import Page
from enrollkit.tui.widgets.aadhaar_field import AadhaarField
from enrollkit.tui.widgets.address_step import AddressStep
from enrollkit.tui.widgets.consent_step import ConsentStep
from enrollkit.tui.widgets.document_step import DocumentStep
from enrollkit.tui.widgets.field import Field
from enrollkit.tui.widgets.guardian_step import GuardianStep
from enrollkit.tui.widgets.person_step import PersonStep
from enrollkit.tui.widgets.review_step import ReviewStep
from enrollkit.tui.widgets.step import Step
from enrollkit.tui.widgets.step_bar import StepBar
from enrollkit.tui.widgets.summary import preview_lines, summarise

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["EnrollScreen"]

_WIDE_CELLS = 110


class EnrollScreen(Page[Saved | None]):
    """Dismisses with what was saved, or with ``None``: then the draft stays."""

    HEADING = "New enrollment"
    HELP = (
        "One step after the other: Enter goes on, Esc goes back, nothing typed is lost. Every "
        "field you leave is kept on this laptop at once. The last step shows everything that is "
        "still to be put right; press the number of a line to go there."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", "save", key_display="Enter"),
        Binding("escape", "back", "back (kept)"),
        Binding("f2", "save", "save", show=False),
        Binding("l", "look", "I have looked"),
        *[Binding(str(key), f"jump({key})", "", show=False) for key in range(1, 10)],
        Binding("delete", "clear_number", "take number away"),
    ]

    def __init__(
        self, kit: Kit, draft: DraftState, wordings: Iterable[ConsentWording], today: date
    ) -> None:
        super().__init__(kit)
        self._today = today
        self._form = self.make_form(draft)
        self._wordings = list(wordings)
        steps = self._form.steps
        self._word = draft.step if draft.step in steps else steps[0]
        self._step: Step | None = None
        self._seen: frozenset[str] = frozenset(steps[: steps.index(self._word)])
        self._touched: set[str] = set()
        self._first_field = ""
        self._mending = False
        self._saving = False
        self._moving = asyncio.Lock()

    def content(self) -> Iterable[Widget]:
        """Give the line of steps and the place for the present one."""
        yield Static("", id="preview", markup=False)
        yield StepBar()
        yield Vertical(id="step")

    async def on_mount(self) -> None:
        """Open the step at which the draft was left."""
        await self._open(self._word, self._first_field)

    def make_form(self, draft: DraftState) -> EnrollForm:
        """Make what holds the draft."""
        return EnrollForm(self.kit, draft, self._today)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Show only the keys that do something now."""
        del parameters
        review = self._word == "review"
        if action in {"save", "go_on"}:
            return review and not self._saving and self._form.findings.may_save
        if action == "look":
            return review and self._form.findings.next_to_look_at is not None
        if action == "jump":
            return review
        if action == "clear_number":
            return self._word == "document" and self._form.last4 is not None
        return True

    def help_text(self) -> str:
        """Explain the field with the cursor, then the screen."""
        words = [field.help_text for field in self.query(Field) if field.has_cursor]
        return "\n\n".join([word for word in words if word] + [_(self.HELP)])

    async def settle(self) -> None:
        """Keep what stands in the fields, even the one with the cursor."""
        if not self._saving:
            self._collect()
            await self._keep()

    # What the fields tell

    def on_field_left(self, event: FieldLeft) -> None:
        """Keep the draft and look at it again."""
        self._touched.add(event.field.pointer)
        self._collect()
        self.begin(self._keep_and_check, group="draft")

    def on_step_done(self, event: StepDone) -> None:
        """Go on to the next step."""
        event.stop()
        self.begin(self._next, group="step")

    def on_number_typed(self, event: NumberTyped) -> None:
        """Seal the number at once."""
        event.stop()
        self.begin(partial(self._seal, event.take()), group="seal")

    # What the keys do

    def action_go_on(self) -> None:
        """Save, when nothing stands in the way."""
        self.action_save()

    def action_save(self) -> None:
        """Save once: a second Enter finds the door closed."""
        if not self._saving and self._word == "review":
            self._saving = True
            self.refresh_bindings()
            self.begin(self._submit, group="submit")

    def action_back(self) -> None:
        """Go one step back, or home from the first; the draft stays."""
        if not self._saving:
            self.begin(self._previous, group="step")

    def action_look(self) -> None:
        """Say of the next thing to look at that a person has looked."""
        self._form.findings = self._form.findings.look()
        self._draw_review()

    def action_jump(self, key: int) -> None:
        """Go to the field of a numbered problem."""
        listed = self._form.findings.numbered
        if key <= len(listed):
            self.begin(partial(self._mend, listed[key - 1]), group="step")

    def action_clear_number(self) -> None:
        """Take a sealed number away."""
        self.begin(self._clear_number, group="seal")

    # The work behind them

    async def _open(self, word: str, pointer: str = "") -> None:
        async with self._moving:
            with self.kit_app.type_ahead.holding():
                await self._put_up(word, pointer)
        if self._word == "review":
            await self._check()
        elif pointer or self._mending:
            self._show_problems()

    async def _put_up(self, word: str, pointer: str) -> None:
        # No step to collect from until the new one is filled: empty fields are not answers.
        self._step = None
        self._word = word if word in self._form.steps else "person"
        holder = self.query_one("#step", Vertical)
        await holder.remove_children()
        step = self._make(self._word)
        await holder.mount(step)
        holder.set_class(self._word == "consent", "-fill")
        step.fill(self._form.row)
        self._step = step
        step.enter(pointer)
        self.query_one(StepBar).tell(self._form.steps, self._word, self._seen)
        self.refresh_bindings()

    def _make(self, word: str) -> Step:
        if word == "consent":
            language = str(self._form.row.get("language") or self.kit_app.last_language)
            return ConsentStep(self._wordings, language=language, now=self.kit_app.now)
        if word == "document":
            return DocumentStep(self._form.last4)
        if word == "guardian":
            return GuardianStep()
        if word == "address":
            return AddressStep(self.kit)
        return ReviewStep() if word == "review" else PersonStep(self._today)

    def _collect(self) -> None:
        """Bring what stands in the fields into the row."""
        if self._step is not None:
            self._form.take(self._step.values())

    async def _keep(self) -> None:
        try:
            await self._form.keep(self._word)
        except OperatorError:
            self.keys.status = _("NOT kept")
            raise
        self.keys.status = _("draft saved {time}").format(time=self.kit_app.now().strftime("%H:%M"))
        self._draw_preview()

    async def _keep_and_check(self) -> None:
        await self._keep()
        if self._word != "review":
            await self._form.check()
            self._show_problems()

    async def _next(self) -> None:
        self._collect()
        if isinstance(self._step, ConsentStep) and self._step.missing():
            self.say(self._step.missing(), warn=True)
            return
        self.notice.clear()
        steps = self._form.steps
        following = steps[min(steps.index(self._word) + 1, len(steps) - 1)]
        self._seen |= {self._word}
        await self._open("review" if self._mending else following)
        self._mending = False
        await self._keep()

    async def _previous(self) -> None:
        self._collect()
        await self._keep()
        steps = self._form.steps
        place = steps.index(self._word) if self._word in steps else 0
        if self._mending:
            self._mending = False
            await self._open("review")
        elif place == 0:
            await self._leave()
        else:
            await self._open(steps[place - 1])

    async def _leave(self) -> None:
        """Go home; a form in which nothing was said about anybody leaves no draft behind."""
        if self._form.is_untold:
            await self._form.discard()
        self.leave(None)

    async def _mend(self, problem: Problem) -> None:
        step = step_of(problem.pointer)
        if problem.related is not None and problem.severity is Severity.REVIEW:
            await self.kit_app.journey.look_at(problem.related)
        elif step != "review":
            self._mending = True
            self._touched.add(problem.pointer)
            await self._open(step, problem.pointer)

    async def _seal(self, number: str) -> None:
        field = self.query_one(AadhaarField)
        problem = await self._form.seal(number)
        if problem is not None:
            field.refuse(problem.text)
            return
        self.refresh_bindings()
        self.keys.status = _("sealed {time}").format(time=self.kit_app.now().strftime("%H:%M"))
        field.take(self._form.last4)

    async def _clear_number(self) -> None:
        await self._form.clear_number()
        self.query_one(AadhaarField).put(None)
        self.refresh_bindings()

    async def _check(self) -> None:
        await self._form.check()
        self._draw_review()

    async def _submit(self) -> None:
        """The form goes away only after the kit has returned what it saved."""
        saved: Saved | None = None
        try:
            await self._keep()
            saved = await self._form.submit()
        finally:
            self._saving = saved is not None
            self.refresh_bindings()
        if saved is None:
            self._draw_review()
        else:
            self.kit_app.remember(self._form.row)
            self.leave(saved)

    # What is drawn

    def _draw_review(self) -> None:
        if isinstance(self._step, ReviewStep):
            lines = summarise(self._form.row, self._form.last4, self.kit, self._today)
            self._step.tell(lines, self._form.findings)
        self.refresh_bindings()

    def _draw_preview(self) -> None:
        """Show the person beside the form where the terminal is wide enough."""
        if self.app.size.width >= _WIDE_CELLS and self._word != "review":
            lines = summarise(self._form.row, self._form.last4, self.kit, self._today)
            self.query_one("#preview", Static).update(preview_lines(lines))

    def _show_problems(self) -> None:
        """Show under each field that was visited what is wrong with it."""
        for field in self.query(Field):
            visited = self._mending or field.pointer in self._touched
            quiet = not visited or field.has_cursor
            field.show_problem(None if quiet else self._form.findings.about(field.pointer))
