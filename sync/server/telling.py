"""Telling laptops what became of a person they wrote about, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from sync.merging import Conflict, FieldClass
from sync.protocol import DeviceState, FeedKind, Verdict
from sync.server import feed
from sync.server.arrival import Arrival
from sync.server.store.tables import chains, devices, enrollment_versions
from sync.server.versions import Version

__all__ = ["tell_correction", "tell_verdict"]


def tell_correction(
    connection: Connection,
    arrival: Arrival,
    now: Version,
    *,
    before: Mapping[str, Any],
    conflicts: Sequence[Conflict],
    settles: bool = False,
) -> None:
    """Tell every laptop that wrote of this person what is current now, if it does not know.

    ``before`` was current until this operation came. Its own laptop is told when the result is not
    what it wrote; another when somebody else's words took the place of ``before``, or go against
    them. News that a laptop has not fetched yet is replaced; its conflicts stay, unless this
    ``settles`` them.
    """
    written = dict(arrival.operation.body)
    record = arrival.operation.record
    for device in _writers(connection, record):
        own = device == arrival.device
        known = written if own else dict(before)
        told = list(_told(conflicts, own=own))
        if dict(now.body) == known and not told:
            continue
        body = {"version": now.number, "body": dict(now.body), "conflicts": told}
        feed.tell_correction(
            connection, device, body, at=arrival.at, record=record, settles=settles
        )


def tell_verdict(connection: Connection, arrival: Arrival, verdict: Verdict) -> None:
    """Tell a laptop that something it was told is held was decided now."""
    device, operation = arrival.device, arrival.operation
    if not _is_approved(connection, device):
        return
    root = select(chains.c.incarnation).where(
        chains.c.device == device, chains.c.life == arrival.life
    )
    body: dict[str, Any] = {
        "incarnation": connection.execute(root).scalar_one(),
        "seq": operation.seq,
        "outcome": verdict.outcome.value,
    }
    if verdict.code:
        body |= {"code": verdict.code, "pointer": verdict.pointer}
    feed.append(
        connection,
        device,
        FeedKind.VERDICT_CHANGED,
        body,
        at=arrival.at,
        record=operation.record,
    )


def _told(conflicts: Iterable[Conflict], *, own: bool) -> Iterable[dict[str, Any]]:
    """Give the conflicts as one side sees them.

    Whose word arrived later hears nothing of a contact field: there its word is current.
    """
    for each in conflicts:
        if own and each.kind is FieldClass.CONTACT:
            continue
        yours, theirs = (each.incoming, each.current) if own else (each.current, each.incoming)
        yield {"pointer": each.pointer, "yours": yours, "theirs": theirs}


def _writers(connection: Connection, record: str) -> list[str]:
    """Give the laptops that wrote a version of a person and may hear of it, in a fixed order."""
    query = (
        select(enrollment_versions.c.device)
        .distinct()
        .join(devices, devices.c.device == enrollment_versions.c.device)
        .where(
            enrollment_versions.c.enrollment == record,
            devices.c.state == DeviceState.APPROVED.value,
        )
        .order_by(enrollment_versions.c.device)
    )
    return list(connection.execute(query).scalars())


def _is_approved(connection: Connection, device: str) -> bool:
    state = select(devices.c.state).where(devices.c.device == device)
    return DeviceState(connection.execute(state).scalar_one()) is DeviceState.APPROVED
