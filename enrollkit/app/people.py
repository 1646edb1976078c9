"""Finding people on this laptop, and reading one person's page."""

from __future__ import annotations

from typing import Any

from enrollkit.app.amending import CorrectionImpossible, require_correctable
from enrollkit.app.desk import Desk
from enrollkit.app.reason_words import reason_words
from enrollkit.app.reasons import conflicts_of, link_reason, reason_of
from enrollkit.app.results import Call, Event, LinkRow, PersonPage, PersonRow, Reason
from enrollkit.app.words import event_words
from enrollkit.domain.identifiers import is_practice_abha
from enrollkit.store.enrollments import StoredEnrollment, find_enrollment, list_calls
from enrollkit.store.events import NOBODY, history, last_time
from enrollkit.store.links import StoredLink, links_of
from enrollkit.store.operators import list_operators
from enrollkit.store.search import FoundPerson, search_people

__all__ = ["People"]


class People:
    """The people enrolled here."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def search(self, text: str, limit: int = 50) -> list[PersonRow]:
        """Give the people who fit a piece of a name, village or number; the newest for no text."""
        found = self._desk.database.read(lambda tx: search_people(tx, text, limit=limit))
        return [self._row(person) for person in found]

    def page(self, ident: str) -> PersonPage:
        """Give all that is known of one person, by record id, provisional or ABHA number.

        ``RecordNotFound`` when nobody here has it.
        """
        return self._desk.database.read(lambda tx: self._page(tx, ident))

    def calls(self) -> list[Call]:
        """Give everybody who has to be called; who can be called already comes first."""
        return self._desk.database.read(self._calls)

    def _calls(self, tx: Any) -> list[Call]:
        return [self._call(tx, stored) for stored in list_calls(tx)]

    def _call(self, tx: Any, stored: StoredEnrollment) -> Call:
        person = stored.enrollment.person
        since = last_time(tx, stored.enrollment.id, what="needs-person")
        return Call(
            id=stored.enrollment.id,
            name=person.name,
            provisional=stored.provisional,
            mobile=person.mobile,
            village=person.address.village,
            reason=reason_of(stored, self._desk.places) or _unnamed(),
            since=stored.saved_at if since is None else since,
            call_at=stored.call_at,
        )

    def _row(self, found: FoundPerson) -> PersonRow:
        person = found.person
        return PersonRow(
            id=found.id,
            name=person.name,
            name_native=person.name_native,
            gender=person.gender.value,
            birth=person.birth.text(),
            age=person.birth.age_said(self._desk.today()),
            village=person.address.village,
            state=found.state,
            provisional=found.provisional,
            abha_number=found.abha_number,
        )

    def _page(self, tx: Any, ident: str) -> PersonPage:
        stored = find_enrollment(tx, ident)
        names = {person.slot: person.name for person in list_operators(tx, ended=True)}
        return PersonPage(
            enrollment=stored.enrollment,
            state=stored.state,
            version=stored.enrollment.version,
            provisional=stored.provisional,
            abha_number=stored.abha_number,
            abha_address=stored.abha_address,
            reason=reason_of(stored, self._desk.places),
            history=tuple(
                Event(
                    at=event.at,
                    what=event_words(event.what, has_number=stored.abha_number is not None),
                    who=None if event.operator == NOBODY else names.get(event.operator),
                )
                for event in history(tx, stored.enrollment.id)
            ),
            links=tuple(_link(link) for link in links_of(tx, stored.enrollment.id)),
            held=stored.held,
            conflicts=tuple(conflicts_of(tx, stored, self._desk.places)),
            call_at=stored.call_at,
            practice=self._desk.programme.practice
            or is_practice_abha(stored.abha_number, stored.abha_address),
            why_not=_why_not(stored),
        )


def _why_not(stored: StoredEnrollment) -> str:
    try:
        require_correctable(stored)
    except CorrectionImpossible as error:
        return error.text
    return ""


def _unnamed() -> Reason:
    return Reason(code="needs-person", pointer="", text=reason_words("needs-person"))


def _link(stored: StoredLink) -> LinkRow:
    link = stored.link
    return LinkRow(
        id=link.id,
        hi_type=link.hi_type.value,
        display=link.display,
        date=link.date,
        facility=link.facility,
        reference=link.reference,
        state=stored.state,
        held=stored.held,
        reason=link_reason(stored),
    )
