"""The problems of one form: which come first, which were looked at, whether it may be saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from enrollkit.domain.problem import Problem, Severity

__all__ = ["Findings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Problems as the kit gave them; ``looked_at`` holds the codes that somebody looked at."""

    problems: tuple[Problem, ...] = ()
    looked_at: frozenset[str] = frozenset()

    def renew(self, problems: Sequence[Problem]) -> Findings:
        """Take new problems; what was looked at stays looked at."""
        return replace(self, problems=tuple(problems))

    def of(self, severity: Severity) -> list[Problem]:
        """Give the problems of one severity, in the order of the form."""
        return [problem for problem in self.problems if problem.severity is severity]

    @property
    def numbered(self) -> list[Problem]:
        """The problems in the order of their number keys: refused first, then to be looked at."""
        return [*self.of(Severity.REFUSE), *self.of(Severity.REVIEW)]

    @property
    def next_to_look_at(self) -> Problem | None:
        """The first thing to look at that nobody has looked at."""
        waiting = [one for one in self.of(Severity.REVIEW) if one.code not in self.looked_at]
        return waiting[0] if waiting else None

    @property
    def may_save(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.of(Severity.REFUSE) and self.next_to_look_at is None

    def look(self) -> Findings:
        """Say of the next thing to look at that somebody has looked."""
        problem = self.next_to_look_at
        return self if problem is None else replace(self, looked_at=self.looked_at | {problem.code})

    def about(self, pointer: str) -> str | None:
        """Give the words for one field, ``None`` when it is right."""
        for problem in self.problems:
            if problem.pointer == pointer or problem.pointer.startswith(pointer + "/"):
                return problem.text
        return None
