"""What the demo counted, at both ends, as a table for people and as figures for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enrollkit.cli.stage.people import DEMO_RECORDS, demo_people
from enrollkit.locale import _

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the demo counted, at both ends; the summary is made of nothing else."""

    folder: Path
    laptop: Path
    passphrase: str
    enrolled: tuple[int, int]
    signed_for: tuple[int, int]
    waiting: tuple[int, int]
    cards_verified: tuple[int, int]
    delivered: int
    issued: tuple[int, int]
    to_call: tuple[int, int]
    linked: int
    cuts: int
    files: tuple[Path, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every person was delivered and signed for, has a card that verifies, and has an
        ABHA number if somebody need not be called for it.
        """
        return (
            self.enrolled == self.signed_for == self.cards_verified
            and sum(self.issued) == sum(bool(row["aadhaar"]) for row in demo_people())
            and self.linked == len(DEMO_RECORDS)
            and sum(self.enrolled) == self.delivered == len(demo_people())
            and self.waiting == (0, 0)
            and self.cuts == 1
        )

    def counts(self) -> dict[str, Any]:
        """Give the figures for programs."""
        return {
            "enrolled": sum(self.enrolled),
            "delivered": self.delivered,
            "signed_for": sum(self.signed_for),
            "issued": sum(self.issued),
            "to_call": sum(self.to_call),
            "linked": self.linked,
            "cards_verified": sum(self.cards_verified),
            "waiting": sum(self.waiting),
            "cuts": self.cuts,
            "folder": str(self.folder),
            "files": [str(file) for file in self.files],
        }

    def table(self) -> Iterator[str]:
        """Give the figures for people."""
        rows: list[tuple[str, str, str, str]] = [
            ("", _("Laptop A"), _("Laptop B"), _("Server")),
            (_("People enrolled"), *_pair(self.enrolled), ""),
            (_("Delivered"), "", "", str(self.delivered)),
            (_("Signed for by the server"), *_pair(self.signed_for), ""),
            (_("Still waiting"), *_pair(self.waiting), ""),
            (_("PRACTICE ABHA numbers issued"), *_pair(self.issued), ""),
            (_("Call the person"), *_pair(self.to_call), ""),
            (_("Records linked"), str(self.linked), "", ""),
            (_("Cards read back and verified"), *_pair(self.cards_verified), ""),
        ]
        yield ""
        for label, first, second, server in rows:
            yield f"  {label:<30}{first:>9}{second:>11}{server:>9}".rstrip()
        yield ""
        yield _("All counts are equal.") if self.is_whole else _("The counts DIFFER: look above.")
        yield ""
        yield _("Files:")
        yield from (f"  {file}" for file in self.files)


def _pair(counts: tuple[int, int]) -> tuple[str, str]:
    return str(counts[0]), str(counts[1])
