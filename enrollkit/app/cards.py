"""Cards for people: signed by this laptop, laid out, written to a file, noted in the audit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enrollkit.app.desk import Desk
from enrollkit.app.paper import PAPER
from enrollkit.app.results import Printed
from enrollkit.app.system import local_time
from enrollkit.cards.claim169 import encode
from enrollkit.cards.claims import CardClaims, language_code
from enrollkit.cards.codes import terminal_code
from enrollkit.domain.person import Gender, Person, Relation
from enrollkit.errors import RecordNotFound
from enrollkit.locale import _
from enrollkit.store.audit import append_audit
from enrollkit.store.enrollments import StoredEnrollment, all_ids, find_enrollment
from enrollkit.store.events import note_event

if TYPE_CHECKING:
    from enrollkit.cards.layout import CardFace

__all__ = ["Cards"]


class Cards:
    """Printing for the people of this laptop."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def render(
        self,
        idents: Sequence[str] | None,
        *,
        layout: str,
        out: Path,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Printed:
        """Write the cards of the named people, or of everybody, to a ``.pdf`` or ``.png``.

        ``RecordNotFound`` for a number that nobody has, or when there is nobody at all.
        """
        from enrollkit.cards.render import render_cards  # noqa: PLC0415 - fonts take a second

        people = self._desk.database.read(lambda tx: _find(tx, idents))
        if not people:
            raise RecordNotFound("nobody is enrolled here")
        faces = [self._face(stored) for stored in people]
        with PAPER:
            files = render_cards(faces, layout, out, progress=on_progress)
        self._desk.database.write(lambda tx: self._note(tx, people))
        return Printed(cards=len(people), files=tuple(files))

    def code(self, ident: str) -> str:
        """Give the signed text of one person's card."""
        return self._code(self._desk.database.read(lambda tx: find_enrollment(tx, ident)))

    def provisional_code(self, provisional: str) -> str:
        """Draw a provisional number as a QR code in half blocks, for the terminal."""
        return terminal_code(provisional)

    def _face(self, stored: StoredEnrollment) -> CardFace:
        from enrollkit.cards.layout import CardFace  # noqa: PLC0415 - fonts take a second

        person = stored.enrollment.person
        return CardFace(
            programme=self._desk.programme.name,
            number=stored.provisional,
            name=person.name,
            name_native=person.name_native,
            language=person.language,
            born=person.birth.text(),
            gender=gender_words(person.gender),
            place=self._place(person),
            guardian=guardian_line(person),
            issued=f"{local_time(stored.saved_at):%d %b %Y}",
            issued_by=self._desk.keys.id,
            code=self._code(stored),
        )

    def _place(self, person: Person) -> tuple[str, ...]:
        places, address = self._desk.places, person.address
        district = places.district_name(address.district) or ""
        state = places.state_name(address.state) or ""
        return (address.village, f"{district}, {state} {address.pincode}".strip(", "))

    def _code(self, stored: StoredEnrollment) -> str:
        person = stored.enrollment.person
        claims = CardClaims(
            programme=self._desk.programme.name,
            number=stored.provisional,
            name=person.name,
            birth=person.birth,
            gender=person.gender,
            name_native=person.name_native,
            language_native=language_code(person.language) if person.name_native else None,
            issued_at=stored.saved_at,
        )
        key = Ed25519PrivateKey.from_private_bytes(self._desk.keys.signing.to_bytes())
        return encode(claims, key)

    def _note(self, tx: Any, people: Sequence[StoredEnrollment]) -> None:
        now, slot = self._desk.system.now(), self._desk.operator.slot
        for stored in people:
            record = stored.enrollment.id
            note_event(tx, record, at=now, what="card-printed", operator=slot)
            append_audit(tx, at=now, operator=slot, action="card.print", record=record)


def gender_words(gender: Gender) -> str:
    """Say a gender on a card."""
    return {Gender.MALE: _("Male"), Gender.FEMALE: _("Female"), Gender.OTHER: _("Other")}[gender]


def guardian_line(person: Person) -> str | None:
    """Say on a card who answers for the person: ``Mother: Sunita Devi``."""
    guardian = person.guardian
    if guardian is None:
        return None
    words = {
        Relation.FATHER: _("Father"),
        Relation.MOTHER: _("Mother"),
        Relation.SPOUSE: _("Spouse"),
        Relation.GUARDIAN: _("Guardian"),
    }
    return f"{words[guardian.relation]}: {guardian.name}"


def _find(tx: Any, idents: Sequence[str] | None) -> list[StoredEnrollment]:
    return [find_enrollment(tx, ident) for ident in (all_ids(tx) if idents is None else idents)]
