"""The last step: the person once more, and every problem at once, each with its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from enrollkit.domain.problem import Problem, Severity
from enrollkit.locale import _, ngettext
from enrollkit.tui.findings import Findings
from enrollkit.tui.form import label_of
from enrollkit.tui.widgets.step import Step
from enrollkit.tui.widgets.summary import summary_lines

__all__ = ["ReviewStep"]

_KEYS = 9
# A problem that begins with its field's name needs no label in front of it.
_NAMED_WITHIN = 24


class ReviewStep(Step):
    """Draws what is handed in and decides nothing."""

    WORD = "review"

    def compose(self) -> ComposeResult:
        """Lay out the person and the list of problems."""
        yield Static("", id="review-person", markup=False)
        yield Static(_("Looking at everything once more …"), id="review-problems", markup=False)

    def fill(self, row: Mapping[str, Any]) -> None:
        """Nothing to type here; :meth:`tell` draws."""

    def values(self) -> dict[str, Any]:
        """Give nothing: the row is as it is."""
        return {}

    def enter(self, pointer: str = "") -> None:
        """Keys work without a cursor."""
        del pointer
        self.screen.set_focus(None)

    def tell(
        self,
        lines: Sequence[tuple[str, str]],
        findings: Findings,
    ) -> None:
        """Show the person's lines and the problems in the order of their keys."""
        self.query_one("#review-person", Static).update(summary_lines(lines))
        self.query_one("#review-problems", Static).update(
            Content("\n").join(self._problem_lines(findings))
        )

    def _problem_lines(self, findings: Findings) -> list[Content]:
        groups = [
            findings.of(severity) for severity in (Severity.REFUSE, Severity.REVIEW, Severity.NOTE)
        ]
        if not any(groups[:2]):
            ready = Content.styled(_("Nothing stands in the way. Enter saves."), "bold")
            return [ready, *self._notes(groups[2])]
        heads = [self._refused_head(len(groups[0])), self._review_head(len(groups[1]))]
        lines: list[Content] = []
        number = 0
        for head, group in zip(heads, groups[:2], strict=True):
            lines += [head] if group else []
            for problem in group:
                number += 1
                lines.append(self._line(number, problem, problem.code in findings.looked_at))
        keys = Content.styled(_("Press a number to go there."), "$secondary")
        return [*lines, Content(""), keys, *self._notes(groups[2])]

    def _refused_head(self, count: int) -> Content:
        words = ngettext(
            "{count} thing to put right before this can be saved",
            "{count} things to put right before this can be saved",
            count,
        )
        return Content.styled(words.format(count=count), "bold $warning")

    def _review_head(self, count: int) -> Content:
        words = ngettext("{count} thing to look at", "{count} things to look at", count)
        return Content.styled(words.format(count=count), "bold")

    def _line(self, number: int, problem: Problem, looked: bool) -> Content:  # noqa: FBT001 - drawn
        key = f"{number}" if number <= _KEYS else " "
        label = label_of(problem.pointer)
        if ":" in problem.text[:_NAMED_WITHIN]:
            label = ""
        seen = Content.styled("  " + _("looked at"), "$secondary") if looked else Content("")
        return (
            Content.styled(f"  {key}  ", "bold $accent")
            + Content.styled(f"{label}  " if label else "", "bold")
            + Content(problem.text)
            + seen
        )

    def _notes(self, notes: Sequence[Problem]) -> list[Content]:
        return [
            Content.styled(f"     {label_of(note.pointer)}  {note.text}", "$secondary")
            for note in notes
        ]
