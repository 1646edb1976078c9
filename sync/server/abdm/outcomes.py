"""What ABDM's answers change here, and who is told: each in the caller's one transaction.

A number in ``enrollments.abha_number`` is the known success. It is written the moment it is known,
and nothing about that person is sent to creation any more. Who withdrew stays withdrawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, exists, or_, select, update

from schemas.formats import is_abha_address
from sync.protocol import DeviceState, FeedKind
from sync.server import feed
from sync.server.abdm.calls import Enrolled
from sync.server.store.tables import (
    abdm_papers,
    devices,
    enrollment_versions,
    enrollments,
    sealed_ids,
    witnesses,
)

__all__ = [
    "FOUND",
    "announce",
    "announce_number",
    "ask_for_person",
    "discard_numbers",
    "discard_numbers_of",
    "give_back",
    "keep_address",
    "keep_number",
    "keep_paper",
    "lock_person",
]

FOUND: Final = "abdm:exists"
"""The person had an ABHA number already; it was found, and none was made."""

_OVER: Final = frozenset({"ISSUED", "DUPLICATE", "WITHDRAWN"})
_ADDRESS_LETTERS_MAX: Final = 60


def lock_person(connection: Connection, enrollment: str) -> Row[Any]:
    """Give a person's row; nobody else changes it before this transaction ends."""
    mine = select(enrollments).where(enrollments.c.enrollment == enrollment)
    return connection.execute(mine.with_for_update()).one()


def keep_number(connection: Connection, enrollment: str, enrolled: Enrolled) -> Row[Any]:
    """Write the number down that ABDM gave or found, and give the person's row as it then is.

    The sealed Aadhaar number is deleted: NHA asks for that once the call is done. A number that is
    there already stays. The state is not changed; see ``announce_number``.
    """
    person = lock_person(connection, enrollment)
    if person.abha_number is None:
        _change(connection, enrollment, abha_number=enrolled.abha_number)
        keep_address(connection, enrollment, enrolled.abha_address)
    discard_numbers_of(connection, enrollment)
    return lock_person(connection, enrollment)


def keep_address(connection: Connection, enrollment: str, address: str | None) -> None:
    """Write an ABHA address down, unless it is none that laptops would take."""
    if address and len(address) <= _ADDRESS_LETTERS_MAX and is_abha_address(address):
        _change(connection, enrollment, abha_address=address)


def keep_paper(
    connection: Connection, enrollment: str, kind: str, media_type: str, data: bytes, *, now: int
) -> None:
    """Keep a picture that ABDM made (``qr`` or ``card``), in the place of an earlier one.

    Nothing is kept of who withdrew while it was on its way.
    """
    if lock_person(connection, enrollment).state == "WITHDRAWN":
        return
    mine = {"enrollment": enrollment, "kind": kind}
    connection.execute(delete(abdm_papers).filter_by(**mine))
    row = {"media_type": media_type[:40], "data": data, "fetched_at": now}
    connection.execute(abdm_papers.insert().values({**mine, **row}))


def announce_number(connection: Connection, enrollment: str, *, was_found: bool, now: int) -> bool:
    """Let the person be issued, or a duplicate where the number was found, and tell the laptops.

    ``False``, and nothing changes, where there is no number, where laptops were told already, or
    where the person withdrew meanwhile.
    """
    person = lock_person(connection, enrollment)
    if person.abha_number is None or person.state in _OVER:
        return False
    body = {"abha_number": person.abha_number}
    if person.abha_address:
        body["abha_address"] = person.abha_address
    if was_found:
        body |= {"code": FOUND, "pointer": ""}
    _change(connection, enrollment, state="DUPLICATE" if was_found else "ISSUED")
    kind = FeedKind.ENROLLMENT_DUPLICATE if was_found else FeedKind.ABHA_ISSUED
    announce(connection, enrollment, kind, body, now=now)
    return True


def give_back(
    connection: Connection, enrollment: str, *, code: str, pointer: str, now: int
) -> None:
    """Send a person back to the laptops for a correction. The sealed number stays for it."""
    _change(connection, enrollment, state="RETURNED")
    body = {"code": code, "pointer": pointer}
    announce(connection, enrollment, FeedKind.ENROLLMENT_RETURNED, body, now=now)


def ask_for_person(
    connection: Connection,
    enrollment: str,
    *,
    code: str,
    pointer: str,
    now: int,
    call_at: int | None = None,
) -> None:
    """Put a person on the call-back list; ``call_at`` (seconds): not before that moment."""
    _change(connection, enrollment, state="NEEDS_PERSON")
    body: dict[str, Any] = {"code": code, "pointer": pointer}
    if call_at is not None:
        body["call_at"] = call_at
    announce(connection, enrollment, FeedKind.NEEDS_PERSON, body, now=now)


def announce(
    connection: Connection,
    enrollment: str,
    kind: FeedKind,
    body: Mapping[str, Any],
    *,
    now: int,
    record: str | None = None,
) -> None:
    """Tell every approved laptop that showed that it holds the person.

    ``record`` is what the news is about, where that is not the person but a link of theirs.
    """
    for device in _holders(connection, enrollment):
        feed.append(connection, device, kind, body, at=now // 1000, record=record or enrollment)


def discard_numbers_of(connection: Connection, enrollment: str) -> None:
    """Delete the sealed numbers of one person."""
    _discard(connection, sealed_ids.c.enrollment == enrollment)


def discard_numbers(connection: Connection) -> int:
    """Delete the sealed numbers of all who have an ABHA number or withdrew; give how many."""
    is_over = exists().where(
        enrollments.c.enrollment == sealed_ids.c.enrollment,
        or_(enrollments.c.abha_number.is_not(None), enrollments.c.state == "WITHDRAWN"),
    )
    return _discard(connection, is_over)


def _discard(connection: Connection, which: Any) -> int:
    gone = delete(sealed_ids).where(which).returning(sealed_ids.c.version)
    return len(connection.execute(gone).all())


def _change(connection: Connection, enrollment: str, **values: str | None) -> None:
    mine = enrollments.c.enrollment == enrollment
    connection.execute(update(enrollments).where(mine).values(values))


def _holders(connection: Connection, enrollment: str) -> list[str]:
    """Give the approved laptops that wrote of a person, or brought the same, in a fixed order."""
    writers = select(enrollment_versions.c.device).where(
        enrollment_versions.c.enrollment == enrollment
    )
    showed = select(witnesses.c.device).where(witnesses.c.enrollment == enrollment)
    query = (
        select(devices.c.device)
        .where(
            devices.c.device.in_(writers.union(showed)),
            devices.c.state == DeviceState.APPROVED.value,
        )
        .order_by(devices.c.device)
    )
    return list(connection.execute(query).scalars())
