"""Putting right what was saved: corrections, conflicts with the office, consent taken back."""

from __future__ import annotations

from typing import Any

from enrollkit.app.amending import kept_number, require_correctable
from enrollkit.app.desk import Desk
from enrollkit.app.drafts import draft_state
from enrollkit.app.reasons import conflicts_of, list_returned
from enrollkit.app.results import DraftState, OtherValue, Returned
from enrollkit.domain.enrollment import State
from enrollkit.domain.record_link import LinkState
from enrollkit.errors import RecordNotFound
from enrollkit.store.audit import append_audit
from enrollkit.store.database import Tx
from enrollkit.store.drafts import Draft, delete_draft, get_draft, keep_draft
from enrollkit.store.enrollments import get_enrollment, set_state
from enrollkit.store.events import note_event
from enrollkit.store.links import free_reference, get_link, set_link_state
from enrollkit.store.operations import append_operation
from enrollkit.store.other_values import drop_other_values
from enrollkit.store.versions import next_base
from sync.protocol import OperationKind

__all__ = ["Corrections"]


class Corrections:
    """What can be done about people who are saved already."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def returned(self) -> list[Returned]:
        """Give everybody who came home for correction, then whom the office holds back."""
        return self._desk.database.read(lambda tx: list_returned(tx, self._desk.places))

    def conflicts(self, record: str) -> list[OtherValue]:
        """Give the fields of a person in which this laptop and the office both wrote."""
        return self._desk.database.read(
            lambda tx: conflicts_of(tx, get_enrollment(tx, record), self._desk.places)
        )

    def start(self, record: str) -> DraftState:
        """Begin a correction: a draft of the next version, filled with what is saved.

        One that was left half-way goes on. ``CorrectionImpossible`` says why it cannot be;
        :meth:`enrollkit.app.enrolling.Enrolling.submit_draft` saves it.
        """
        return self._desk.database.write(lambda tx: self._start(tx, record))

    def withdraw(self, record: str, reason: str | None = None) -> None:
        """Take a person's consent back, at once and for ever; again changes nothing.

        ``reason`` is a code (``[a-z0-9:_-]``), never words about the person.
        """
        self._desk.database.write(lambda tx: self._withdraw(tx, record, reason))

    def remove_link(self, link: str, reason: str | None = None) -> None:
        """Take a record link away; the record itself stays at its facility. Again: no change."""
        self._desk.database.write(lambda tx: self._remove_link(tx, link, reason))

    def _start(self, tx: Tx, record: str) -> DraftState:
        stored = get_enrollment(tx, record)
        require_correctable(stored)
        try:
            return draft_state(tx, get_draft(tx, record))
        except RecordNotFound:
            pass
        own = {"aadhaar_last4", "capture_session"}
        draft = Draft(
            id=record,
            version=next_base(tx, stored) + 1,
            row={key: value for key, value in stored.enrollment.body().items() if key not in own},
            step="",
            number=kept_number(stored),
            updated=self._desk.system.now(),
            operator=self._desk.operator.slot,
        )
        keep_draft(tx, draft)
        return draft_state(tx, draft)

    def _withdraw(self, tx: Tx, record: str, reason: str | None) -> None:
        stored = get_enrollment(tx, record)
        if stored.state is State.WITHDRAWN:
            return
        now, slot = self._desk.system.now(), self._desk.operator.slot
        base = next_base(tx, stored)
        set_state(tx, record, State.WITHDRAWN, at=now, what="withdrawn", operator=slot)
        delete_draft(tx, record)
        drop_other_values(tx, record)
        self._queue(tx, OperationKind.ENROLLMENT_WITHDRAW, record, base, _told(reason))
        append_audit(tx, at=now, operator=slot, action="enrollment.withdraw", record=record)
        self._desk.capture.forget(record)

    def _remove_link(self, tx: Tx, link_id: str, reason: str | None) -> None:
        stored = get_link(tx, link_id)
        if stored.state is LinkState.REMOVED:
            return
        now, slot = self._desk.system.now(), self._desk.operator.slot
        person = stored.link.enrollment
        set_link_state(tx, link_id, LinkState.REMOVED, at=now, what="removed", operator=slot)
        free_reference(tx, link_id)
        note_event(tx, person, at=now, what="link-removed", operator=slot, detail=link_id)
        body = {"enrollment": person, **_told(reason)}
        self._queue(tx, OperationKind.LINK_REMOVE, link_id, 0, body)
        append_audit(tx, at=now, operator=slot, action="link.remove", record=link_id)

    def _queue(
        self, tx: Tx, kind: OperationKind, record: str, base: int, body: dict[str, Any]
    ) -> None:
        append_operation(
            tx,
            kind=kind,
            record=record,
            base_version=base,
            body=body,
            payload=None,
            operator=self._desk.operator.slot,
            captured=self._desk.system.now(),
        )


def _told(reason: str | None) -> dict[str, Any]:
    return {} if reason is None else {"reason": reason}
