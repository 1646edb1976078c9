"""Why somebody came home: the field, the words, the value blamed, and what the office has."""

from __future__ import annotations

from enrollkit.app.reason_words import reason_words
from enrollkit.app.results import OtherValue, Reason, Returned
from enrollkit.app.values import form_pointer, other_value, value_text
from enrollkit.domain.enrollment import CORRECTABLE
from enrollkit.reference.places import Places
from enrollkit.store.database import Tx
from enrollkit.store.enrollments import StoredEnrollment, list_unsettled
from enrollkit.store.links import StoredLink, list_unsettled_links
from enrollkit.store.other_values import other_values
from schemas.pointers import value_at

__all__ = ["conflicts_of", "link_reason", "list_returned", "reason_of"]


def list_returned(tx: Tx, places: Places) -> list[Returned]:
    """Give everybody who came home, then links that did, then what the office holds back."""
    people = [_returned(tx, stored, places) for stored in list_unsettled(tx)]
    links = [_returned_link(stored, name) for stored, name in list_unsettled_links(tx)]
    return sorted([*people, *links], key=lambda one: one.held)


def reason_of(stored: StoredEnrollment, places: Places) -> Reason | None:
    """Say why a person came home, or why the office holds them back.

    Of a field that is empty, sealed or withheld no value is told.
    """
    if stored.reason_code is None:
        return None
    pointer = stored.reason_pointer or ""
    field = form_pointer(pointer)
    body = stored.enrollment.body()
    blamed = value_at(body, pointer if field == "/aadhaar" else field) if pointer else None
    return Reason(
        code=stored.reason_code,
        pointer=field,
        text=reason_words(stored.reason_code),
        value=value_text(field, blamed, places) if blamed else "",
    )


def link_reason(stored: StoredLink) -> Reason | None:
    """Say why a record link came home, or why the office holds it back."""
    if stored.reason_code is None:
        return None
    return Reason(
        code=stored.reason_code,
        pointer=stored.reason_pointer or "",
        text=reason_words(stored.reason_code),
    )


def conflicts_of(tx: Tx, stored: StoredEnrollment, places: Places) -> list[OtherValue]:
    """Give the fields in which this laptop and the office both wrote."""
    body = stored.enrollment.body()
    return [
        other_value(body, pointer, theirs, places)
        for pointer, theirs in other_values(tx, stored.enrollment.id).items()
    ]


def _returned(tx: Tx, stored: StoredEnrollment, places: Places) -> Returned:
    return Returned(
        id=stored.enrollment.id,
        name=stored.enrollment.person.name,
        state=stored.state.value,
        held=stored.held,
        reason=reason_of(stored, places) or _unnamed(),
        conflicts=tuple(conflicts_of(tx, stored, places)),
        can_correct=stored.state in CORRECTABLE,
    )


def _returned_link(stored: StoredLink, name: str) -> Returned:
    return Returned(
        id=stored.link.enrollment,
        name=name,
        state=stored.state.value,
        held=stored.held,
        reason=link_reason(stored) or _unnamed(),
        record=stored.link.display,
        can_correct=False,
    )


def _unnamed() -> Reason:
    return Reason(code="unspecified", pointer="", text=reason_words("unspecified"))
