"""Half-finished enrollments: saved at every field that is left, so that a power cut costs one.

A draft's id is the record id of the enrollment it becomes. The Aadhaar number is sealed at its
field, bound to that id, and never part of the draft's row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from enrollkit.app.amending import find_saved
from enrollkit.app.desk import Desk
from enrollkit.app.outgoing import seal_number
from enrollkit.app.results import DraftState
from enrollkit.domain.enrollment import FIRST_VERSION
from enrollkit.domain.problem import Problem
from enrollkit.locale import _
from enrollkit.store.database import Tx
from enrollkit.store.drafts import (
    Draft,
    SealedNumber,
    delete_draft,
    get_draft,
    keep_draft,
    keep_sealed_number,
    list_drafts,
)
from schemas.formats import is_aadhaar

__all__ = ["Drafts", "draft_state"]


class Drafts:
    """The drafts of this laptop."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def start(self, row: Mapping[str, Any] | None = None) -> DraftState:
        """Begin a draft, empty or with what is known already (the next of a household)."""
        draft = Draft(
            id=self._desk.system.token(16).hex(),
            version=FIRST_VERSION,
            row=dict(row or {}),
            step="",
            updated=self._desk.system.now(),
            operator=self._desk.operator.slot,
        )
        self._desk.database.write(lambda tx: keep_draft(tx, draft))
        return _state(draft, None)

    def save(self, draft_id: str, row: Mapping[str, Any], step: str) -> DraftState:
        """Keep what was typed so far; on disk when this returns."""

        def work(tx: Any) -> DraftState:
            draft = replace(
                get_draft(tx, draft_id), row=dict(row), step=step, updated=self._desk.system.now()
            )
            keep_draft(tx, draft)
            return draft_state(tx, draft)

        return self._desk.database.write(work)

    def load(self, draft_id: str) -> DraftState:
        """Read a draft; ``RecordNotFound`` when there is none."""
        return self._desk.database.read(lambda tx: draft_state(tx, get_draft(tx, draft_id)))

    def list(self) -> list[DraftState]:
        """Give all drafts, the newest first."""
        return self._desk.database.read(
            lambda tx: [draft_state(tx, draft) for draft in list_drafts(tx)]
        )

    def discard(self, draft_id: str) -> DraftState:
        """Put a draft away; hand the result to :meth:`restore` to have it back."""

        def work(tx: Any) -> DraftState:
            draft = get_draft(tx, draft_id)
            delete_draft(tx, draft_id)
            return draft_state(tx, draft)

        return self._desk.database.write(work)

    def restore(self, draft: DraftState) -> None:
        """Bring back what :meth:`discard` put away."""
        number = None
        if draft.sealed is not None and draft.aadhaar_last4 and draft.capture_session:
            number = SealedNumber(
                sealed=draft.sealed, last4=draft.aadhaar_last4, session=draft.capture_session
            )
        kept = Draft(
            id=draft.id,
            version=draft.version,
            row=dict(draft.row),
            step=draft.step,
            number=number,
            updated=draft.updated_at,
            operator=self._desk.operator.slot,
            source=draft.source,
        )
        self._desk.database.write(lambda tx: keep_draft(tx, kept))

    def seal_aadhaar(self, draft_id: str, number: str) -> str | Problem:
        """Seal the number at once and give its last four digits, or say what is wrong with it."""
        digits = "".join(number.split()).replace("-", "")
        if not is_aadhaar(digits):
            return Problem(
                pointer="/aadhaar",
                code="format:aadhaar",
                text=_("This is no Aadhaar number: 12 digits, as on the card."),
            )
        desk = self._desk

        def work(tx: Any) -> None:
            version = get_draft(tx, draft_id).version
            sealed = seal_number(tx, desk, digits, draft_id, version)
            keep_sealed_number(tx, draft_id, sealed, at=desk.system.now())

        desk.database.write(work)
        return digits[-4:]

    def clear_aadhaar(self, draft_id: str) -> None:
        """Take the sealed number out of a draft again."""
        now = self._desk.system.now()
        self._desk.database.write(lambda tx: keep_sealed_number(tx, draft_id, None, at=now))
        self._desk.capture.forget(draft_id)


def draft_state(tx: Tx, draft: Draft) -> DraftState:
    """Give a draft for a screen; one with the id of a saved person is a correction of them."""
    saved = find_saved(tx, draft.id)
    return _state(draft, saved.enrollment.person.name if saved else None)


def _state(draft: Draft, corrects: str | None) -> DraftState:
    return DraftState(
        id=draft.id,
        step=draft.step,
        row=draft.row,
        aadhaar_last4=draft.number.last4 if draft.number else None,
        updated_at=draft.updated,
        corrects=corrects,
        version=draft.version,
        sealed=draft.number.sealed if draft.number else None,
        capture_session=draft.number.session if draft.number else None,
        source=draft.source,
    )
