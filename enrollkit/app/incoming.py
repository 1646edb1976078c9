"""What comes in, by whatever road: keys and inbox wired to check it, and a newer programme used."""

from __future__ import annotations

from enrollkit.app.desk import Desk
from enrollkit.store.inbox import StoredInbox
from enrollkit.store.programmes import newest_programme
from sync.engine.envelope import DeviceEnvelope
from sync.programme import open_programme

__all__ = ["envelope_of", "inbox_of", "take_over_programme"]


def envelope_of(desk: Desk) -> DeviceEnvelope:
    """Give the device's keys and the server's, wired."""
    return DeviceEnvelope(
        signing=desk.keys.signing, opening=desk.keys.opening, server=desk.programme.signing
    )


def inbox_of(desk: Desk) -> StoredInbox:
    """Give the inbox; it believes programmes of the pinned key alone."""
    return StoredInbox(
        desk.database,
        programme=lambda raw: open_programme(raw, desk.programme.signing),
        clock=desk.system,
    )


def take_over_programme(desk: Desk) -> None:
    """Work with a newer programme at once: its device list, its wordings."""
    raw = desk.database.read(newest_programme)
    if raw is not None:
        desk.programme = open_programme(raw, desk.programme.signing)
