"""What stands behind every road into the server, whether by HTTP or on a stick, wired once."""

from __future__ import annotations

from collections.abc import Callable

from sync.server.bundles import Receiver
from sync.server.contact import Contact
from sync.server.intake import Intake, Taken
from sync.server.keys import ServerKeys
from sync.server.programme import read_meta
from sync.server.settings import Settings
from sync.server.store import Store

__all__ = ["make_receiver"]


def make_receiver(
    settings: Settings,
    *,
    store: Store,
    keys: ServerKeys,
    clock: Callable[[], int],
    note_taken: Callable[[Taken], None],
) -> Receiver:
    """Make a receiver, and with it the ``contact`` and ``intake`` that the other roads use too."""
    with store.read() as connection:
        epoch = read_meta(connection)["epoch"]
    return Receiver(
        store=store,
        keys=keys,
        contact=Contact(
            store=store,
            keys=keys,
            epoch=epoch,
            clock=clock,
            pending_max=settings.pending_devices_max,
            silent_seconds_max=settings.pending_days_max * 24 * 3600,
        ),
        intake=Intake(store=store, keys=keys, epoch=epoch, clock=clock),
        note_taken=note_taken,
    )
