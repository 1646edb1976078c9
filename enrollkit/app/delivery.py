"""A session with the server: the engine of ``sync``, wired to this laptop's store and keys."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Final

from enrollkit.app.desk import Desk
from enrollkit.app.outgoing import outbox_of
from enrollkit.app.results import Progress, Summary
from enrollkit.domain.identifiers import approval_code
from enrollkit.locale import _
from enrollkit.store.inbox import StoredInbox
from enrollkit.store.lock import SyncLock
from enrollkit.store.programmes import newest_programme
from sync.engine.envelope import DeviceEnvelope
from sync.engine.http import HttpTransport
from sync.engine.pacing import Pacing
from sync.engine.runner import Ports, deliver
from sync.programme import open_programme

__all__ = ["Delivery"]

PATIENCE: Final = Pacing(tries_max=5)
"""Somebody sits before the screen: after some three minutes without a step forward, say so."""


class Delivery:
    """Sending what waits and fetching the news."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def run(
        self,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
        *,
        pacing: Pacing | None = None,
        limit_bytes: int | None = None,
    ) -> Summary:
        """Run one whole session; blocks until it ends, or until ``limit_bytes`` have travelled.

        How it ended is in the summary, its ``error`` included: what was signed for before a line
        broke stays signed for. ``SyncBusy`` when another window is sending.
        """
        desk = self._desk
        with closing(HttpTransport(desk.programme.url)) as transport:
            ports = Ports(
                outbox=outbox_of(desk),
                inbox=StoredInbox(
                    desk.database,
                    programme=lambda raw: open_programme(raw, desk.programme.signing),
                    clock=desk.system,
                ),
                transport=transport,
                envelope=DeviceEnvelope(
                    signing=desk.keys.signing,
                    opening=desk.keys.opening,
                    server=desk.programme.signing,
                ),
                clock=desk.system,
                sleeper=desk.system,
                guard=SyncLock(desk.home.sync_lock),
                randomness=desk.system,
            )
            summary = deliver(
                ports,
                approval_code=approval_code(desk.keys.signing.public.digest()),
                pacing=pacing or PATIENCE,
                limit_bytes=limit_bytes,
                on_progress=on_progress,
                words=_,
            )
        self._take_over_programme()
        return summary

    def _take_over_programme(self) -> None:
        """Work with a newer programme at once: its device list, its wordings."""
        raw = self._desk.database.read(newest_programme)
        if raw is not None:
            self._desk.programme = open_programme(raw, self._desk.programme.signing)
