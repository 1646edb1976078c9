"""Sessions with the server: the engine of ``sync``, wired to this laptop's store and keys."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Final

from enrollkit.app.desk import Desk
from enrollkit.app.errands import carry_all
from enrollkit.app.forecast import Estimate, foretell
from enrollkit.app.incoming import envelope_of, inbox_of, take_over_programme
from enrollkit.app.outgoing import outbox_of
from enrollkit.app.results import Progress, Summary
from enrollkit.app.system import local_time
from enrollkit.app.vigil import Round, Vigil
from enrollkit.domain.identifiers import approval_code
from enrollkit.locale import _
from enrollkit.store.carried import carried_files
from enrollkit.store.link_facts import LinkFacts, bytes_used_on, keep_link, note_traffic
from enrollkit.store.lock import SyncLock
from sync.engine.http import HttpTransport
from sync.engine.pacing import Pacing
from sync.engine.runner import Ports, deliver
from sync.errors import SyncBusy
from sync.ports import Transport
from sync.protocol import LIMITS

__all__ = ["Delivery", "ports_of"]

PATIENCE: Final = Pacing(tries_max=5)
"""Somebody sits before the screen: after some three minutes without a step forward, say so."""


def _ignore(_what: object) -> None:
    """Tell nobody."""


def _never() -> bool:
    return False


def ports_of(desk: Desk, transport: Transport) -> Ports:
    """Give the engine what it asks for: this laptop's store and keys, and a road."""
    return Ports(
        outbox=outbox_of(desk),
        inbox=inbox_of(desk),
        transport=transport,
        envelope=envelope_of(desk),
        clock=desk.system,
        sleeper=desk.system,
        guard=SyncLock(desk.home.sync_lock),
        randomness=desk.system,
    )


class Delivery:
    """Sending what waits and fetching the news."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def run(
        self,
        on_progress: Callable[[Progress], None] = _ignore,
        *,
        pacing: Pacing | None = None,
        limit_bytes: int | None = None,
        is_stopping: Callable[[], bool] = _never,
    ) -> Summary:
        """Run one whole session; blocks until it ends, or until ``limit_bytes`` have travelled.

        How it ended is in the summary, its ``error`` included: what was signed for before a line
        broke stays signed for. ``is_stopping`` is asked between batches. What is carried for other
        laptops is handed in after this laptop's own, with the bytes that are left; the figures in
        bytes hold both. ``SyncBusy`` when another window is sending.
        """
        with closing(HttpTransport(self._desk.programme.url)) as transport:
            try:
                summary = deliver(
                    ports_of(self._desk, transport),
                    approval_code=approval_code(self._desk.keys.signing.public.digest()),
                    pacing=pacing or PATIENCE,
                    limit_bytes=limit_bytes,
                    is_stopping=is_stopping,
                    on_progress=on_progress,
                    words=_,
                )
                if summary.error is None and not summary.limited and not summary.stopped:
                    summary = self._run_errands(
                        transport, summary, on_progress, limit_bytes, is_stopping
                    )
            finally:
                self._note_traffic(transport)
        self._note_link(summary)
        take_over_programme(self._desk)
        return summary

    def watch(
        self,
        tell: Callable[[Round], None] = _ignore,
        *,
        on_progress: Callable[[Progress], None] = _ignore,
        is_stopping: Callable[[], bool] = _never,
        limit_bytes: int | None = None,
    ) -> None:
        """Run sessions until ``is_stopping``: when a network comes, when people wait, by a timer.

        ``tell`` hears of each session that was tried. ``limit_bytes`` is the allowance of a day in
        India, used sessions of that day included.
        """

        def run() -> Summary:
            left = None if limit_bytes is None else max(0, limit_bytes - self.bytes_used_today())
            return self.run(on_progress, limit_bytes=left, is_stopping=is_stopping)

        Vigil(
            self._desk,
            run=run,
            is_stopping=is_stopping,
            is_spent=lambda: limit_bytes is not None and self.bytes_used_today() >= limit_bytes,
        ).keep(tell)

    def estimate(self) -> Estimate:
        """Foretell the next session from what waits and from the link as it was last time."""
        return foretell(self._desk)

    def bytes_used_today(self) -> int:
        """Give how many bytes this laptop's sessions used today (in India), up and down."""
        return self._desk.database.read(lambda tx: bytes_used_on(tx, self._day()))

    def _run_errands(
        self,
        transport: HttpTransport,
        summary: Summary,
        on_progress: Callable[[Progress], None],
        limit_bytes: int | None,
        is_stopping: Callable[[], bool],
    ) -> Summary:
        """Hand in what is carried for other laptops, as far as the allowance reaches."""
        if not self._desk.database.read(lambda tx: carried_files(tx, unanswered=True)):
            return summary

        def room() -> int:
            up, down, _requests = transport.traffic()
            return LIMITS.push_bytes_max if limit_bytes is None else limit_bytes - up - down

        on_progress(_errands_progress(summary, _("Handing in what is carried for other laptops.")))
        try:
            with SyncLock(self._desk.home.sync_lock).exclusive():
                done = carry_all(
                    self._desk,
                    transport,
                    is_stopping=lambda: is_stopping() or room() <= 0,
                    room=room,
                )
        except SyncBusy:
            return summary  # another window came between; it runs the same errands
        up, down, requests = transport.traffic()
        if done.error is not None:
            on_progress(_errands_progress(summary, _(done.error.text)))
        return replace(
            summary,
            bytes_up=up,
            bytes_down=down,
            requests=requests,
            carried=done.answered,
            carried_waiting=done.waiting,
            carried_error=done.error,
            limited=room() <= 0 and done.waiting > 0,
            stopped=is_stopping(),
        )

    def _note_traffic(self, transport: HttpTransport) -> None:
        up, down, _requests = transport.traffic()
        if up + down:
            self._desk.database.write(lambda tx: note_traffic(tx, self._day(), up + down))

    def _note_link(self, summary: Summary) -> None:
        pace = summary.pace
        if pace is None or pace.goodput is None:
            return
        facts = LinkFacts(
            goodput=pace.goodput,
            round_trip_seconds=pace.round_trip_seconds,
            push_bytes=pace.push_bytes,
        )
        self._desk.database.write(lambda tx: keep_link(tx, facts))

    def _day(self) -> str:
        return local_time(self._desk.system.now()).date().isoformat()


def _errands_progress(summary: Summary, text: str) -> Progress:
    signed = summary.accepted + summary.duplicate + summary.held + summary.rejected
    return Progress(
        phase="news",
        people_total=signed + summary.waiting,
        people_signed=signed,
        bytes_up=summary.bytes_up,
        bytes_down=summary.bytes_down,
        text=text,
    )
