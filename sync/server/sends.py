"""How often a one-time code may be sent, so that nobody is pestered and no telephone flooded."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, and_, exists, func, select

from sync.protocol import FinishAction, FinishStage
from sync.server.finishes import Finish
from sync.server.store.tables import enrollment_versions, finish_steps, witnesses
from sync.server.versions import is_known_to

__all__ = ["AGAIN_MS", "SENDING", "sends_so_far", "why_not_send"]

AGAIN_MS: Final = 60_000
"""Before another code may be sent (NHA, M1)."""
DAY_MS: Final = 24 * 3600 * 1000
SENDS_MAX: Final = 5
"""Codes to one person; after them a day's rest."""
MOBILE_SENDS_MAX: Final = 3
"""So many more to the mobile that was given."""
DEVICE_SENDS_MAX: Final = 300
"""Codes that one laptop can have sent in a day: a whole camp's."""
STRANGER_SENDS_MAX: Final = 30
"""Those of them to people whom it does not hold: a stolen laptop must not pester a district."""

SENDING: Final = frozenset({FinishAction.SEND, FinishAction.MOBILE_SEND})
"""The steps that make a telephone ring."""


def why_not_send(
    connection: Connection,
    device: str,
    record: str,
    finish: Finish,
    action: FinishAction,
    *,
    now: int,
) -> str:
    """Give the code that says why no one-time code may be sent now; empty when it may."""
    first = action is FinishAction.MOBILE_SEND and finish.stage is FinishStage.MOBILE
    if not first and now < finish.sent_at + AGAIN_MS:
        return "otp:wait"
    most = SENDS_MAX + (MOBILE_SENDS_MAX if action is FinishAction.MOBILE_SEND else 0)
    if sends_so_far(finish, now=now) >= most:
        return "otp:too-many"
    sends, strangers = _sends_of(connection, device, since=now - DAY_MS)
    is_stranger = not is_known_to(connection, device, record)
    if sends >= DEVICE_SENDS_MAX or (is_stranger and strangers >= STRANGER_SENDS_MAX):
        return "otp:too-many"
    return ""


def sends_so_far(finish: Finish, *, now: int) -> int:
    """Count the codes sent to this person without a day's rest."""
    return finish.sends if now < finish.sent_at + DAY_MS else 0


def _sends_of(connection: Connection, device: str, *, since: int) -> tuple[int, int]:
    """Count the codes that a laptop had sent, and those to people whom it does not hold."""
    mine = and_(
        finish_steps.c.device == device,
        finish_steps.c.asked_at > since,
        finish_steps.c.action.in_([action.value for action in SENDING]),
    )
    held = [
        exists().where(
            table.c.enrollment == finish_steps.c.enrollment,
            table.c.device == finish_steps.c.device,
        )
        for table in (enrollment_versions, witnesses)
    ]
    count = select(func.count()).select_from(finish_steps).where(mine)
    strangers = count.where(*[~each for each in held])
    return connection.execute(count).scalar_one(), connection.execute(strangers).scalar_one()
