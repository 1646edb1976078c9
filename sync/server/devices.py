"""The laptops of the programme: what is known of one, and how it is met for the first time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from schemas.numbers import approval_code
from sync.errors import EnvelopeInvalid
from sync.protocol import DeviceState, Hello
from sync.sealing import SealKey, VerifyKey
from sync.server.errors import HttpFault
from sync.server.store.tables import approvals, chains, devices
from sync.server.strangers import make_room

__all__ = ["Device", "DeviceReport", "find_device", "list_devices", "meet_device", "note_contact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A laptop that has said hello at least once. ``id`` is 16 hex digits."""

    id: str
    key: VerifyKey
    seal_key: SealKey
    state: DeviceState
    feed_head: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """What the office sees. ``chain`` names each life of the laptop and how far it is held.

    ``forked``: two laptops wrote under this name (a copied or restored disk); both are kept.
    """

    device: str
    state: str
    approval_code: str
    public_key: str
    last_contact: int | None
    chain: tuple[dict[str, str | int], ...]
    forked: bool


def find_device(connection: Connection, device: str) -> Device | None:
    """Find a laptop by its id."""
    row = connection.execute(select(devices).where(devices.c.device == device)).one_or_none()
    return None if row is None else _device(row)


def meet_device(
    connection: Connection, hello: Hello, *, now: int, pending_max: int, silent_seconds_max: int
) -> Device:
    """Register a laptop that nobody met yet; approved at once if the office knew its code.

    No more than ``pending_max`` wait for approval, else anybody could fill the disk: the one that
    called longest ago is forgotten, and all that fell silent (:mod:`sync.server.strangers`).
    """
    key, seal_key = hello.public_key, hello.seal_key
    if key is None or seal_key is None:
        raise HttpFault("device-unknown")
    verify_key = VerifyKey(key)
    code = approval_code(verify_key.digest())
    state = DeviceState.APPROVED if _use_approval(connection, code, hello.device) else None
    if state is None:
        make_room(
            connection, now=now, pending_max=pending_max, silent_seconds_max=silent_seconds_max
        )
    connection.execute(
        insert(devices).values(
            device=hello.device,
            public_key=key,
            seal_key=SealKey(seal_key).raw,
            state=(state or DeviceState.PENDING).value,
            approval_code=code,
            first_contact=now,
            last_contact=now,
            decided_at=now if state else None,
        )
    )
    known = find_device(connection, hello.device)
    if known is None:
        raise EnvelopeInvalid("device")
    return known


def note_contact(connection: Connection, device: str, *, now: int) -> None:
    """Note when a laptop was last heard of."""
    connection.execute(update(devices).where(devices.c.device == device).values(last_contact=now))


def list_devices(connection: Connection) -> list[DeviceReport]:
    """List all laptops, oldest first."""
    lives: dict[str, list[dict[str, str | int]]] = {}
    order = (chains.c.device, chains.c.incarnation, chains.c.base_number, chains.c.life)
    for row in connection.execute(select(chains).order_by(*order)):
        life = {"incarnation": row.incarnation, "held_upto": row.held_upto}
        if row.life != row.incarnation:
            life |= {"fork": row.life, "after": row.base_number}
        lives.setdefault(row.device, []).append(life)
    rows = connection.execute(select(devices).order_by(devices.c.first_contact, devices.c.device))
    return [_report(row, lives.get(row.device, ())) for row in rows]


def _report(row: Row[Any], chain: Sequence[dict[str, str | int]]) -> DeviceReport:
    return DeviceReport(
        device=row.device,
        state=row.state,
        approval_code=row.approval_code,
        public_key=row.public_key.hex(),
        last_contact=row.last_contact,
        chain=tuple(chain),
        forked=any("fork" in life for life in chain),
    )


def _device(row: Row[Any]) -> Device:
    return Device(
        id=row.device,
        key=VerifyKey(row.public_key),
        seal_key=SealKey(row.seal_key),
        state=DeviceState(row.state),
        feed_head=row.feed_head,
    )


def _use_approval(connection: Connection, code: str, device: str) -> bool:
    """Whether the office approved this code beforehand; one approval serves one laptop."""
    used = connection.execute(
        update(approvals)
        .where(approvals.c.approval_code == code, approvals.c.used_by.is_(None))
        .values(used_by=device)
    )
    return used.rowcount == 1
