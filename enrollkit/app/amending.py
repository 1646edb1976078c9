"""The next version of a person: saved, queued and noted in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from enrollkit.app.desk import Desk
from enrollkit.app.surroundings import likeness
from enrollkit.domain.enrollment import CORRECTABLE, Enrollment, State
from enrollkit.domain.matching import match_key
from enrollkit.domain.problem import Problem
from enrollkit.errors import KitError, RecordNotFound
from enrollkit.locale import _
from enrollkit.store.audit import append_audit
from enrollkit.store.database import Tx
from enrollkit.store.drafts import Draft, SealedNumber
from enrollkit.store.enrollments import StoredEnrollment, amend_enrollment, get_enrollment
from enrollkit.store.operations import append_operation
from enrollkit.store.other_values import drop_other_values
from enrollkit.store.versions import next_base, number_to_send
from sync.protocol import OperationKind

__all__ = [
    "CorrectionImpossible",
    "NumberIssued",
    "PersonKnown",
    "PersonWithdrawn",
    "amend",
    "find_saved",
    "kept_number",
    "number_problem",
    "require_correctable",
]


class CorrectionImpossible(KitError):
    """This person cannot be corrected on this laptop any more. Nothing was changed. Call the
    office.
    """

    code = "correction-impossible"
    exit_code = 46


class NumberIssued(CorrectionImpossible):
    """The ABHA number is issued, so the person is corrected at the office and at ABDM, not here.
    Nothing was changed. Note what is wrong and call the office.
    """

    code = "number-issued"
    exit_code = 46


class PersonWithdrawn(CorrectionImpossible):
    """This person took the consent back, so nothing more is written about them. Nothing was
    changed. If they want to take part again, enroll them anew.
    """

    code = "person-withdrawn"
    exit_code = 46


class PersonKnown(CorrectionImpossible):
    """The office has this person under another enrollment; that one counts. Nothing was changed.
    Call the office to correct it.
    """

    code = "person-known"
    exit_code = 46


_NUMBER_REFUSED: Final = "abdm:aadhaar"
"""The number itself is wrong, so that sending it once more is of no use."""

_WHY_NOT: Final = {
    State.ISSUED: NumberIssued,
    State.WITHDRAWN: PersonWithdrawn,
    State.DUPLICATE: PersonKnown,
}


def require_correctable(stored: StoredEnrollment) -> None:
    """Raise the reason for which a record, as it stands, cannot get a next version here."""
    if stored.state is State.DUPLICATE and stored.abha_number is not None:
        raise NumberIssued
    if stored.state not in CORRECTABLE:
        raise _WHY_NOT.get(stored.state, CorrectionImpossible)


def find_saved(tx: Tx, record: str) -> StoredEnrollment | None:
    """Give the enrollment that a draft corrects; ``None`` for the draft of somebody new."""
    try:
        return get_enrollment(tx, record)
    except RecordNotFound:
        return None


def kept_number(stored: StoredEnrollment) -> SealedNumber | None:
    """Give the number of the newest version; its seal is empty where only the office has it."""
    one = stored.enrollment
    if one.aadhaar_last4 is None or one.capture_session is None:
        return None
    return SealedNumber(
        sealed=stored.sealed or b"", last4=one.aadhaar_last4, session=one.capture_session
    )


def number_problem(tx: Tx, stored: StoredEnrollment, draft: Draft) -> list[Problem]:
    """Say that the Aadhaar number has to be typed again, if it has to.

    So it is when the office blames it, or when the version it was sealed for was refused or
    overtaken: a seal is bound to one version of one record.
    """
    if draft.number is None:
        return []
    base = _base(tx, stored, draft)
    try:
        if _is_kept(stored, draft):
            again = number_to_send(tx, stored, base)
            code = stored.reason_code or ""
            blamed = code.startswith("aadhaar:")
            fits = code != _NUMBER_REFUSED and (again is not None or not blamed)
        else:
            fits = base + 1 == draft.version
    except ValueError:
        fits = False
    if fits:
        return []
    return [
        Problem(
            pointer="/aadhaar",
            code="aadhaar-again",
            text=_("Type the Aadhaar number once more, or take it away with Delete."),
        )
    ]


def amend(
    tx: Tx, desk: Desk, stored: StoredEnrollment, draft: Draft, row: Mapping[str, Any]
) -> Enrollment:
    """Write the next version, its operation and the audit; the caller's transaction holds all.

    A record of which the server refused every version so far is submitted anew: it has none.
    """
    require_correctable(stored)
    record, number = stored.enrollment.id, draft.number
    base = _base(tx, stored, draft)
    kept = _is_kept(stored, draft)
    body = {key: value for key, value in row.items() if key != "aadhaar"}
    if number is not None:
        body |= {"aadhaar_last4": number.last4, "capture_session": number.session}
    enrollment = Enrollment.from_body(body, record_id=record, version=stored.enrollment.version + 1)
    typed = number.sealed if number else None
    payload = number_to_send(tx, stored, base) if kept else typed
    now, slot = desk.system.now(), desk.operator.slot
    amend_enrollment(
        tx,
        enrollment,
        sealed=typed or None,
        match_key=match_key(likeness(enrollment)),
        saved_at=now,
        operator=slot,
    )
    drop_other_values(tx, record)
    append_operation(
        tx,
        kind=OperationKind.ENROLLMENT_AMEND if base else OperationKind.ENROLLMENT_SUBMIT,
        record=record,
        base_version=base,
        body=enrollment.body(),
        payload=payload,
        operator=slot,
        captured=now,
    )
    append_audit(tx, at=now, operator=slot, action="enrollment.amend", record=record)
    return enrollment


def _base(tx: Tx, stored: StoredEnrollment, draft: Draft) -> int:
    """Give the server's version that the draft was made from, as far as the server got it.

    A version of the office that came while somebody was typing does not count: it was not seen.
    """
    seen, there = draft.version - 1, next_base(tx, stored)
    return there if seen == 0 or there < seen else seen


def _is_kept(stored: StoredEnrollment, draft: Draft) -> bool:
    return draft.number is not None and draft.number == kept_number(stored)
