"""Correcting somebody who is saved: it opens at the field to blame, with the office's value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.binding import Binding, BindingType

from enrollkit.app.results import DraftState, OtherValue, Reason
from enrollkit.domain.consent import ConsentWording
from enrollkit.locale import _
from enrollkit.tui.correct_form import CorrectForm, side_by_side
from enrollkit.tui.enroll_form import EnrollForm
from enrollkit.tui.form import step_of
from enrollkit.tui.marks import shown
from enrollkit.tui.screens.enroll import EnrollScreen
from enrollkit.tui.widgets.field import Field

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["CorrectScreen"]

_NO_KEY = "/aadhaar"
_MISMATCH: Final = "abdm:mismatch"
_OF_MISMATCH: Final = ("/name", "/birth", "/gender")
"""What ABDM compares with Aadhaar; it does not say which of them it means."""


class CorrectScreen(EnrollScreen):
    """The wizard over somebody's saved values; dismisses with the version that was saved."""

    HEADING = "Correction"
    HELP = (
        "Change what is wrong; everything else stays as it was saved. Where the office wrote in "
        "the same field, both values stand beneath it and F5 takes the other one. The last step "
        "shows what is still open; Enter there saves, and the new version is sent. Esc there "
        "leaves; what you changed is kept as a draft."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "take_other", "take the office's", key_display="F5"),
        Binding("f2", "finish", "look it over", key_display="F2"),
        Binding("c", "change", "change more"),
    ]

    def __init__(
        self,
        kit: Kit,
        draft: DraftState,
        wordings: Iterable[ConsentWording],
        today: date,
        *,
        reason: Reason | None,
        conflicts: Sequence[OtherValue] = (),
        refused: Mapping[str, Any] | None = None,
    ) -> None:
        self._refused = refused
        self._reason = reason
        self._conflicts = tuple(conflicts)
        super().__init__(kit, draft, wordings, today)
        self._whom = draft.corrects or ""
        self._first_field = self._blamed()
        self._begin_at_field(draft.step)

    def make_form(self, draft: DraftState) -> EnrollForm:
        """Make what holds the draft and the office's values."""
        return CorrectForm(
            self.kit, draft, self._today, self._conflicts,
            asks_consent=self._blamed().startswith("/consent"), refused=self._refused,
        )  # fmt: skip

    def on_screen_resume(self) -> None:
        """Say whom this corrects; Textual calls the base class's handler too."""
        self.top.title = _("Correction: {name}").format(name=shown(self._whom))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Take the office's value where there is one in sight."""
        if action == "take_other":
            return self._other_in_sight() is not None
        if action == "finish":
            return self._word != "review"
        if action == "change":
            return self._word == "review" and not self._saving
        return super().check_action(action, parameters)

    def action_take_other(self) -> None:
        """Put the office's value into the field; again brings ours back."""
        found = self._other_in_sight()
        if found is None:
            return
        field, other = found
        field.put(other.yours if field.value == other.theirs else other.theirs)
        self._touched.add(field.pointer)
        self._collect()
        self.begin(self._keep_and_check, group="draft")

    def action_finish(self) -> None:
        """Go to the last step at once; one wrong field needs no walk through all others."""
        self.begin(self._finish, group="step")

    def action_change(self) -> None:
        """Go through the fields once more, from the person on."""
        self.begin(partial(self._open, "person"), group="step")

    async def _finish(self) -> None:
        self._mending = True
        await self._next()

    async def _previous(self) -> None:
        """Go back to where this was opened from, unless something was changed in this step."""
        self._collect()
        if self._word != "review" and not self._form.is_untold:
            await super()._previous()
            return
        await self._keep()
        await self._leave()

    def _begin_at_field(self, left_at: str) -> None:
        """Open at the field to blame; else where it was left, or at the person."""
        steps = self._form.steps
        if self._first_field:
            step = step_of(self._first_field)
            self._word = step if step in steps else "review"
            self._mending = self._word != "review"
        elif left_at not in steps:
            self._word = "person"
        self._seen = frozenset(steps)

    def _blamed(self) -> str:
        if self._reason is not None and self._reason.pointer:
            return self._reason.pointer
        if self._reason is not None and self._reason.code == _MISMATCH:
            return _OF_MISMATCH[0]
        return self._conflicts[0].pointer if self._conflicts else ""

    def _show_problems(self) -> None:
        """Add to each field what the office said of it, or has there."""
        super()._show_problems()
        open_here = {one.pointer for one in self._conflicts}
        for field in self.query(Field):
            if field.pointer in open_here:
                field.show_problem(None)  # the note says it, whether it is looked at or not
            field.note(self._said_of(field.pointer))

    def _said_of(self, pointer: str) -> str:
        for other in self._conflicts:
            if other.pointer == pointer:
                return side_by_side(other)
        reason = self._reason
        if reason is not None and reason.code == _MISMATCH and pointer in _OF_MISMATCH:
            return _("Aadhaar says otherwise, or its number was mistyped.")
        if reason is None or not reason.pointer:
            return ""
        if reason.pointer != pointer and not reason.pointer.startswith(pointer + "/"):
            return ""
        said = _("It said: {value}").format(value=reason.value) if reason.value else ""
        return f"{reason.text} {said}".strip()

    def _other_in_sight(self) -> tuple[Field, OtherValue] | None:
        """Give the field with the cursor, or the first of this step, that the office wrote in."""
        known = {one.pointer: one for one in self._conflicts if one.pointer != _NO_KEY}
        fields = [field for field in self.query(Field) if field.pointer in known]
        here = [field for field in fields if field.has_cursor] or fields
        return (here[0], known[here[0].pointer]) if here else None
