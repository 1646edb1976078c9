"""Checking and saving people: from a draft, from a row, from a file. One person, one transaction.

The checks that look at other people (mobile used up, here already) run inside the transaction that
saves, so that two windows of one laptop cannot both let the seventh person through.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from enrollkit.app.amending import amend, find_saved, number_problem
from enrollkit.app.desk import Desk
from enrollkit.app.outgoing import queue_enrollment, seal_number
from enrollkit.app.results import Refused, RowResult, RowSource, Saved
from enrollkit.app.row_files import FileRow, read_rows
from enrollkit.app.surroundings import Number, likeness, number_in, surroundings, typed_number
from enrollkit.domain.enrollment import FIRST_VERSION, Enrollment
from enrollkit.domain.foresight import foresee, foreseen_call
from enrollkit.domain.intake import normalise
from enrollkit.domain.matching import match_key
from enrollkit.domain.problem import Problem, Severity
from enrollkit.domain.rules import check, stands_in_the_way
from enrollkit.locale import _
from enrollkit.store.audit import append_audit
from enrollkit.store.drafts import (
    Draft,
    SealedNumber,
    delete_draft,
    find_draft_by_source,
    get_draft,
    keep_draft,
)
from enrollkit.store.enrollments import Source, find_by_source, insert_enrollment

__all__ = ["Enrolling"]

_REVIEW_STEP = "review"


class Enrolling:
    """Saving people on this laptop."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def check(self, row: Mapping[str, Any], draft_id: str | None = None) -> list[Problem]:
        """Give every problem of a row at once, notes included; nothing is saved."""
        tidied, notes = normalise(row)

        def work(tx: Any) -> list[Problem]:
            if draft_id is not None:
                return self._check_draft(tx, get_draft(tx, draft_id), tidied)
            around = surroundings(tx, self._desk, None, typed_number(tidied))
            return [*check(tidied, around), *foresee(tidied, around)]

        return [*self._desk.database.read(work), *notes]

    def submit_draft(
        self, draft_id: str, *, looked_at: frozenset[str] = frozenset()
    ) -> Saved | Refused:
        """Save a draft, or give every problem; the draft goes only when saved.

        A draft with the id of a saved person becomes that person's next version;
        ``CorrectionImpossible`` when they moved on meanwhile.

        ``looked_at`` holds the codes of review problems that the operator has looked at.
        """
        return self._desk.database.write(lambda tx: self._submit_draft(tx, draft_id, looked_at))

    def submit_row(
        self,
        row: Mapping[str, Any],
        *,
        source: RowSource | None = None,
        looked_at: frozenset[str] = frozenset(),
    ) -> RowResult:
        """Save one intake row. The same row again gives the same person, not a second one.

        A row that a person has to look at is kept as a draft, once.
        """
        place = source or RowSource(name="", row=1)
        tidied, notes = normalise(row)
        return self._desk.database.write(
            lambda tx: self._submit_row(tx, tidied, notes, place, looked_at)
        )

    def submit_file(self, path: Path) -> Iterator[RowResult]:
        """Save every row of a file; each is on disk when its result is given."""
        for file_row in read_rows(path):
            yield self._submit_file_row(file_row, path.name)

    def _submit_file_row(self, file_row: FileRow, name: str) -> RowResult:
        if file_row.value is None:
            problems = (file_row.problem,) if file_row.problem else ()
            return RowResult(row=file_row.number, ok=False, problems=problems)
        return self.submit_row(file_row.value, source=RowSource(name=name, row=file_row.number))

    def _submit_draft(self, tx: Any, draft_id: str, looked_at: frozenset[str]) -> Saved | Refused:
        draft = get_draft(tx, draft_id)
        tidied, _notes = normalise(draft.row)
        problems = self._check_draft(tx, draft, tidied)
        if stands_in_the_way(problems, looked_at):
            return Refused(problems=tuple(problems))
        saved = find_saved(tx, draft_id)
        if saved is None:
            enrollment = self._save(tx, draft_id, tidied, number_in(draft), draft.source)
        else:
            enrollment = amend(tx, self._desk, saved, draft, tidied)
        delete_draft(tx, draft_id)
        return Saved(
            id=draft_id,
            provisional=enrollment.provisional,
            name=enrollment.person.name,
            call=foreseen_call(problems),
        )

    def _check_draft(self, tx: Any, draft: Draft, row: Mapping[str, Any]) -> list[Problem]:
        around = surroundings(tx, self._desk, draft.id, number_in(draft))
        problems = [*check(row, around), *foresee(row, around)]
        saved = find_saved(tx, draft.id)
        return problems if saved is None else [*number_problem(tx, saved, draft), *problems]

    def _submit_row(
        self,
        tx: Any,
        row: dict[str, Any],
        notes: list[Problem],
        place: RowSource,
        looked_at: frozenset[str],
    ) -> RowResult:
        source = Source(name=place.name, row=place.row, digest=_digest(row))
        before = find_by_source(tx, source.digest)
        if before is not None:
            return RowResult(
                row=place.row, ok=True, id=before.enrollment.id,
                provisional=before.provisional, already=True,
            )  # fmt: skip
        number = typed_number(row)
        around = surroundings(tx, self._desk, None, number)
        problems = [*check(row, around), *foresee(row, around)]
        waiting = find_draft_by_source(tx, source.digest)
        if waiting is not None and not stands_in_the_way(problems, looked_at):
            # What was unusual may be forgotten by now (an Aadhaar number is, at lock); the draft
            # is there all the same, and saving the row beside it would make two of one person.
            problems = [*problems, _waits_for_a_look()]
        if stands_in_the_way(problems, looked_at):
            kept = (
                waiting.id if waiting else self._keep_for_review(tx, row, number, source, problems)
            )
            return RowResult(
                row=place.row,
                ok=False,
                draft=kept,
                problems=tuple(p for p in problems if p.severity is not Severity.NOTE),
                notes=(*(p for p in problems if p.severity is Severity.NOTE), *notes),
            )
        record = self._desk.system.token(16).hex()
        enrollment = self._save(tx, record, row, number, source)
        return RowResult(
            row=place.row,
            ok=True,
            id=record,
            provisional=enrollment.provisional,
            notes=(*problems, *notes),
        )

    def _save(
        self,
        tx: Any,
        record: str,
        row: Mapping[str, Any],
        number: Number | None,
        source: Source | None,
    ) -> Enrollment:
        """Write enrollment, operation and audit; the caller's transaction holds them together."""
        desk = self._desk
        sealed = _sealed(tx, desk, record, number)
        body = {key: value for key, value in row.items() if key != "aadhaar"}
        if sealed is not None:
            body |= {"aadhaar_last4": sealed.last4, "capture_session": sealed.session}
        enrollment = Enrollment.from_body(body, record_id=record, version=FIRST_VERSION)
        now = desk.system.now()
        insert_enrollment(
            tx,
            enrollment,
            sealed=sealed.sealed if sealed else None,
            match_key=match_key(likeness(enrollment)),
            saved_at=now,
            operator=desk.operator.slot,
            source=source,
        )
        queue_enrollment(tx, desk, enrollment, sealed.sealed if sealed else None)
        append_audit(
            tx, at=now, operator=desk.operator.slot, action="enrollment.submit", record=record
        )
        return enrollment

    def _keep_for_review(
        self,
        tx: Any,
        row: Mapping[str, Any],
        number: Number | None,
        source: Source,
        problems: list[Problem],
    ) -> str | None:
        """Keep as a draft what only needs a person's look; what is wrong in itself is not kept."""
        if any(problem.severity is Severity.REFUSE for problem in problems):
            return None
        record = self._desk.system.token(16).hex()
        known = {key: value for key, value in row.items() if key != "aadhaar"}
        draft = Draft(
            id=record,
            version=FIRST_VERSION,
            row=known,
            step=_REVIEW_STEP,
            number=_sealed(tx, self._desk, record, number),
            updated=self._desk.system.now(),
            operator=self._desk.operator.slot,
            source=source,
        )
        keep_draft(tx, draft)
        return record


def _sealed(tx: Any, desk: Desk, record: str, number: Number | None) -> SealedNumber | None:
    """Give a number sealed for a record: as its draft has it, or sealed now as it was typed."""
    if number is None or number.typed is None:
        return number.sealed if number else None
    return seal_number(tx, desk, number.typed, record)


def _waits_for_a_look() -> Problem:
    return Problem(
        pointer="",
        code="draft-waiting",
        text=_("This row waits in the app for somebody to look at it."),
        severity=Severity.REVIEW,
    )


def _digest(row: Mapping[str, Any]) -> str:
    """Tell the same row again, by everything in it but the Aadhaar number.

    Of that only the last four digits count, which are kept anyway: a digest of the whole number
    could be tried out.
    """
    known = dict(row)
    typed = known.pop("aadhaar", None)
    if isinstance(typed, str):
        known["aadhaar_last4"] = typed[-4:]
    text = json.dumps(known, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
