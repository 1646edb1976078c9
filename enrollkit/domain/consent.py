"""What the person agreed to, and how that was witnessed.

ABDM rejects an enrollment whose consent code and version it does not know, and fails a client
that shows the form before the wording (NHA, M1: consent collection). The wording is data: it
comes with the programme and may be replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["Consent", "ConsentMethod", "ConsentWording"]


class ConsentMethod(StrEnum):
    """How the person showed that they agree."""

    SIGNATURE = "signature"
    THUMBPRINT = "thumbprint"
    VERBAL_WITNESSED = "verbal-witnessed"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Consent:
    """One person's consent: which wording, in which language, how, before whom, when.

    ``given_at`` carries its offset. A signature needs no ``witness``; the other methods do.
    """

    version: str
    language: str
    method: ConsentMethod
    given_at: datetime
    witness: str | None

    def __repr__(self) -> str:
        return "Consent(<withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWording:
    """A text to be read out in full; ``official`` is false for words that are not NHA's."""

    code: str
    version: str
    language: str
    text: str
    official: bool
