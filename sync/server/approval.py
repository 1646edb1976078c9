"""The office's decisions about laptops; each one issues a programme with the new device list."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from schemas.numbers import parse_provisional_number
from sync.protocol import DeviceState, FeedKind
from sync.server import feed
from sync.server.errors import CodeAmbiguous, CodeInvalid, DeviceShutOut, DeviceUnknown
from sync.server.keys import ServerKeys
from sync.server.programme import publish
from sync.server.store import insert_once
from sync.server.store.tables import approvals, devices

__all__ = ["approve_code", "revoke_device"]


def approve_code(connection: Connection, keys: ServerKeys, typed: str, *, now: int) -> str | None:
    """Approve the laptop with this code, typed in any spelling; give its id.

    ``None`` when no laptop with this code has called yet: it will be approved when it does. Again
    changes nothing. ``CodeInvalid``, ``CodeAmbiguous`` or ``DeviceShutOut`` otherwise.
    """
    code = parse_provisional_number(typed)
    if code is None:
        raise CodeInvalid
    found = connection.execute(select(devices).where(devices.c.approval_code == code)).all()
    if len(found) > 1:
        raise CodeAmbiguous
    insert_once(connection, approvals, {"approval_code": code, "approved_at": now})
    if not found:
        return None
    device: str = found[0].device
    if found[0].state == DeviceState.REVOKED:
        raise DeviceShutOut(device)
    if found[0].state == DeviceState.PENDING:
        mine = approvals.c.approval_code == code
        connection.execute(update(approvals).where(mine).values(used_by=device))
        _decide(connection, device, DeviceState.APPROVED, now)
        publish(connection, keys, now=now)
    return device


def revoke_device(connection: Connection, keys: ServerKeys, device: str, *, now: int) -> None:
    """Shut a laptop out. What it still sends is kept in quarantine. Again changes nothing."""
    mine = devices.c.device == device
    state = connection.execute(select(devices.c.state).where(mine)).scalar_one_or_none()
    if state is None:
        raise DeviceUnknown
    if state == DeviceState.REVOKED:
        return
    _decide(connection, device, DeviceState.REVOKED, now)
    feed.append(connection, device, FeedKind.DEVICE_REVOKED, {}, at=now)
    publish(connection, keys, now=now)


def _decide(connection: Connection, device: str, state: DeviceState, now: int) -> None:
    mine = devices.c.device == device
    connection.execute(update(devices).where(mine).values(state=state.value, decided_at=now))
