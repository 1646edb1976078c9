"""An enrollment, its states, and its one written form (schema ``enrollment-1``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from enrollkit.domain.consent import Consent, ConsentMethod
from enrollkit.domain.identifiers import provisional_number
from enrollkit.domain.person import (
    Address,
    BirthDate,
    Gender,
    Guardian,
    MobileOwner,
    Person,
    Relation,
)

__all__ = [
    "CORRECTABLE",
    "FIRST_VERSION",
    "TRANSITIONS",
    "Enrollment",
    "State",
    "may_become",
    "person_from",
    "without_nulls",
]

FIRST_VERSION: Final = 1
"""The version of an enrollment that was never corrected."""


class State(StrEnum):
    """Where an enrollment stands. RECEIVED and DURABLE are facts of a batch, not of a person."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    """Saved on this laptop, waiting to be sent."""
    SENT = "SENT"
    """Offered to the server; no signature yet."""
    ACCEPTED = "ACCEPTED"
    """Signed for by the server."""
    ISSUED = "ISSUED"
    """ABDM gave an ABHA number."""
    RETURNED = "RETURNED"
    """Needs correction; the next version starts as a draft."""
    DUPLICATE = "DUPLICATE"
    """The person had an ABHA number or an enrollment already."""
    NEEDS_PERSON = "NEEDS_PERSON"
    """An OTP or a face is needed: call the person."""
    WITHDRAWN = "WITHDRAWN"


TRANSITIONS: Final[Mapping[State, frozenset[State]]] = MappingProxyType({
    State.DRAFT: frozenset({State.SUBMITTED}),
    # A receipt may come by a stick before this laptop has noted that it sent anything.
    State.SUBMITTED: frozenset({
        State.SENT, State.ACCEPTED, State.RETURNED, State.DUPLICATE, State.WITHDRAWN,
    }),
    # To SUBMITTED: the next version of a record that was corrected here.
    State.SENT: frozenset({
        State.SUBMITTED, State.ACCEPTED, State.RETURNED, State.DUPLICATE, State.WITHDRAWN,
    }),
    State.ACCEPTED: frozenset({
        State.SUBMITTED, State.ISSUED, State.RETURNED, State.DUPLICATE, State.NEEDS_PERSON,
        State.WITHDRAWN,
    }),
    State.NEEDS_PERSON: frozenset({
        State.SUBMITTED, State.ISSUED, State.RETURNED, State.DUPLICATE, State.WITHDRAWN,
    }),
    # To ACCEPTED: the office settled what came back before anybody corrected it here. The last
    # two: another road was tried meanwhile, with the person present.
    State.RETURNED: frozenset({
        State.SUBMITTED, State.ACCEPTED, State.ISSUED, State.WITHDRAWN, State.DUPLICATE,
        State.NEEDS_PERSON,
    }),
    State.DUPLICATE: frozenset({State.ISSUED, State.WITHDRAWN}),
    State.ISSUED: frozenset({State.WITHDRAWN}),
    State.WITHDRAWN: frozenset(),
})  # fmt: skip

CORRECTABLE: Final = frozenset(
    {State.SUBMITTED} | {now for now, then in TRANSITIONS.items() if State.SUBMITTED in then}
) - {State.DRAFT}
"""States in which a record can get a next version on this laptop."""


def may_become(now: State, then: State) -> bool:
    """Whether the table allows the step."""
    return then in TRANSITIONS[now]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Enrollment:
    """A checked enrollment: it passed :func:`enrollkit.domain.rules.check`.

    ``id`` is 32 hex digits, random. ``aadhaar_last4`` is all that stays readable of the number;
    ``capture_session`` names the key that sealed the rest. ``version`` counts from 1.
    """

    id: str
    version: int
    person: Person
    consent: Consent
    aadhaar_last4: str | None
    capture_session: str | None
    abha_address_choice: str | None
    household: str | None
    camp: str | None

    def __repr__(self) -> str:
        return f"Enrollment({self.id}, version={self.version}, <withheld>)"

    @property
    def provisional(self) -> str:
        """The number printed on the card until an ABHA number exists."""
        return provisional_number(self.id)

    def body(self) -> dict[str, Any]:
        """Write the ``enrollment-1`` object: what is not known is absent."""
        person, consent = self.person, self.consent
        return without_nulls({
            "name": person.name,
            "name_native": person.name_native,
            "gender": person.gender.value,
            "birth": {
                "year": person.birth.year, "month": person.birth.month, "day": person.birth.day,
            },
            "mobile": person.mobile,
            "mobile_owner": person.mobile_owner.value,
            "address": {
                "line": person.address.line,
                "village": person.address.village,
                "pincode": person.address.pincode,
                "state": person.address.state,
                "district": person.address.district,
            },
            "guardian": person.guardian
            and {"name": person.guardian.name, "relation": person.guardian.relation.value},
            "consent": {
                "version": consent.version,
                "language": consent.language,
                "method": consent.method.value,
                "given_at": consent.given_at.isoformat(),
                "witness": consent.witness,
            },
            "abha_address_choice": self.abha_address_choice,
            "language": person.language,
            "household": self.household,
            "camp": self.camp,
            "aadhaar_last4": self.aadhaar_last4,
            "capture_session": self.capture_session,
        })  # fmt: skip

    @classmethod
    def from_body(cls, body: Mapping[str, Any], *, record_id: str, version: int) -> Enrollment:
        """Read a body that has passed the ``enrollment-1`` schema."""
        consent = body["consent"]
        return cls(
            id=record_id,
            version=version,
            person=person_from(body),
            consent=Consent(
                version=consent["version"],
                language=consent["language"],
                method=ConsentMethod(consent["method"]),
                given_at=datetime.fromisoformat(consent["given_at"]),
                witness=consent.get("witness"),
            ),
            aadhaar_last4=body.get("aadhaar_last4"),
            capture_session=body.get("capture_session"),
            abha_address_choice=body.get("abha_address_choice"),
            household=body.get("household"),
            camp=body.get("camp"),
        )


def person_from(body: Mapping[str, Any]) -> Person:
    """Read the person out of a body or intake row that has passed its schema."""
    guardian = body.get("guardian")
    return Person(
        name=body["name"],
        name_native=body.get("name_native"),
        gender=Gender(body["gender"]),
        birth=BirthDate(
            year=body["birth"]["year"],
            month=body["birth"].get("month"),
            day=body["birth"].get("day"),
        ),
        mobile=body.get("mobile"),
        mobile_owner=MobileOwner(body["mobile_owner"]),
        address=Address(
            line=body["address"]["line"],
            village=body["address"]["village"],
            pincode=body["address"]["pincode"],
            state=body["address"]["state"],
            district=body["address"]["district"],
        ),
        guardian=guardian
        and Guardian(name=guardian["name"], relation=Relation(guardian["relation"])),
        language=body["language"],
    )


def without_nulls(value: Mapping[str, Any]) -> dict[str, Any]:
    """Drop keys whose value is ``None``, at every depth."""
    return {
        key: without_nulls(inner) if isinstance(inner, Mapping) else inner
        for key, inner in value.items()
        if inner is not None
    }
