"""How commands tell the problems of a row: to people one a line, to programs as objects."""

from __future__ import annotations

from collections.abc import Sequence

from enrollkit.cli.console import say
from enrollkit.domain.problem import Problem

__all__ = ["problems_json", "say_problem"]


def problems_json(problems: Sequence[Problem]) -> list[dict[str, str]]:
    """Write problems for programs: pointer, code, text and how far each stands in the way."""
    return [
        {
            "pointer": problem.pointer,
            "code": problem.code,
            "text": problem.text,
            "severity": problem.severity.value,
        }
        for problem in problems
    ]


def say_problem(problem: Problem) -> None:
    """Print a problem under its row: the field to blame, what to do, the code."""
    say(f"       {problem.pointer or '/'}  {problem.text}  [{problem.code}]")
