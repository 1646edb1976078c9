"""What the office is told about the sticks that it received: for people, and for programs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sync.protocol import Outcome
from sync.server.receiving import FileReport

__all__ = ["show_progress", "summary_of", "words_of"]


def summary_of(reports: Sequence[FileReport]) -> dict[str, Any]:
    """Give the object of ``receive --json``; ``operations`` counts every verdict that was given."""
    verdicts: Counter[str] = Counter()
    for report in reports:
        verdicts.update(report.verdicts)
    return {
        "batches": sum(report.batches for report in reports),
        "operations": verdicts.total(),
        "verdicts": {outcome.value: verdicts[outcome.value] for outcome in Outcome},
        "files": [_file(report) for report in reports],
    }


def words_of(reports: Sequence[FileReport]) -> str:
    """Give some lines for each file."""
    return "\n".join(line for report in reports for line in _lines(report))


def show_progress(name: str, done: int, total: int) -> None:
    """Write how far a file is, over the line before, when a person is looking."""
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        sys.stderr.write(f"\r{name}: {done} of {total}{end}")
        sys.stderr.flush()


def _file(report: FileReport) -> dict[str, Any]:
    return {
        "file": report.file,
        "device": report.device,
        "state": report.state,
        "is_whole": report.is_whole,
        "batches": report.batches,
        "operations": report.operations,
        "verdicts": dict(report.verdicts),
        "refused": dict(report.refused),
        "answer": str(report.answer) if report.answer else None,
        "code": report.problem.code if report.problem else None,
    }


def _lines(report: FileReport) -> list[str]:
    lines = [f"{report.file}: {_counted(report)}"]
    if report.answer is not None:
        lines.append(f"  The answer is {report.answer}. Take it back to laptop {report.device}.")
    code = f"  [{report.problem}]" if report.problem else ""
    return lines + [f"  {words}{code}" for words in report.words]


def _counted(report: FileReport) -> str:
    """Count people and records; keys and clock readings travel with them and are nobody."""
    if not report.told:
        return "no person or record in it to take in"
    parts = [f"{count} {outcome}" for outcome, count in sorted(report.told.items())]
    what = "person or record" if report.told.total() == 1 else "people and records"
    return f"{report.told.total()} {what} taken in ({', '.join(parts)})"
