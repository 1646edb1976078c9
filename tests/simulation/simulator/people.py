"""What operators do at a laptop, each deed in one transaction as the app does it.

Everybody's name and village carry a mark that stands nowhere else: a file or packet in which the
mark is found shows a person to whoever reads it.
"""

from __future__ import annotations

import hashlib
import random
from typing import Any

from enrollkit.app.desk import Desk
from enrollkit.app.outgoing import seal_number
from enrollkit.domain.enrollment import Enrollment, State, may_become
from enrollkit.domain.record_link import LinkState, RecordLink, link_may_become
from enrollkit.store.audit import append_audit
from enrollkit.store.database import Tx
from enrollkit.store.enrollments import (
    amend_enrollment,
    get_enrollment,
    insert_enrollment,
    set_state,
    state_of,
)
from enrollkit.store.links import insert_link, link_state_of, set_link_state
from enrollkit.store.operations import append_operation
from sync.protocol import OperationKind

__all__ = [
    "MARK",
    "add_link",
    "amend",
    "enroll",
    "keep_photo",
    "remove_link",
    "say_something_newer",
    "withdraw",
]

MARK = "Zzyzxmark"
_AADHAAR = "999941057058"
"""A test number of UIDAI."""
_PIECE_BYTES = 4500
"""More than travels with text (enrollkit.store.freezing)."""


def enroll(tx: Tx, desk: Desk, dice: random.Random) -> str:
    """Save a new person and give the record id; some have a sealed Aadhaar number.

    About one in twelve has a body that the server refuses: a laptop of an older version let it
    through. It must step aside and stop nobody.
    """
    record = dice.randbytes(16).hex()
    body = _body(dice)
    sealed = None
    if dice.random() < 0.3:
        number = seal_number(tx, desk, _AADHAAR, record)
        sealed = number.sealed
        body |= {"aadhaar_last4": number.last4, "capture_session": number.session}
    enrollment = Enrollment.from_body(body, record_id=record, version=1)
    now = desk.system.now()
    insert_enrollment(
        tx, enrollment, sealed=sealed, match_key=dice.choice("abc"), saved_at=now, operator=1
    )
    is_wrong = dice.random() < 0.08
    _append(
        tx, desk, OperationKind.ENROLLMENT_SUBMIT, record, enrollment.body(),
        payload=b"not 28 bytes" if is_wrong and sealed else None if is_wrong else sealed,
        base_version=1 if is_wrong and sealed is None else 0,
    )  # fmt: skip
    append_audit(tx, at=now, operator=1, action="enrollment.submit", record=record)
    return record


def amend(tx: Tx, desk: Desk, record: str, dice: random.Random) -> bool:
    """Save the next version of a person; say whether the state allowed it."""
    stored = get_enrollment(tx, record)
    may = stored.state is State.SUBMITTED or may_become(stored.state, State.SUBMITTED)
    if not may:
        return False
    before = stored.enrollment
    body = before.body() | _changes(dice)
    enrollment = Enrollment.from_body(body, record_id=record, version=before.version + 1)
    now = desk.system.now()
    amend_enrollment(
        tx, enrollment, sealed=None, match_key=dice.choice("abc"), saved_at=now, operator=1
    )
    _append(
        tx, desk, OperationKind.ENROLLMENT_AMEND, record, enrollment.body(),
        base_version=before.version,
    )  # fmt: skip
    append_audit(tx, at=now, operator=1, action="enrollment.amend", record=record)
    return True


def withdraw(tx: Tx, desk: Desk, record: str) -> bool:
    """Take a person's consent back; say whether the state allowed it."""
    state = state_of(tx, record)
    if state is None or not may_become(state, State.WITHDRAWN):
        return False
    now = desk.system.now()
    version = get_enrollment(tx, record).enrollment.version
    set_state(tx, record, State.WITHDRAWN, at=now, what="withdrawn", operator=1)
    _append(
        tx, desk, OperationKind.ENROLLMENT_WITHDRAW, record, {"reason": "asked"},
        base_version=version,
    )  # fmt: skip
    append_audit(tx, at=now, operator=1, action="enrollment.withdraw", record=record)
    return True


def add_link(tx: Tx, desk: Desk, record: str, dice: random.Random) -> bool:
    """Link a health record to a person; say whether it was new."""
    body = {
        "enrollment": record,
        "hi_type": "OPConsultation",
        "facility": "IN0812966769",
        "date": "2026-10-26",
        "display": f"Visit {MARK}",
        "reference": f"REF-{dice.randrange(3)}",
    }
    link = RecordLink.from_body(body, record_id=dice.randbytes(16).hex())
    now = desk.system.now()
    if insert_link(tx, link, saved_at=now, operator=1) is not None:
        return False
    _append(tx, desk, OperationKind.LINK_ADD, link.id, link.body())
    return True


def remove_link(tx: Tx, desk: Desk, link: str, record: str) -> bool:
    """Take a link away; say whether the state allowed it."""
    state = link_state_of(tx, link)
    if state is None or not link_may_become(state, LinkState.REMOVED):
        return False
    now = desk.system.now()
    set_link_state(tx, link, LinkState.REMOVED, at=now, what="removed", operator=1)
    _append(tx, desk, OperationKind.LINK_REMOVE, link, {"enrollment": record})
    return True


def keep_photo(tx: Tx, desk: Desk, dice: random.Random) -> None:
    """Queue a photo in two pieces, too large to travel with text."""
    pieces = [dice.randbytes(_PIECE_BYTES) for _ in range(2)]
    sha256 = hashlib.sha256(b"".join(pieces)).hexdigest()
    for index, piece in enumerate(pieces):
        body = {"media_type": "image/jpeg", "index": index, "count": 2, "sha256": sha256}
        _append(tx, desk, OperationKind.BLOB_CHUNK, sha256[:32], body, payload=piece)


def say_something_newer(tx: Tx, desk: Desk, dice: random.Random) -> None:
    """Queue an operation of a kind that the server does not know yet: a newer laptop's."""
    tx.execute(
        "INSERT INTO operations (record, kind, base_version, body, payload, operator, captured) "
        "VALUES (?, 'vaccination.add', 0, '{}', NULL, 1, ?)",
        (dice.randbytes(16).hex(), desk.system.now()),
    )


def _append(
    tx: Tx,
    desk: Desk,
    kind: OperationKind,
    record: str,
    body: dict[str, Any],
    *,
    payload: bytes | None = None,
    base_version: int = 0,
) -> int:
    return append_operation(
        tx,
        kind=kind,
        record=record,
        base_version=base_version,
        body=body,
        payload=payload,
        operator=1,
        captured=desk.system.now(),
    )


def _body(dice: random.Random) -> dict[str, Any]:
    return {
        "name": f"{MARK} {_letters(dice)}",
        "gender": dice.choice("FM"),
        "birth": {"year": dice.randrange(1940, 2020), "month": 3, "day": 14},
        "mobile": f"9{dice.randrange(10**9):09d}",
        "mobile_owner": "self",
        "address": {
            "line": "Ward 4",
            "village": MARK,
            "pincode": "282001",
            "state": 9,
            "district": 123,
        },
        "consent": {
            "version": "1.4",
            "language": "hi",
            "method": "signature",
            "given_at": "2026-11-20T10:00:00+05:30",
        },
        "language": "hi",
        "camp": "CAMP-1",
    }


def _changes(dice: random.Random) -> dict[str, Any]:
    """Correct one thing: of the identity, or of how the person is reached."""
    fresh = _body(dice)
    return {
        (field := dice.choice(["name", "name", "birth", "mobile", "address"])): fresh[field]
    } | (
        {"address": {**fresh["address"], "line": f"Ward {dice.randrange(99)}"}}
        if field == "address"
        else {}
    )


def _letters(dice: random.Random) -> str:
    return "".join(dice.choice("abcdefghij") for _ in range(6)).capitalize()
