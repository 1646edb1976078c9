"""Finishing an enrollment while the person is present: a one-time code becomes an ABHA number.

Each method asks the server for one step and gives where it stands then, as the server signed it.
A laptop needs a network for it and nothing else: the person may have been enrolled on another.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace

from enrollkit.app.desk import Desk
from enrollkit.app.incoming import envelope_of
from enrollkit.app.reason_words import reason_words
from enrollkit.app.reasons import reason_of
from enrollkit.app.results import FinishState, Reason
from enrollkit.app.system import local_time
from enrollkit.app.values import form_pointer
from enrollkit.domain.identifiers import approval_code, record_prefix
from enrollkit.errors import RecordNotFound
from enrollkit.store.audit import append_audit
from enrollkit.store.database import Tx
from enrollkit.store.enrollments import StoredEnrollment, find_enrollment
from enrollkit.store.link_facts import note_traffic
from enrollkit.store.news import apply_news
from sync.engine.finishing import ask_finish, make_finish_request
from sync.engine.http import HttpTransport
from sync.errors import DevicePending
from sync.programme import open_programme
from sync.protocol import FeedEntry, FeedKind, FinishAction, FinishAnswer, FinishStage

__all__ = ["Finishing"]

_RECORD_DIGITS = 32
_NONCE_BYTES = 16
_EXISTS = "abdm:exists"
"""What the server says where the number that it gives was the person's before."""
_NO_NUMBER = "person:aadhaar-missing"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Subject:
    """Whom a step is about; ``stored`` is empty on a laptop that does not hold the person."""

    digits: str
    stored: StoredEnrollment | None

    @property
    def record(self) -> str:
        """The whole record id, where this laptop knows it; the server tells it to few."""
        return self.digits if len(self.digits) == _RECORD_DIGITS else ""


class Finishing:
    """One-time code, mobile and ABHA address of one person.

    ``ident`` is a record id, provisional or ABHA number; one that is not of a person on this
    laptop must be the provisional number (of the card), or the record id. ``RecordNotFound`` if it
    is none, ``SyncError`` when no answer came: nothing is lost then, and asking again is safe.

    A state whose stage is ``working`` came after the server had waited for some twenty seconds;
    :meth:`look` waits on. A step that does not fit where it stands changes nothing.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def look(self, ident: str) -> FinishState:
        """Ask where it stands; nothing is sent to anybody."""
        return self._ask(ident, FinishAction.LOOK)

    def send(self, ident: str) -> FinishState:
        """Have a one-time code sent to the mobile that Aadhaar knows; again after a minute."""
        return self._ask(ident, FinishAction.SEND)

    def code(self, ident: str, code: str) -> FinishState:
        """Hand in the code that the person reads out."""
        return self._ask(ident, FinishAction.CODE, code)

    def mobile_send(self, ident: str) -> FinishState:
        """Have a code sent to the mobile that the person gave."""
        return self._ask(ident, FinishAction.MOBILE_SEND)

    def mobile_code(self, ident: str, code: str) -> FinishState:
        """Hand in the code that came to that mobile."""
        return self._ask(ident, FinishAction.MOBILE_CODE, code)

    def skip_mobile(self, ident: str) -> FinishState:
        """Leave that mobile unverified."""
        return self._ask(ident, FinishAction.MOBILE_SKIP)

    def choose_address(self, ident: str, handle: str) -> FinishState:
        """Ask for an ABHA address by its handle, without the part from the ``@`` on."""
        return self._ask(ident, FinishAction.ADDRESS, handle)

    def skip_address(self, ident: str) -> FinishState:
        """Leave it at the address that every ABHA number has."""
        return self._ask(ident, FinishAction.ADDRESS_SKIP)

    def _ask(self, ident: str, action: FinishAction, value: str | None = None) -> FinishState:
        desk = self._desk
        subject = desk.database.read(lambda tx: _subject(tx, ident))
        request = make_finish_request(
            desk.keys.id,
            subject.digits,
            action,
            value=value,
            vault=desk.programme.vault,
            time=desk.system.now(),
            nonce=desk.system.token(_NONCE_BYTES),
        )
        if action is not FinishAction.LOOK:
            record = subject.stored.enrollment.id if subject.stored else ""
            desk.database.write(lambda tx: self._note(tx, action, record))
        with closing(HttpTransport(desk.programme.url)) as road:
            try:
                answer = ask_finish(road, request, envelope_of(desk), sleeper=desk.system)
            except DevicePending as error:
                code = approval_code(desk.keys.signing.public.digest())
                raise DevicePending(error.detail, approval_code=code) from error
            finally:
                self._note_traffic(road)
        if subject.stored is not None and answer.abha_number is not None:
            desk.database.write(lambda tx: self._take_number(tx, answer))
        return self._state(subject, answer)

    def _note(self, tx: Tx, action: FinishAction, record: str) -> None:
        now, slot = self._desk.system.now(), self._desk.operator.slot
        append_audit(tx, at=now, operator=slot, action=f"finish.{action}", record=record)

    def _note_traffic(self, road: HttpTransport) -> None:
        up, down, _requests = road.traffic()
        if up + down:
            day = local_time(self._desk.system.now()).date().isoformat()
            self._desk.database.write(lambda tx: note_traffic(tx, day, up + down))

    def _take_number(self, tx: Tx, answer: FinishAnswer) -> None:
        """Write the number down at once; the same news follows with the next session."""
        stored = find_enrollment(tx, answer.record)
        known = (stored.abha_number, stored.abha_address)
        if known == (answer.abha_number, answer.abha_address or stored.abha_address):
            return
        exists = answer.code == _EXISTS
        body = {"abha_number": answer.abha_number, "abha_address": answer.abha_address}
        entry = FeedEntry(
            seq=1,
            id=bytes(8).hex(),
            kind=FeedKind.ENROLLMENT_DUPLICATE if exists else FeedKind.ABHA_ISSUED,
            at=answer.server_time,
            record=answer.record,
            body={name: text for name, text in body.items() if text is not None},
        )
        apply_news(
            tx,
            entry,
            programme=lambda raw: open_programme(raw, self._desk.programme.signing),
            at=self._desk.system.now(),
        )

    def _state(self, subject: _Subject, answer: FinishAnswer) -> FinishState:
        stored = subject.stored
        if stored is not None:
            answer = _as_known_here(stored, answer)
        return FinishState(
            record=answer.record or subject.record,
            stage=answer.stage.value,
            name=stored.enrollment.person.name if stored else "",
            hint=answer.hint,
            again_in=max(0, answer.again_at - answer.server_time),
            handles=answer.handles,
            abha_number=answer.abha_number,
            abha_address=answer.abha_address,
            reason=self._reason(stored, answer),
        )

    def _reason(self, stored: StoredEnrollment | None, answer: FinishAnswer) -> Reason | None:
        if not answer.code:
            return None
        if stored is not None:
            why = replace(stored, reason_code=answer.code, reason_pointer=answer.pointer)
            return reason_of(why, self._desk.places)
        return Reason(
            code=answer.code,
            pointer=form_pointer(answer.pointer),
            text=reason_words(answer.code),
        )


def _as_known_here(stored: StoredEnrollment, answer: FinishAnswer) -> FinishAnswer:
    """Say at once that no code can go without an Aadhaar number; the server learns it by trying.

    What it learned is over when the number was added since.
    """
    has_number = stored.enrollment.aadhaar_last4 is not None
    if answer.stage is FinishStage.READY and not has_number:
        return replace(answer, stage=FinishStage.REFUSED, code=_NO_NUMBER, pointer="/aadhaar")
    if answer.stage is FinishStage.REFUSED and answer.code == _NO_NUMBER and has_number:
        return replace(answer, stage=FinishStage.READY, code="", pointer="")
    return answer


def _subject(tx: Tx, ident: str) -> _Subject:
    try:
        stored = find_enrollment(tx, ident)
    except RecordNotFound:
        digits = _foreign(ident)
        if digits is None:
            raise
        return _Subject(digits=digits, stored=None)
    return _Subject(digits=stored.enrollment.id, stored=stored)


def _foreign(ident: str) -> str | None:
    """Give what names somebody enrolled on another laptop."""
    typed = ident.strip().lower()
    is_record = len(typed) == _RECORD_DIGITS and all(one in "0123456789abcdef" for one in typed)
    return typed if is_record else record_prefix(typed)
