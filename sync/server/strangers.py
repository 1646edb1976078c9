"""Laptops that nobody has approved: they may wait, but not for ever, and not without number.

Forgetting one costs it nothing. It holds no data here, it introduces itself again with its next
call, and an approval that the office has noted for its code is kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, delete, func, select

from sync.protocol import DeviceState
from sync.server.store.tables import boots, devices

__all__ = ["SILENT_SECONDS_MAX", "make_room"]

SILENT_SECONDS_MAX: Final = 30 * 24 * 3600
"""A laptop that did not call for so long is not waiting any more."""


def make_room(
    connection: Connection, *, now: int, pending_max: int, silent_seconds_max: int
) -> None:
    """Forget those that fell silent, and of the others so many that one more may come.

    Those go first that called longest ago.
    """
    mine = devices.c.state == DeviceState.PENDING.value
    silent = select(devices.c.device).where(mine, devices.c.last_contact < now - silent_seconds_max)
    _forget(connection, connection.execute(silent).scalars().all())
    waiting = connection.execute(select(func.count()).where(mine)).scalar_one()
    too_many = waiting + 1 - pending_max
    if too_many > 0:
        oldest = select(devices.c.device).where(mine)
        order = (devices.c.last_contact, devices.c.first_contact, devices.c.device)
        found = connection.execute(oldest.order_by(*order).limit(too_many)).scalars().all()
        _forget(connection, found)


def _forget(connection: Connection, names: Sequence[str]) -> None:
    for name in names:
        connection.execute(delete(boots).where(boots.c.device == name))
        connection.execute(
            delete(devices).where(
                devices.c.device == name, devices.c.state == DeviceState.PENDING.value
            )
        )
