"""A laptop on which something is wrong, and what its operator must be told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enrollkit.errors import OperatorError
from journey_camp import Laptop, Office, Outcome, write_rows
from journey_people import people

__all__ = ["Desk", "said"]


@dataclass(slots=True, kw_only=True)
class Desk:
    office: Office
    folder: Path

    def laptop(self, name: str, *, approved: bool = True) -> Laptop:
        return self.office.laptop(self.folder / name, approved=approved)

    def camp(self, name: str) -> Laptop:
        """Give a laptop with three people on it."""
        laptop = self.laptop(name)
        file = write_rows(self.folder / f"{name}.jsonl", people(0, 3))
        assert laptop.run("enroll", file).code == 0
        return laptop


def said(told: Outcome, kind: type[OperatorError], **fields: Any) -> None:
    """The command ended with the error's exit code and words; stdout stays JSON or empty."""
    assert told.code == kind.exit_code, told
    assert kind(**fields).text in told.err
    assert f"[{kind.code}]" in told.err
    assert "{" not in told.err
    assert "Traceback" not in told.err + told.out
    for line in told.out.splitlines():
        assert isinstance(json.loads(line), dict)
