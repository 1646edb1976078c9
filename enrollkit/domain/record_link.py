"""A health record linked to a person: an ABDM care context, nothing clinical in its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from enrollkit.domain.enrollment import without_nulls

__all__ = ["LINK_TRANSITIONS", "HiType", "LinkState", "RecordLink", "link_may_become"]


class HiType(StrEnum):
    """ABDM's health information types (M2)."""

    PRESCRIPTION = "Prescription"
    DIAGNOSTIC_REPORT = "DiagnosticReport"
    OP_CONSULTATION = "OPConsultation"
    DISCHARGE_SUMMARY = "DischargeSummary"
    IMMUNIZATION_RECORD = "ImmunizationRecord"
    HEALTH_DOCUMENT_RECORD = "HealthDocumentRecord"
    WELLNESS_RECORD = "WellnessRecord"
    INVOICE = "Invoice"


class LinkState(StrEnum):
    """Where a record link stands."""

    SUBMITTED = "SUBMITTED"
    SENT = "SENT"
    ACCEPTED = "ACCEPTED"
    LINKED = "LINKED"
    RETURNED = "RETURNED"
    REMOVED = "REMOVED"
    """Taken away again; the record itself stays at its facility."""


LINK_TRANSITIONS: Final[Mapping[LinkState, frozenset[LinkState]]] = MappingProxyType({
    LinkState.SUBMITTED: frozenset({
        LinkState.SENT, LinkState.ACCEPTED, LinkState.RETURNED, LinkState.LINKED,
        LinkState.REMOVED,
    }),
    LinkState.SENT: frozenset({
        LinkState.ACCEPTED, LinkState.RETURNED, LinkState.LINKED, LinkState.REMOVED,
    }),
    LinkState.ACCEPTED: frozenset({LinkState.LINKED, LinkState.RETURNED, LinkState.REMOVED}),
    LinkState.RETURNED: frozenset({LinkState.SUBMITTED, LinkState.LINKED, LinkState.REMOVED}),
    LinkState.LINKED: frozenset({LinkState.REMOVED}),
    LinkState.REMOVED: frozenset(),
})  # fmt: skip


def link_may_become(now: LinkState, then: LinkState) -> bool:
    """Whether the table allows the step."""
    return then in LINK_TRANSITIONS[now]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RecordLink:
    """One care context of one enrollment.

    ``reference`` is its number at the facility, unique there; ``facility`` an HFR id;
    ``professional`` an HPR id; ``observations`` the figures of a wellness check, by name and unit
    as in ``record-link-1``.
    """

    id: str
    enrollment: str
    hi_type: HiType
    facility: str
    professional: str | None
    date: date
    display: str
    reference: str
    observations: Mapping[str, float] | None

    def __repr__(self) -> str:
        return f"RecordLink({self.id}, <withheld>)"

    def body(self) -> dict[str, Any]:
        """Write the ``record-link-1`` object: what is not known is absent."""
        return without_nulls({
            "enrollment": self.enrollment,
            "hi_type": self.hi_type.value,
            "facility": self.facility,
            "professional": self.professional,
            "date": self.date.isoformat(),
            "display": self.display,
            "reference": self.reference,
            "observations": self.observations,
        })  # fmt: skip

    @classmethod
    def from_body(cls, body: Mapping[str, Any], *, record_id: str) -> RecordLink:
        """Read a body that has passed the ``record-link-1`` schema."""
        return cls(
            id=record_id,
            enrollment=body["enrollment"],
            hi_type=HiType(body["hi_type"]),
            facility=body["facility"],
            professional=body.get("professional"),
            date=date.fromisoformat(body["date"]),
            display=body["display"],
            reference=body["reference"],
            observations=body.get("observations"),
        )
