"""Cards for people: signed by this laptop, laid out, written to a file, noted in the audit.

Until there is an ABHA number the card shows the provisional one, and says that it is none. With a
number it shows that, the ABHA address and two codes: the one of NHA's cards, which desks scan, and
ours, which is signed. The provisional number stays in small print, for papers of the camp name it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enrollkit.app.desk import Desk
from enrollkit.app.paper import PAPER
from enrollkit.app.results import Printed
from enrollkit.app.system import local_time
from enrollkit.cards.abha_code import AbhaFacts, AbhaSpelling, write_abha_code
from enrollkit.cards.claim169 import encode
from enrollkit.cards.claims import PRACTICE, CardClaims, language_code, status_of
from enrollkit.cards.codes import terminal_code
from enrollkit.domain.identifiers import is_practice_abha
from enrollkit.domain.person import Gender, Person, Relation
from enrollkit.errors import RecordNotFound
from enrollkit.locale import _
from enrollkit.store.audit import append_audit
from enrollkit.store.enrollments import StoredEnrollment, all_ids, find_enrollment
from enrollkit.store.events import last_time, note_event

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
        spelling: str = AbhaSpelling.CARD,
    ) -> Printed:
        """Write the cards of the named people, or of everybody, to a ``.pdf`` or ``.png``.

        ``spelling`` is for desks whose scanner knows the ABHA app's code alone. ``RecordNotFound``
        for a number that nobody has, or when there is nobody at all.
        """
        from enrollkit.cards.render import render_cards  # noqa: PLC0415 - fonts take a second

        people = self._desk.database.read(lambda tx: _find(tx, idents))
        if not people:
            raise RecordNotFound("nobody is enrolled here")
        faces = self._desk.database.read(
            lambda tx: [self._face(tx, one, AbhaSpelling(spelling)) for one in people]
        )
        with PAPER:
            files = render_cards(faces, layout, out, progress=on_progress)
        self._desk.database.write(lambda tx: self._note(tx, people))
        return Printed(cards=len(people), files=tuple(files))

    def code(self, ident: str) -> str:
        """Give the signed text of one person's card."""
        return self._desk.database.read(lambda tx: self._code(tx, find_enrollment(tx, ident)))

    def abha_code(self, ident: str, *, spelling: str = AbhaSpelling.CARD) -> str:
        """Give the text of the code that hospital desks scan; empty without an ABHA number."""
        stored = self._desk.database.read(lambda tx: find_enrollment(tx, ident))
        return self._abha_code(stored, AbhaSpelling(spelling)) if stored.abha_number else ""

    def provisional_code(self, provisional: str) -> str:
        """Draw a provisional number as a QR code in half blocks, for the terminal."""
        return terminal_code(provisional)

    def _face(self, tx: Any, stored: StoredEnrollment, spelling: AbhaSpelling) -> CardFace:
        from enrollkit.cards.layout import CardFace  # noqa: PLC0415 - fonts take a second

        person, abha = stored.enrollment.person, stored.abha_number
        practice = self._is_practice(stored)
        return CardFace(
            programme=self._desk.programme.name,
            title=_("PRACTICE card") if practice else _("Health camp card"),
            number=abha or stored.provisional,
            number_label=_number_label(issued=abha is not None, practice=practice),
            marker=_marker(issued=abha is not None, practice=practice),
            across=PRACTICE if practice else None,
            abha_code=self._abha_code(stored, spelling) if abha else None,
            address=stored.abha_address if abha else None,
            earlier=stored.provisional if abha else None,
            name=person.name,
            name_native=person.name_native,
            language=person.language,
            born=person.birth.text(),
            gender=gender_words(person.gender),
            place=self._place(person),
            guardian=guardian_line(person),
            issued=f"{local_time(_issued_at(tx, stored)):%d %b %Y}",
            issued_by=self._desk.keys.id,
            code=self._code(tx, stored),
        )

    def _place(self, person: Person) -> tuple[str, ...]:
        places, address = self._desk.places, person.address
        district = places.district_name(address.district) or ""
        state = places.state_name(address.state) or ""
        return (address.village, f"{district}, {state} {address.pincode}".strip(", "))

    def _abha_code(self, stored: StoredEnrollment, spelling: AbhaSpelling) -> str:
        person, places = stored.enrollment.person, self._desk.places
        address = person.address
        facts = AbhaFacts(
            number=stored.abha_number or "",
            handle=stored.abha_address,
            name=person.name,
            gender=person.gender,
            birth=person.birth,
            state_code=address.state,
            district_code=address.district,
            state=places.state_name(address.state),
            district=places.district_name(address.district),
            address=f"{address.line}, {address.village}, {address.pincode}",
            mobile=person.mobile,
        )
        return write_abha_code(facts, spelling)

    def _is_practice(self, stored: StoredEnrollment) -> bool:
        """A number of a sandbox stays one when the programme goes live."""
        known = is_practice_abha(stored.abha_number, stored.abha_address)
        return known or self._desk.programme.practice

    def _code(self, tx: Any, stored: StoredEnrollment) -> str:
        person = stored.enrollment.person
        claims = CardClaims(
            programme=self._desk.programme.name,
            number=stored.abha_number or stored.provisional,
            status=status_of(
                provisional=stored.abha_number is None, practice=self._is_practice(stored)
            ),
            name=person.name,
            birth=person.birth,
            gender=person.gender,
            name_native=person.name_native,
            language_native=language_code(person.language) if person.name_native else None,
            issued_at=_issued_at(tx, stored),
        )
        key = Ed25519PrivateKey.from_private_bytes(self._desk.keys.signing.to_bytes())
        return encode(claims, key)

    def _note(self, tx: Any, people: Sequence[StoredEnrollment]) -> None:
        now, slot = self._desk.system.now(), self._desk.operator.slot
        for stored in people:
            record = stored.enrollment.id
            note_event(tx, record, at=now, what="card-printed", operator=slot)
            append_audit(tx, at=now, operator=slot, action="card.print", record=record)


def _number_label(*, issued: bool, practice: bool) -> str:
    if practice:
        return _("PRACTICE number, not real")
    return _("ABHA number") if issued else _("Provisional number")


def _marker(*, issued: bool, practice: bool) -> str | None:
    """Say in the black band what the card is not."""
    if practice and issued:
        return _("PRACTICE – not a real ABHA number")
    if practice:
        return _("PRACTICE · Provisional – not an ABHA number")
    return None if issued else _("Provisional – not an ABHA number")


def _issued_at(tx: Any, stored: StoredEnrollment) -> int:
    """Give the moment from which the number on the card is: that of saving, or of the news."""
    if stored.abha_number is None:
        return stored.saved_at
    record = stored.enrollment.id
    told = [last_time(tx, record, what=what) for what in ("issued", "duplicate-found")]
    return max((at for at in told if at is not None), default=stored.saved_at)


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
